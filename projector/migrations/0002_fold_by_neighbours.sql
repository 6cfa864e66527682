-- What a batch changes is found by index, an event keeps its place in the log, and what waits may expire.
--
-- The rules of the fold that hold from here on are applied to what is there, so that the tables stay what the
-- log folds into. One thing cannot be had from them: an event that had waited for its session was given the
-- seq of that moment, and its own is known to the log only. Such a row keeps what it has.

-- The program's sessions are set up for small look-ups, and may be ended after a while. This takes all rows.
SET LOCAL statement_timeout = 0;
SET LOCAL enable_seqscan = on;
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on;

-- Every log that the tables were made from, by the id that its directory names. Numbers are given out once and
-- grow: a log gets one when it takes another one's place, and a further one when it has lost records, since
-- others may take their offsets.
CREATE TABLE logs (
    generation int4        PRIMARY KEY,
    log_id     uuid        NOT NULL,
    given_at   timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE log_partitions
    -- The log that the offsets are of; NULL while a build that did not know it was the last to write.
    ADD COLUMN log_id       uuid,
    -- What ingest received before this moment is in the tables, but for records that were long on their way.
    ADD COLUMN folded_until timestamptz;

-- From where on readers by seq see the row: the highest of its own seq and those of what it waited for.
-- NULL while it does not count: its session or view is missing, came too late, or was over.
ALTER TABLE events ADD COLUMN visible_seq int8;

ALTER TABLE sessions
    -- When ingest received the start: decides what has waited for it in time.
    ADD COLUMN start_received_at timestamptz,
    -- Sum of the views' durations, exact in any order; what duration falls back to.
    ADD COLUMN viewed_micros     int8 NOT NULL DEFAULT 0;

-- What waits for a session stands in events only.
DROP INDEX sessions_waiting;
DELETE FROM sessions WHERE started_at IS NULL;

-- The seq of a session is its start's.
UPDATE sessions
SET seq = coalesce(start.seq, sessions.seq),
    start_received_at = coalesce(start.received_at, sessions.started_at)
FROM sessions AS began
LEFT JOIN events AS start
    ON start.workspace_no = began.workspace_no AND start.event_id = began.start_event_id
WHERE sessions.workspace_no = began.workspace_no AND sessions.session_id = began.session_id;

DROP INDEX events_session;

UPDATE events SET visible_seq = seq WHERE kind IN (1, 7);

UPDATE events
SET visible_seq = greatest(events.seq, sessions.seq)
FROM sessions
WHERE events.workspace_no = sessions.workspace_no
  AND events.session_id = sessions.session_id
  AND events.kind IN (2, 3, 4, 6)
  AND sessions.start_received_at <= events.received_at + interval '168 hours'
  AND (events.kind NOT IN (2, 4) OR events.occurred_at < sessions.started_at + interval '24 hours');

UPDATE events SET page_id = NULL WHERE kind IN (4, 6) AND visible_seq IS NULL AND page_id IS NOT NULL;

UPDATE events AS gone
SET visible_seq = greatest(gone.seq, viewed.visible_seq)
FROM events AS viewed
JOIN sessions
    ON sessions.workspace_no = viewed.workspace_no AND sessions.session_id = viewed.session_id
WHERE gone.kind = 5
  AND viewed.kind = 4
  AND viewed.visible_seq IS NOT NULL
  AND viewed.workspace_no = gone.workspace_no
  AND viewed.pageview_id = gone.pageview_id
  AND greatest(viewed.received_at, sessions.start_received_at) <= gone.received_at + interval '168 hours';

DROP INDEX events_pageview;

-- Sums of the sessions, from the events that count.
WITH latest AS (
    SELECT DISTINCT ON (workspace_no, pageview_id)
           workspace_no, pageview_id, occurred_at, duration_seconds
    FROM events
    WHERE kind = 5 AND visible_seq IS NOT NULL
    ORDER BY workspace_no, pageview_id, occurred_at DESC, event_id DESC
),
seen AS (
    SELECT workspace_no, session_id, pageview_id, occurred_at,
           lead(occurred_at) OVER (PARTITION BY workspace_no, session_id ORDER BY occurred_at, event_id) AS next_at
    FROM events
    WHERE kind = 4 AND visible_seq IS NOT NULL
),
viewed AS (
    SELECT seen.workspace_no, seen.session_id,
           count(*) AS views,
           count(latest.pageview_id) AS left_views,
           sum(CASE
               WHEN latest.pageview_id IS NOT NULL
                   THEN floor(latest.duration_seconds * 1000000 + 0.5)::int8
               WHEN seen.next_at - seen.occurred_at <= interval '1 hour'
                   THEN floor(extract(epoch FROM seen.next_at - seen.occurred_at) + 0.5)::int8 * 1000000
               ELSE 0
           END)::int8 AS micros,
           greatest(max(seen.occurred_at), max(latest.occurred_at)) AS last_at
    FROM seen
    LEFT JOIN latest USING (workspace_no, pageview_id)
    GROUP BY seen.workspace_no, seen.session_id
),
others AS (
    SELECT workspace_no, session_id,
           count(*) FILTER (WHERE kind = 2) AS heartbeats,
           max(occurred_at) AS last_at
    FROM events
    WHERE kind IN (2, 3, 6) AND visible_seq IS NOT NULL
    GROUP BY workspace_no, session_id
)
UPDATE sessions
SET heartbeats = coalesce(others.heartbeats, 0),
    page_views = coalesce(viewed.views, 0),
    bounced = coalesce(viewed.views, 0) < 2,
    left_views = coalesce(viewed.left_views, 0),
    viewed_micros = coalesce(viewed.micros, 0),
    last_activity_at = greatest(sessions.started_at, viewed.last_at, others.last_at),
    duration_seconds = CASE
        WHEN others.heartbeats > 0 THEN 30 * others.heartbeats
        WHEN viewed.left_views > 0 THEN viewed.micros::float8 / 1000000
        ELSE 0
    END
FROM sessions AS began
LEFT JOIN viewed USING (workspace_no, session_id)
LEFT JOIN others USING (workspace_no, session_id)
WHERE sessions.workspace_no = began.workspace_no AND sessions.session_id = began.session_id;

ALTER TABLE sessions
    DROP COLUMN viewed_seconds,
    ALTER COLUMN started_at SET NOT NULL,
    ALTER COLUMN start_event_id SET NOT NULL,
    ALTER COLUMN start_received_at SET NOT NULL,
    ALTER COLUMN page_id SET NOT NULL;

-- Starts and refusals wait for nothing. A projector of an older build, which does not know the column, is stopped
-- by this as well.
ALTER TABLE events ADD CONSTRAINT events_visible CHECK (visible_seq IS NOT NULL OR kind NOT IN (1, 7));

COMMENT ON COLUMN events.seq IS
    'log generation << 48 | offset of the record that was folded; never changes';
COMMENT ON COLUMN events.page_id IS
    'the page, of views and custom events while they count, and of starts and refusals';
COMMENT ON COLUMN sessions.seq IS
    'seq of the start';

-- The neighbours of a view within its session. It takes the place of an index that led to all of a session's
-- views, and is 24 bytes an entry larger for it.
CREATE INDEX events_session ON events (workspace_no, session_id, occurred_at, event_id)
    WHERE kind = 4 AND visible_seq IS NOT NULL;
-- A view by its id, and the latest of its leaves: one index before, now two that share its entries.
CREATE INDEX events_pageview ON events (workspace_no, pageview_id) WHERE kind = 4;
CREATE INDEX events_leaves ON events (workspace_no, pageview_id, occurred_at, event_id) WHERE kind = 5;
-- What does not count, by the session that it names and by how long it has waited. Almost empty: what comes in
-- its order is never in them. Each has a condition that only its own statement meets. Otherwise the planner, as
-- long as it believes them to be empty, goes through the whole of one for every key that it looks up elsewhere.
CREATE INDEX events_waiting ON events (workspace_no, session_id)
    WHERE visible_seq IS NULL AND session_id IS NOT NULL;
CREATE INDEX events_waiting_since ON events (received_at)
    WHERE visible_seq IS NULL AND received_at > '-infinity';

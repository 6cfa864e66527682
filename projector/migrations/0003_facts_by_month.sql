-- The tables that the log folds into: facts by workspace and place in the log, partitioned by month.
--
-- The projector makes the partition of a month when its first event comes. What is before 2010 or after 2099 has
-- one partition each. A database that has the tables of the first two migrations is brought over by
-- `footfall rebuild`, which folds the log again.

-- Every log that the tables were made from, by the id that its directory names. Numbers are given out once and
-- grow: a log gets one when it takes another one's place, and a further one when it has lost records, since
-- others may take their offsets.
CREATE TABLE logs (
    generation int4        PRIMARY KEY,
    log_id     uuid        NOT NULL,
    given_at   timestamptz NOT NULL DEFAULT now()
);

-- The progress of the fold in each partition. `epoch` fences former owners. `last_event_id` distinguishes this log
-- from another one that replaced it.
CREATE TABLE log_partitions (
    topic         text        NOT NULL,
    partition     int4        NOT NULL,
    generation    int4        NOT NULL DEFAULT 0,
    next_offset   int8        NOT NULL DEFAULT 0,
    last_event_id uuid,
    epoch         int8        NOT NULL DEFAULT 0,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    -- The log that the offsets are of.
    log_id        uuid,
    -- What ingest received before this moment is in the tables, but for records that were long on their way.
    folded_until  timestamptz,
    PRIMARY KEY (topic, partition)
);

-- The identity of every event that was folded. Ids are random, so a single index of all of them would soon be
-- larger than memory, and each event a read and a write somewhere in it. By month, an import and the live
-- events each use the index of a month or two.
CREATE TABLE seen (
    seq          int8 NOT NULL,
    workspace_no int4 NOT NULL,
    month        date NOT NULL,
    event_id     uuid NOT NULL,
    PRIMARY KEY (workspace_no, event_id, month)
) PARTITION BY RANGE (month);

-- A visit in its present state.
CREATE TABLE sessions (
    -- seq of the start.
    seq               int8        NOT NULL,
    started_at        timestamptz NOT NULL,
    -- When ingest received the start: decides what has waited for it in time.
    start_received_at timestamptz NOT NULL,
    last_activity_at  timestamptz NOT NULL,
    -- Sum of the views' durations, exact in any order; what duration falls back to.
    viewed_micros     int8        NOT NULL DEFAULT 0,
    duration_seconds  float8      NOT NULL DEFAULT 0,
    identified_at     timestamptz,
    bot_signals       int8        NOT NULL DEFAULT 0,
    workspace_no      int4        NOT NULL,
    heartbeats        int4        NOT NULL DEFAULT 0,
    page_views        int4        NOT NULL DEFAULT 0,
    left_views        int4        NOT NULL DEFAULT 0,
    screen_width      int4,
    screen_height     int4,
    bounced           bool        NOT NULL DEFAULT true,
    session_id        uuid        NOT NULL,
    start_event_id    uuid        NOT NULL,
    page_id           uuid        NOT NULL,
    identified_by     uuid,
    visitor_hash      bytea,
    user_hash         bytea,
    referrer          text,
    referrer_domain   text,
    source_class      text,
    landing_path      text,
    utm_source        text,
    utm_medium        text,
    utm_campaign      text,
    utm_term          text,
    utm_content       text,
    country           text,
    country_code      text,
    region            text,
    city              text,
    continent         text,
    device            text,
    browser           text,
    browser_version   text,
    os                text,
    os_version        text,
    brand             text,
    model             text,
    language          text,
    timezone          text,
    PRIMARY KEY (workspace_no, seq, started_at)
) PARTITION BY RANGE (started_at);

-- A session by its id, for what names it.
CREATE INDEX sessions_id ON sessions (workspace_no, session_id);
-- Sessions of a page in a window.
CREATE INDEX sessions_page ON sessions (workspace_no, page_id, started_at);

-- A page view that counts, clicks included, with the latest leave of it.
CREATE TABLE hits (
    -- log generation << 48 | offset of the record that was folded; never changes.
    seq                  int8        NOT NULL,
    -- From where on readers by seq see the row: the highest of its own seq and its session's.
    visible_seq          int8        NOT NULL,
    occurred_at          timestamptz NOT NULL,
    received_at          timestamptz NOT NULL,
    left_at              timestamptz,
    left_micros          int8,
    scroll_depth_percent float8,
    workspace_no         int4        NOT NULL,
    event_id             uuid        NOT NULL,
    page_id              uuid        NOT NULL,
    session_id           uuid        NOT NULL,
    pageview_id          uuid        NOT NULL,
    link_id              uuid,
    left_by              uuid,
    path                 text,
    title                text,
    referrer             text,
    PRIMARY KEY (workspace_no, seq, occurred_at)
) PARTITION BY RANGE (occurred_at);

-- Views and clicks of a page in a window.
CREATE INDEX hits_page ON hits (workspace_no, page_id, occurred_at);
-- The neighbours of a view within its session.
CREATE INDEX hits_session ON hits (workspace_no, session_id, occurred_at, event_id);
-- A view by its id, for its leaves.
CREATE INDEX hits_view ON hits (workspace_no, pageview_id);

-- A site's own event that counts.
CREATE TABLE custom_events (
    seq          int8        NOT NULL,
    visible_seq  int8        NOT NULL,
    occurred_at  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    workspace_no int4        NOT NULL,
    event_id     uuid        NOT NULL,
    page_id      uuid        NOT NULL,
    session_id   uuid        NOT NULL,
    user_hash    bytea,
    name         text        NOT NULL,
    properties   jsonb       NOT NULL,
    PRIMARY KEY (workspace_no, seq, occurred_at)
) PARTITION BY RANGE (occurred_at);

-- How many beacons for a page were refused within a minute.
CREATE TABLE refusals (
    seq            int8        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    received_at    timestamptz NOT NULL,
    workspace_no   int4        NOT NULL,
    refusal_count  int4        NOT NULL,
    event_id       uuid        NOT NULL,
    page_id        uuid        NOT NULL,
    refusal_reason text        NOT NULL,
    PRIMARY KEY (workspace_no, seq, occurred_at)
) PARTITION BY RANGE (occurred_at);

-- Sums of a page in a window.
CREATE INDEX refusals_page ON refusals (workspace_no, page_id, occurred_at);

-- What does not count, mostly because its session or view has not come yet. Almost empty: what comes in its order
-- is never in it.
CREATE TABLE waiting (
    seq          int8        NOT NULL,
    received_at  timestamptz NOT NULL,
    workspace_no int4        NOT NULL,
    event_id     uuid        NOT NULL,
    session_id   uuid,
    pageview_id  uuid,
    -- The record as the log has it.
    record       bytea       NOT NULL,
    -- The event first: for a look-up by session or view the planner must not take this index, however little it knows
    -- of the table.
    PRIMARY KEY (event_id, workspace_no)
);

CREATE INDEX waiting_session ON waiting (workspace_no, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX waiting_view ON waiting (workspace_no, pageview_id) WHERE session_id IS NULL;
CREATE INDEX waiting_since ON waiting (received_at);

CREATE TABLE seen_earlier PARTITION OF seen FOR VALUES FROM (MINVALUE) TO ('2010-01-01');
CREATE TABLE seen_later PARTITION OF seen FOR VALUES FROM ('2100-01-01') TO (MAXVALUE);
CREATE TABLE sessions_earlier PARTITION OF sessions FOR VALUES FROM (MINVALUE) TO ('2010-01-01 00:00:00+00');
CREATE TABLE sessions_later PARTITION OF sessions FOR VALUES FROM ('2100-01-01 00:00:00+00') TO (MAXVALUE);
CREATE TABLE hits_earlier PARTITION OF hits FOR VALUES FROM (MINVALUE) TO ('2010-01-01 00:00:00+00');
CREATE TABLE hits_later PARTITION OF hits FOR VALUES FROM ('2100-01-01 00:00:00+00') TO (MAXVALUE);
CREATE TABLE custom_events_earlier PARTITION OF custom_events FOR VALUES FROM (MINVALUE) TO ('2010-01-01 00:00:00+00');
CREATE TABLE custom_events_later PARTITION OF custom_events FOR VALUES FROM ('2100-01-01 00:00:00+00') TO (MAXVALUE);
CREATE TABLE refusals_earlier PARTITION OF refusals FOR VALUES FROM (MINVALUE) TO ('2010-01-01 00:00:00+00');
CREATE TABLE refusals_later PARTITION OF refusals FOR VALUES FROM ('2100-01-01 00:00:00+00') TO (MAXVALUE);

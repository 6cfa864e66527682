-- Where the fold of each partition stands. `epoch` fences former owners; `last_event_id` tells this
-- log from another one that took its place.
CREATE TABLE log_partitions (
    topic         text        NOT NULL,
    partition     int4        NOT NULL,
    generation    int4        NOT NULL DEFAULT 0,
    next_offset   int8        NOT NULL DEFAULT 0,
    last_event_id uuid,
    epoch         int8        NOT NULL DEFAULT 0,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);

-- Every applied event. Rows are appended; a view or custom event whose session is not there yet has no
-- page_id and gets it, with a new seq, when the session comes.
CREATE TABLE events (
    workspace_no         int4        NOT NULL,
    -- log generation << 48 | offset: grows in commit order within a workspace, with holes.
    seq                  int8        NOT NULL,
    event_id             uuid        NOT NULL,
    -- The number of schemas::Kind.
    kind                 int2        NOT NULL,
    occurred_at          timestamptz NOT NULL,
    received_at          timestamptz NOT NULL,
    page_id              uuid,
    session_id           uuid,
    pageview_id          uuid,
    link_id              uuid,
    user_hash            bytea,
    path                 text,
    title                text,
    referrer             text,
    duration_seconds     float8,
    scroll_depth_percent float8,
    name                 text,
    properties           jsonb,
    refusal_reason       text,
    refusal_count        int4,
    PRIMARY KEY (workspace_no, event_id)
);

-- Views and clicks of a page in a window.
CREATE INDEX events_views ON events (workspace_no, page_id, occurred_at) WHERE kind = 4;
-- Views of a session, for its duration, and what waits for it.
CREATE INDEX events_session ON events (workspace_no, session_id) WHERE kind IN (4, 6);
-- A view and its leaves, whichever came first.
CREATE INDEX events_pageview ON events (workspace_no, pageview_id) WHERE pageview_id IS NOT NULL;

-- A visit in its present state. Rows without started_at are visits of which something arrived before
-- their start; no report sees them.
CREATE TABLE sessions (
    workspace_no     int4        NOT NULL,
    session_id       uuid        NOT NULL,
    -- seq of the event that last changed the row.
    seq              int8        NOT NULL,
    started_at       timestamptz,
    start_event_id   uuid,
    page_id          uuid,
    visitor_hash     bytea,
    user_hash        bytea,
    identified_at    timestamptz,
    identified_by    uuid,
    last_activity_at timestamptz NOT NULL,
    heartbeats       int4        NOT NULL DEFAULT 0,
    page_views       int4        NOT NULL DEFAULT 0,
    bounced          bool        NOT NULL DEFAULT true,
    -- Whether any view was left, and the sum of the views' durations: what duration falls back to.
    left_views       int4        NOT NULL DEFAULT 0,
    viewed_seconds   float8      NOT NULL DEFAULT 0,
    duration_seconds float8      NOT NULL DEFAULT 0,
    referrer         text,
    referrer_domain  text,
    source_class     text,
    landing_path     text,
    utm_source       text,
    utm_medium       text,
    utm_campaign     text,
    utm_term         text,
    utm_content      text,
    country          text,
    country_code     text,
    region           text,
    city             text,
    continent        text,
    device           text,
    browser          text,
    browser_version  text,
    os               text,
    os_version       text,
    brand            text,
    model            text,
    language         text,
    timezone         text,
    screen_width     int4,
    screen_height    int4,
    bot_signals      int8        NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_no, session_id)
) WITH (fillfactor = 85);

-- Sessions of a page in a window.
CREATE INDEX sessions_page ON sessions (workspace_no, page_id, started_at);
-- The gauge of waiting sessions.
CREATE INDEX sessions_waiting ON sessions (workspace_no) WHERE started_at IS NULL;

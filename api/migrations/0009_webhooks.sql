-- Webhooks of workspaces: where events are sent, how far each webhook has read them, and what is on its way.

CREATE TABLE webhooks (
    id                uuid        PRIMARY KEY,
    workspace_id      uuid        NOT NULL REFERENCES workspaces,
    url               text        NOT NULL,
    -- Types of events: click, qr_scan, lead, sale, custom.
    events            text[]      NOT NULL,
    -- Only events of this link, and only of this campaign.
    link_id           uuid,
    campaign_id       uuid,
    description       text,
    enabled           bool        NOT NULL,
    -- Clicks and conversions from before are not sent: when it was created, last switched on, or first asked for them.
    clicks_since      timestamptz NOT NULL,
    conversions_since timestamptz NOT NULL,
    -- Encrypted under a key that follows from ID_SECRET.
    secret            bytea       NOT NULL,
    -- The secret before the last rotation, which signs too until then.
    former_secret     bytea,
    former_until      timestamptz,
    -- The events up to these have been read, by id; NULL before the first one.
    last_click        uuid,
    last_conversion   uuid,
    -- Since when every attempt failed, and how many events failed in that time; NULL after a success.
    failing_since     timestamptz,
    failed_events     int4        NOT NULL DEFAULT 0,
    -- When and why it was switched off after days of failures.
    disabled_at       timestamptz,
    disabled_reason   text,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);

CREATE INDEX webhooks_list ON webhooks (workspace_id, created_at, id);
CREATE INDEX webhooks_enabled ON webhooks (id) WHERE enabled;

-- One event for one webhook. Finished ones are kept for some time, as a history.
CREATE TABLE webhook_deliveries (
    -- Follows from the webhook and the event, so an event that is read twice is sent once.
    id              uuid        PRIMARY KEY,
    webhook_id      uuid        NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    -- The id of the click or conversion.
    event_id        uuid        NOT NULL,
    event_type      text        NOT NULL,
    -- The body as it is sent, the same at every attempt.
    payload         text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts        int4        NOT NULL DEFAULT 0,
    -- While it waits. An attempt moves it ahead before it sends, so that a crash repeats the attempt later.
    next_attempt_at timestamptz,
    last_attempt_at timestamptz,
    -- The status of the last answer, and what was wrong.
    last_status     int4,
    last_error      text,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    CHECK ((state = 'waiting') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'waiting') = (finished_at IS NULL))
) WITH (fillfactor = 80);

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at, id) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_list ON webhook_deliveries (webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;

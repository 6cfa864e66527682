-- How much of its limits each API key has left, shared by all instances.

-- Unlogged, because every request writes a row: after a crash each key has its whole limit again.
CREATE UNLOGGED TABLE rate_buckets (
    key_id  uuid        NOT NULL,
    scope   text        NOT NULL,
    -- Requests left at `at`; more come back evenly.
    tokens  float8      NOT NULL,
    -- Whether the last request got a token.
    granted bool        NOT NULL DEFAULT true,
    at      timestamptz NOT NULL,
    PRIMARY KEY (key_id, scope)
);

-- Conversions and what decides about them: whether an order was reported before, whose customer it is, what its
-- currency was worth. What reports count is in the analytics database, which takes it from the log.

-- People who bought or signed up. Personal data are here only: the log has the id.
CREATE TABLE customers (
    id             uuid        PRIMARY KEY,
    workspace_id   uuid        NOT NULL REFERENCES workspaces,
    -- The owner's id of them.
    external_id    text,
    email          text,
    name           text,
    -- What leads to their first link, to which later sales belong.
    first_click_id uuid,
    leads          int4        NOT NULL DEFAULT 0,
    sales          int4        NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL,
    -- When the personal data were erased.
    deleted_at     timestamptz,
    CONSTRAINT customers_external_id_key UNIQUE (workspace_id, external_id)
);

CREATE INDEX customers_list ON customers (workspace_id, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE conversions (
    id             uuid        PRIMARY KEY,
    workspace_id   uuid        NOT NULL REFERENCES workspaces,
    class          text        NOT NULL CHECK (class IN ('lead', 'sale', 'custom')),
    event_name     text        NOT NULL,
    click_id       uuid,
    attributed_by  text        NOT NULL CHECK (attributed_by IN ('click', 'customer')),
    customer_id    uuid        REFERENCES customers,
    status         text        NOT NULL,
    sale_type      text,
    source         text        NOT NULL,
    amount_minor   int8        CHECK (amount_minor >= 0),
    currency       text,
    -- At the rate of the day of the sale; NULL while none is known.
    usd_micros     int8,
    rate_day       date,
    refunded_minor int8        NOT NULL DEFAULT 0 CHECK (refunded_minor <= amount_minor),
    order_id       text,
    metadata       jsonb       NOT NULL,
    occurred_at    timestamptz NOT NULL,
    created_at     timestamptz NOT NULL,
    -- Grows with every change; orders the changes in the log.
    version        int4        NOT NULL DEFAULT 1
);

-- An order counts once, also for two calls at the same moment on two instances.
CREATE UNIQUE INDEX conversions_order ON conversions (workspace_id, class, order_id) WHERE order_id IS NOT NULL;
-- Repeats without an order id, and the bound of conversions of a click.
CREATE INDEX conversions_click ON conversions (click_id, occurred_at) WHERE click_id IS NOT NULL;
CREATE INDEX conversions_customer ON conversions (customer_id, occurred_at, id) WHERE customer_id IS NOT NULL;
-- What waits for a rate.
CREATE INDEX conversions_unconverted ON conversions (currency, occurred_at)
    WHERE amount_minor IS NOT NULL AND usd_micros IS NULL;

CREATE TABLE refunds (
    conversion_id uuid        NOT NULL REFERENCES conversions,
    -- The caller's id of it, by which it counts once.
    refund_id     text        NOT NULL,
    amount_minor  int8        NOT NULL CHECK (amount_minor > 0),
    reason        text,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (conversion_id, refund_id)
);

-- Events on their way to the log, written in the transaction of what they report.
CREATE TABLE event_outbox (
    id         bigserial   PRIMARY KEY,
    entry_key  text        NOT NULL,
    payload    bytea       NOT NULL,
    created_at timestamptz NOT NULL
);

-- What a currency was worth on a day, in millionths of a millionth of a dollar for one unit.
CREATE TABLE fx_rates (
    currency text NOT NULL,
    day      date NOT NULL,
    usd_pico int8 NOT NULL CHECK (usd_pico > 0),
    PRIMARY KEY (currency, day)
);

-- Workspaces whose postbacks must carry a token; only its SHA-256 is kept.
CREATE TABLE postback_tokens (
    workspace_id uuid        PRIMARY KEY REFERENCES workspaces,
    token_hash   bytea       NOT NULL,
    created_at   timestamptz NOT NULL
);

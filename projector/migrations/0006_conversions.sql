-- Conversions, each with copies of its click's dimensions, so that reports over them read one table.

CREATE TABLE conversions (
    -- log generation << 48 | offset of the record that was folded; never changes.
    seq                int8        NOT NULL,
    -- From where on readers by seq see the row: the highest of its own seq and its click's.
    visible_seq        int8        NOT NULL,
    occurred_at        timestamptz NOT NULL,
    received_at        timestamptz NOT NULL,
    clicked_at         timestamptz,
    amount_minor       int8,
    -- At the rate of its day; NULL while none is known.
    usd_micros         int8,
    refunded_minor     int8        NOT NULL DEFAULT 0,
    -- What it adds to the revenue: a refund is at the sale's own rate. A lead earns nothing.
    revenue_usd_micros int8        GENERATED ALWAYS AS (
        CASE
            WHEN class = 'lead' OR status NOT IN ('pending', 'approved') OR usd_micros IS NULL THEN 0
            WHEN refunded_minor = 0 OR amount_minor = 0 THEN usd_micros
            ELSE usd_micros - round(usd_micros::numeric * refunded_minor / amount_minor)::int8
        END
    ) STORED,
    workspace_no       int4        NOT NULL,
    -- Number of its latest change; 1 before any.
    version            int4        NOT NULL DEFAULT 1,
    rate_day           date,
    is_counted         bool        GENERATED ALWAYS AS (status IN ('pending', 'approved')) STORED,
    is_lead            bool        GENERATED ALWAYS AS (class = 'lead') STORED,
    is_sale            bool        GENERATED ALWAYS AS (class = 'sale') STORED,
    is_unconverted     bool        GENERATED ALWAYS AS (
        class <> 'lead' AND amount_minor IS NOT NULL AND usd_micros IS NULL
    ) STORED,
    event_id           uuid        NOT NULL,
    conversion_id      uuid        NOT NULL,
    click_id           uuid,
    customer_id        uuid,
    class              text        NOT NULL,
    event_name         text        NOT NULL,
    currency           text,
    status             text        NOT NULL,
    sale_type          text,
    source             text        NOT NULL,
    order_id           text,
    metadata           jsonb       NOT NULL,
    -- From here on copies of the click's columns.
    link_id            uuid,
    campaign_id        uuid,
    rule_id            uuid,
    qr_id              uuid,
    visitor_hash       bytea,
    trigger            text,
    short_code         text,
    host               text,
    referrer           text,
    referrer_domain    text,
    source_class       text,
    utm_source         text,
    utm_medium         text,
    utm_campaign       text,
    utm_term           text,
    utm_content        text,
    country            text,
    country_code       text,
    region             text,
    city               text,
    continent          text,
    device             text,
    browser            text,
    browser_version    text,
    os                 text,
    os_version         text,
    brand              text,
    model              text,
    language           text,
    PRIMARY KEY (workspace_no, seq, occurred_at)
) PARTITION BY RANGE (occurred_at);

-- Conversions of a workspace, of a link and of a customer in a window.
CREATE INDEX conversions_workspace ON conversions (workspace_no, occurred_at);
CREATE INDEX conversions_link ON conversions (workspace_no, link_id, occurred_at) WHERE link_id IS NOT NULL;
CREATE INDEX conversions_customer ON conversions (workspace_no, customer_id, occurred_at) WHERE customer_id IS NOT NULL;
-- A conversion by its id, for its changes.
CREATE INDEX conversions_id ON conversions (workspace_no, conversion_id);
-- A click by its id, for its conversions.
CREATE INDEX hits_click ON hits (workspace_no, click_id) WHERE click_id IS NOT NULL;

-- The latest state of each conversion that was changed, also before it was folded itself.
CREATE TABLE conversion_changes (
    workspace_no   int4        NOT NULL,
    conversion_id  uuid        NOT NULL,
    converted_at   timestamptz NOT NULL,
    version        int4        NOT NULL,
    refunded_minor int8        NOT NULL,
    usd_micros     int8,
    rate_day       date,
    status         text        NOT NULL,
    PRIMARY KEY (workspace_no, conversion_id)
);

-- The conversions whose click is not folded yet. Almost empty: only what overtook its click, or whose click was lost.
CREATE TABLE unattributed (
    workspace_no int4        NOT NULL,
    click_id     uuid        NOT NULL,
    seq          int8        NOT NULL,
    occurred_at  timestamptz NOT NULL,
    PRIMARY KEY (workspace_no, click_id, seq)
);

CREATE TABLE conversions_earlier PARTITION OF conversions FOR VALUES FROM (MINVALUE) TO ('2010-01-01 00:00:00+00');
CREATE TABLE conversions_later PARTITION OF conversions FOR VALUES FROM ('2100-01-01 00:00:00+00') TO (MAXVALUE);

-- The months that the other tables have already.
DO $$
DECLARE
    month date;
BEGIN
    FOR month IN
        SELECT to_date(right(relname, 7), 'YYYY_MM')
        FROM pg_inherits
        JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'refusals'::regclass AND relname ~ '^refusals_\d{4}_\d{2}$'
    LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF conversions FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = 90)',
            'conversions_' || to_char(month, 'YYYY_MM'),
            to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
            to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00'
        );
    END LOOP;
END
$$;

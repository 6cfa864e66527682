-- The main database: what creators make. Times come from the program's clock, never from here.
-- Rows that the directory topic carries have a row_version that grows with every change of them.

-- Tenants. `no` is the number in session ids and in every analytics table; 0 is "none".
CREATE TABLE workspaces (
    id          uuid        PRIMARY KEY,
    no          int4        NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY (START WITH 1 MINVALUE 1),
    row_version int8        NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL
);

-- Who a token's subject is here.
CREATE TABLE creators (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    sub          text        NOT NULL CONSTRAINT creators_sub_key UNIQUE,
    username     text        NOT NULL CONSTRAINT creators_username_key UNIQUE,
    display_name text        NOT NULL,
    created_at   timestamptz NOT NULL
);

CREATE TABLE bio_pages (
    id                       uuid        PRIMARY KEY,
    creator_id               uuid        NOT NULL REFERENCES creators,
    slug                     text        NOT NULL,
    bio                      text        NOT NULL DEFAULT '',
    template_id              uuid,
    theme_override           jsonb,
    custom_css               text,
    embed_enabled            bool        NOT NULL DEFAULT true,
    published                bool        NOT NULL DEFAULT true,
    email_collection_enabled bool        NOT NULL DEFAULT false,
    consent                  text        NOT NULL DEFAULT 'banner' CHECK (consent IN ('banner', 'assumed')),
    -- The page with the smallest (position, created_at, id) is the creator's first.
    position                 int4        NOT NULL,
    created_at               timestamptz NOT NULL,
    row_version              int8        NOT NULL DEFAULT 1,
    -- What visitors see: grows by one with every change of the page, of a link on it or of their order.
    -- What is made of a page is kept under it. Whoever changes either has the page's row locked, so that
    -- versions become visible in their order.
    content_version          int8        NOT NULL DEFAULT 1,
    CONSTRAINT bio_pages_slug_key UNIQUE (creator_id, slug)
);

-- Links of the link surface. A deleted one stays, since clicks and the directory still name it.
CREATE TABLE links (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    destination  text        NOT NULL,
    short_code   text        NOT NULL CONSTRAINT links_short_code_key UNIQUE,
    created_at   timestamptz NOT NULL,
    deleted_at   timestamptz,
    row_version  int8        NOT NULL DEFAULT 1
);

CREATE INDEX links_workspace ON links (workspace_id);

-- Links as a bio page shows them; `links` has the same id.
CREATE TABLE bio_links (
    link_id         uuid        PRIMARY KEY REFERENCES links,
    page_id         uuid        NOT NULL REFERENCES bio_pages,
    title           text        NOT NULL,
    icon            text,
    sort_order      int4        NOT NULL,
    active          bool        NOT NULL DEFAULT true,
    is_social       bool        NOT NULL DEFAULT false,
    platform        text,
    embed_type      text,
    embed_meta      jsonb,
    scheduled_start timestamptz,
    scheduled_end   timestamptz,
    created_at      timestamptz NOT NULL
);

CREATE INDEX bio_links_page ON bio_links (page_id, sort_order);

-- Changes on their way to the directory topic, written in the transaction that makes them.
CREATE TABLE outbox (
    id         bigserial   PRIMARY KEY,
    entry_key  text        NOT NULL,
    payload    bytea       NOT NULL,
    created_at timestamptz NOT NULL
);

-- Which log the outbox was published to and how far; one row. The last payload tells a log that lost
-- its tail and grew again from the one that was written.
CREATE TABLE outbox_log (
    only_row     bool  PRIMARY KEY DEFAULT true CHECK (only_row),
    log_id       uuid  NOT NULL,
    next_offset  int8  NOT NULL,
    last_payload bytea
);

-- Who changed what.
CREATE TABLE audit_log (
    id           bigserial   PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    actor        text        NOT NULL,
    action       text        NOT NULL,
    subject      uuid        NOT NULL,
    at           timestamptz NOT NULL,
    detail       jsonb       NOT NULL
);

CREATE INDEX audit_log_workspace ON audit_log (workspace_id, at);

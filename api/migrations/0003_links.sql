-- Links with everything that a redirect can do, what groups them, their rules and QR codes.
-- What a redirect reads goes to the directory: links with their rules and QR codes, campaigns with their rules.

-- Campaigns. A deleted one stays, since clicks and the directory still name it.
CREATE TABLE campaigns (
    id               uuid        PRIMARY KEY,
    workspace_id     uuid        NOT NULL REFERENCES workspaces,
    name             text        NOT NULL,
    status           text        NOT NULL CHECK (status IN ('active', 'paused', 'archived')),
    -- Money, dates and thresholds: read by reports, never by a redirect.
    terms            jsonb       NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    deleted_at       timestamptz,
    row_version      int8        NOT NULL DEFAULT 1
);

CREATE INDEX campaigns_workspace ON campaigns (workspace_id, created_at);

-- Folders of links, in folders. A change has the workspace's row locked, so that no two moves make a circle.
CREATE TABLE folders (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    parent_id    uuid        REFERENCES folders,
    name         text        NOT NULL,
    color        text,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);

CREATE INDEX folders_workspace ON folders (workspace_id, created_at);
CREATE INDEX folders_parent ON folders (parent_id);

-- Tags. `folded` is the name in the form in which names are compared: without case.
CREATE TABLE tags (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    name         text        NOT NULL,
    folded       text        NOT NULL,
    color        text,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT tags_folded_key UNIQUE (workspace_id, folded)
);

ALTER TABLE links
    DROP CONSTRAINT links_short_code_key,
    -- Null is the host of PUBLIC_URL.
    ADD COLUMN host          text,
    ADD COLUMN title         text,
    ADD COLUMN description   text,
    ADD COLUMN enabled       bool NOT NULL DEFAULT true,
    ADD COLUMN campaign_id   uuid REFERENCES campaigns,
    ADD COLUMN folder_id     uuid REFERENCES folders,
    ADD COLUMN expires_at    timestamptz,
    ADD COLUMN clicks_limit  int4,
    -- A PHC string. No answer and no log line has it.
    ADD COLUMN password_hash text,
    ADD COLUMN behavior      jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN created_by    text,
    ADD COLUMN created_via   text,
    ADD COLUMN updated_at    timestamptz;

UPDATE links SET updated_at = coalesce(deleted_at, created_at);
ALTER TABLE links ALTER COLUMN updated_at SET NOT NULL;

DROP INDEX links_workspace;
CREATE INDEX links_workspace ON links (workspace_id, created_at, id);
CREATE INDEX links_campaign ON links (campaign_id);
CREATE INDEX links_folder ON links (folder_id);

-- Who has a code on a host; the host of PUBLIC_URL is ''. Codes are in lower case, since they are compared
-- without case. `link_id` is null once the link is deleted or renamed: only the same workspace may then use
-- the code again, so that no other tenant takes over a printed link.
CREATE TABLE short_codes (
    host         text NOT NULL,
    code         text NOT NULL,
    workspace_id uuid NOT NULL REFERENCES workspaces,
    link_id      uuid REFERENCES links DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (host, code)
);

CREATE INDEX short_codes_link ON short_codes (link_id);

-- Codes of earlier versions may differ by case only. The oldest link has the code, as in the redirect.
INSERT INTO short_codes (host, code, workspace_id, link_id)
SELECT DISTINCT ON (lower(short_code)) '', lower(short_code), workspace_id,
       CASE WHEN deleted_at IS NULL THEN id END
FROM links
ORDER BY lower(short_code), deleted_at IS NOT NULL, id;

CREATE TABLE link_tags (
    link_id uuid NOT NULL REFERENCES links,
    tag_id  uuid NOT NULL REFERENCES tags,
    PRIMARY KEY (link_id, tag_id)
);

CREATE INDEX link_tags_tag ON link_tags (tag_id);

-- Rules of a link or of a campaign. `conditions` are as the owner wrote them.
CREATE TABLE rules (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    link_id      uuid        REFERENCES links,
    campaign_id  uuid        REFERENCES campaigns,
    name         text        NOT NULL,
    description  text,
    type         text,
    priority     int4        NOT NULL,
    conditions   jsonb       NOT NULL,
    logic        text        NOT NULL CHECK (logic IN ('AND', 'OR')),
    destination  text        NOT NULL,
    enabled      bool        NOT NULL,
    behavior     jsonb       NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    deleted_at   timestamptz,
    CHECK (num_nonnulls(link_id, campaign_id) = 1)
);

CREATE INDEX rules_workspace ON rules (workspace_id, created_at);
CREATE INDEX rules_link ON rules (link_id);
CREATE INDEX rules_campaign ON rules (campaign_id);

-- QR codes of links. `code` is the value of the parameter `qr` in their short URLs.
CREATE TABLE qr_codes (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    link_id      uuid        NOT NULL REFERENCES links,
    code         text        NOT NULL,
    name         text        NOT NULL,
    design       jsonb       NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    deleted_at   timestamptz,
    -- A deleted code is not used again, so that prints that still exist keep their meaning.
    CONSTRAINT qr_codes_code_key UNIQUE (link_id, code)
);

CREATE INDEX qr_codes_workspace ON qr_codes (workspace_id, created_at);

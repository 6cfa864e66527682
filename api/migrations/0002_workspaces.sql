-- Workspaces with names, members, keys and hosts. A creator's workspace is one of them.

ALTER TABLE workspaces
    ADD name             text NOT NULL DEFAULT '',
    -- `slug` is what people type; ids are what programs use.
    ADD slug             text,
    ADD plan             text NOT NULL DEFAULT 'enterprise' CHECK (plan IN ('starter', 'pro', 'enterprise')),
    ADD timezone         text NOT NULL DEFAULT 'UTC',
    ADD default_currency text NOT NULL DEFAULT 'USD';

UPDATE workspaces
SET name = creators.display_name
FROM creators
WHERE workspace_id = workspaces.id;

UPDATE workspaces
SET slug = 'workspace-' || no;

ALTER TABLE workspaces
    ALTER name DROP DEFAULT,
    ALTER plan DROP DEFAULT,
    ALTER slug SET NOT NULL,
    ADD CONSTRAINT workspaces_slug_key UNIQUE (slug);

-- Which users may do what in a workspace. A user is the subject of a token.
CREATE TABLE members (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    sub          text        NOT NULL,
    role         text        NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'viewer')),
    created_at   timestamptz NOT NULL,
    CONSTRAINT members_sub_key UNIQUE (workspace_id, sub)
);

CREATE INDEX members_sub ON members (sub);

INSERT INTO members (id, workspace_id, sub, role, created_at)
SELECT gen_random_uuid(), workspace_id, sub, 'owner', created_at
FROM creators;

-- Keys of programs. Only the hash of a key is kept, so that a copy of this table opens nothing.
-- Keys are never deleted: the audit log names them.
CREATE TABLE api_keys (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    secret_hash  bytea       NOT NULL CONSTRAINT api_keys_secret_hash_key UNIQUE,
    prefix       text        NOT NULL,
    name         text        NOT NULL,
    scopes       text[]      NOT NULL,
    -- A key can do no more than this member, and nothing once the member is gone.
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    expires_at   timestamptz,
    revoked_at   timestamptz
);

CREATE INDEX api_keys_workspace ON api_keys (workspace_id, created_at, id);

-- Versions of hosts. The directory has one entry for each host, whoever has it, so all hosts share one
-- sequence: a later holder's entry always replaces the earlier one's.
CREATE SEQUENCE domain_versions;

-- Hosts of short URLs.
CREATE TABLE domains (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    host         text        NOT NULL,
    is_default   bool        NOT NULL DEFAULT false,
    -- The value that the TXT record must have.
    proof        text        NOT NULL,
    created_at   timestamptz NOT NULL,
    verified_at  timestamptz,
    removed_at   timestamptz,
    row_version  int8        NOT NULL DEFAULT nextval('domain_versions')
);

CREATE UNIQUE INDEX domains_of_workspace ON domains (workspace_id, host) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX domains_verified ON domains (host) WHERE verified_at IS NOT NULL AND removed_at IS NULL;
CREATE UNIQUE INDEX domains_default ON domains (workspace_id) WHERE is_default AND removed_at IS NULL;

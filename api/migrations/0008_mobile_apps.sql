-- Mobile apps of workspaces. Links open in them, and the hosts of the workspace name them to phones.

CREATE TABLE mobile_apps (
    id           uuid        PRIMARY KEY,
    workspace_id uuid        NOT NULL REFERENCES workspaces,
    -- It never changes: links keep it beside the id of their app.
    platform     text        NOT NULL CHECK (platform IN ('ios', 'android')),
    -- The bundle id (iOS) or package name (Android).
    package      text        NOT NULL,
    name         text        NOT NULL,
    -- Of Apple, for iOS.
    team_id      text,
    -- SHA-256 fingerprints of signing certificates as AA:BB:..., for Android.
    fingerprints text[]      NOT NULL,
    store_url    text,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    -- A deleted app stays, because its entry in the directory has a version.
    deleted_at   timestamptz,
    row_version  int8        NOT NULL DEFAULT 1
);

CREATE UNIQUE INDEX mobile_apps_package ON mobile_apps (workspace_id, platform, package) WHERE deleted_at IS NULL;

-- How many counted clicks links with a limit have had. The directory has it, so that a limit outlives a restart of ingest.

ALTER TABLE links
    -- Kept while the link has a limit.
    ADD COLUMN clicks_used    int4 NOT NULL DEFAULT 0,
    -- False when all clicks must be counted from the tables: before the first count, and after a change of the limit.
    ADD COLUMN clicks_counted bool NOT NULL DEFAULT false;

-- Links whose clicks are followed, and among them those that must be counted first.
CREATE INDEX links_limited ON links (workspace_id)
    WHERE clicks_limit IS NOT NULL AND deleted_at IS NULL AND (NOT clicks_counted OR clicks_used < clicks_limit);
CREATE INDEX links_uncounted ON links (id)
    WHERE clicks_limit IS NOT NULL AND deleted_at IS NULL AND NOT clicks_counted;

-- Up to which place of the log, as `seq` of the analytics tables, the clicks of a workspace are in `clicks_used`.
CREATE TABLE click_positions (
    workspace_id uuid PRIMARY KEY REFERENCES workspaces,
    seq          int8 NOT NULL
);

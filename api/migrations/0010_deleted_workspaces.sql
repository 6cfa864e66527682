-- Workspaces that their owner has deleted. The row stays: events, codes of short URLs and the directory still name it.

-- Not deleted_at: earlier builds may still run beside this one, and some of their statements join this table and say
-- deleted_at of another one, which would be ambiguous.
ALTER TABLE workspaces
    ADD COLUMN ended_at timestamptz;

-- A deleted workspace gives up its slug.
ALTER TABLE workspaces
    DROP CONSTRAINT workspaces_slug_key;
CREATE UNIQUE INDEX workspaces_slug_key ON workspaces (slug) WHERE ended_at IS NULL;

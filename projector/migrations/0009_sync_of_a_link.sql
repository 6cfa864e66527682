-- What syncs of single links need: without it they read the clicks of the whole workspace.

-- The clicks of a link in the order of sync. The time is there for the first page, as in `hits_sync`.
CREATE INDEX hits_link_sync ON hits (workspace_no, link_id, visible_seq, event_id) INCLUDE (occurred_at)
    WHERE link_id IS NOT NULL;

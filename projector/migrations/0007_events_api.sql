-- The two orders in which the events API reads clicks. Views that are no clicks are in neither index.

-- Sync: from one click to the next ones to become visible. The time is there for the first page, which begins
-- at the first click after a moment.
CREATE INDEX hits_sync ON hits (workspace_no, visible_seq, event_id) INCLUDE (occurred_at) WHERE link_id IS NOT NULL;
-- Browse and export: by time.
CREATE INDEX hits_browse ON hits (workspace_no, occurred_at, event_id) WHERE link_id IS NOT NULL;

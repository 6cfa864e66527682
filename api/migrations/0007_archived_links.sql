-- Archived links, and who changed a link last.

ALTER TABLE links
    -- An archived link is kept and listed; it redirects no request.
    ADD COLUMN archived    bool NOT NULL DEFAULT false,
    -- Null when it was never changed since, or before these columns existed.
    ADD COLUMN updated_by  text,
    ADD COLUMN updated_via text;

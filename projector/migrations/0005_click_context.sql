-- The campaign, rule and QR code of a click on a short link.
ALTER TABLE hits
    ADD COLUMN campaign_id uuid,
    ADD COLUMN rule_id     uuid,
    ADD COLUMN rule_name   text,
    ADD COLUMN qr_id       uuid;

-- Clicks of a campaign in a window.
CREATE INDEX hits_campaign ON hits (workspace_no, campaign_id, occurred_at) WHERE campaign_id IS NOT NULL;

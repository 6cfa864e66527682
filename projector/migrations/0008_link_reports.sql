-- What reports about campaigns need. Those of links and workspaces have their indexes already: clicks by `hits_link`,
-- `hits_campaign` and `hits_browse`, conversions by `conversions_link` and `conversions_workspace`.

-- Conversions of a campaign in a window.
CREATE INDEX conversions_campaign ON conversions (workspace_no, campaign_id, occurred_at) WHERE campaign_id IS NOT NULL;

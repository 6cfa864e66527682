-- Clicks on short links, which belong to no page and no visit, and the dimensions of every click.

-- A click on a short link has no page, no visit and no view.
ALTER TABLE hits ALTER COLUMN page_id DROP NOT NULL;
ALTER TABLE hits ALTER COLUMN session_id DROP NOT NULL;
ALTER TABLE hits ALTER COLUMN pageview_id DROP NOT NULL;

-- A click on a bio page's link has the dimensions of its visit as copies. Other views have none of these columns.
ALTER TABLE hits
    ADD COLUMN redirect_micros int4,
    -- Another counted click of the same link and visitor is earlier in the log and less than an hour away.
    ADD COLUMN is_duplicate    bool NOT NULL DEFAULT false,
    ADD COLUMN click_id        uuid,
    ADD COLUMN visitor_hash    bytea,
    ADD COLUMN trigger         text,
    ADD COLUMN bot_reason      text,
    ADD COLUMN short_code      text,
    ADD COLUMN host            text,
    ADD COLUMN destination     text,
    ADD COLUMN referrer_domain text,
    ADD COLUMN source_class    text,
    ADD COLUMN utm_source      text,
    ADD COLUMN utm_medium      text,
    ADD COLUMN utm_campaign    text,
    ADD COLUMN utm_term        text,
    ADD COLUMN utm_content     text,
    ADD COLUMN country         text,
    ADD COLUMN country_code    text,
    ADD COLUMN region          text,
    ADD COLUMN city            text,
    ADD COLUMN continent       text,
    ADD COLUMN device          text,
    ADD COLUMN browser         text,
    ADD COLUMN browser_version text,
    ADD COLUMN os              text,
    ADD COLUMN os_version      text,
    ADD COLUMN brand           text,
    ADD COLUMN model           text,
    ADD COLUMN language        text;

-- The clicks that are in the table already.
UPDATE hits
SET trigger = 'bio',
    visitor_hash = visits.visitor_hash,
    referrer_domain = visits.referrer_domain,
    source_class = visits.source_class,
    utm_source = visits.utm_source,
    utm_medium = visits.utm_medium,
    utm_campaign = visits.utm_campaign,
    utm_term = visits.utm_term,
    utm_content = visits.utm_content,
    country = visits.country,
    country_code = visits.country_code,
    region = visits.region,
    city = visits.city,
    continent = visits.continent,
    device = visits.device,
    browser = visits.browser,
    browser_version = visits.browser_version,
    os = visits.os,
    os_version = visits.os_version,
    brand = visits.brand,
    model = visits.model,
    language = visits.language
FROM sessions AS visits
WHERE hits.link_id IS NOT NULL
  AND visits.workspace_no = hits.workspace_no
  AND visits.session_id = hits.session_id;

-- Clicks of a link in a window.
CREATE INDEX hits_link ON hits (workspace_no, link_id, occurred_at) WHERE link_id IS NOT NULL;
-- The counted clicks of a visitor on a link, for the verdict on the next one.
CREATE INDEX hits_counted ON hits (workspace_no, link_id, visitor_hash, occurred_at)
    WHERE click_id IS NOT NULL AND bot_reason IS NULL AND NOT is_duplicate;

-- What every report asks, written by UPDATE_SNAPSHOTS=1 cargo test --workspace --lib statements

-- creators.analytics.overview
SELECT *
FROM (
SELECT count(*)::float8 AS views, (count(*) FILTER (WHERE link_id IS NOT NULL))::float8 AS clicks
FROM hits
WHERE workspace_no = $1
  AND page_id = $2
  AND occurred_at >= $3
) AS page_views
CROSS JOIN (
SELECT count(DISTINCT visitor_hash)::float8 AS unique_visitors
FROM sessions
WHERE workspace_no = $4
  AND page_id = $5
  AND started_at >= $6
) AS visits;

-- creators.analytics.overview filtered
SELECT *
FROM (
SELECT count(*)::float8 AS views, (count(*) FILTER (WHERE link_id IS NOT NULL))::float8 AS clicks
FROM hits
WHERE workspace_no = $1
  AND page_id = $2
  AND occurred_at >= $3
  AND occurred_at < $4
  AND session_id IN (
    SELECT session_id
    FROM sessions
    WHERE workspace_no = $5
  AND page_id = $6
  AND (coalesce(referrer_domain, $7) = ANY ($8))
  AND NOT (coalesce(referrer_domain, $9) = ANY ($10))
  AND (coalesce(source_class, $11) = ANY ($12))
  AND NOT (coalesce(source_class, $13) = ANY ($14))
  AND (coalesce(country, $15) = ANY ($16) OR coalesce(country_code, $17) = ANY ($18))
  AND NOT (coalesce(country, $19) = ANY ($20) OR coalesce(country_code, $21) = ANY ($22))
  AND (coalesce(region, $23) = ANY ($24))
  AND NOT (coalesce(region, $25) = ANY ($26))
  AND (coalesce(city, $27) = ANY ($28))
  AND NOT (coalesce(city, $29) = ANY ($30))
  AND (coalesce(device, $31) = ANY ($32))
  AND NOT (coalesce(device, $33) = ANY ($34))
  AND (coalesce(browser, $35) = ANY ($36))
  AND NOT (coalesce(browser, $37) = ANY ($38))
  AND (coalesce(os, $39) = ANY ($40))
  AND NOT (coalesce(os, $41) = ANY ($42))
  AND (coalesce(language, $43) = ANY ($44))
  AND NOT (coalesce(language, $45) = ANY ($46))
  AND (coalesce(utm_source, $47) = ANY ($48))
  AND NOT (coalesce(utm_source, $49) = ANY ($50))
  AND (coalesce(utm_medium, $51) = ANY ($52))
  AND NOT (coalesce(utm_medium, $53) = ANY ($54))
  AND (coalesce(utm_campaign, $55) = ANY ($56))
  AND NOT (coalesce(utm_campaign, $57) = ANY ($58))
  AND (coalesce(landing_path, $59) = ANY ($60))
  AND NOT (coalesce(landing_path, $61) = ANY ($62))
)
) AS page_views
CROSS JOIN (
SELECT count(DISTINCT visitor_hash)::float8 AS unique_visitors
FROM sessions
WHERE workspace_no = $63
  AND page_id = $64
  AND started_at >= $65
  AND started_at < $66
  AND (coalesce(referrer_domain, $67) = ANY ($68))
  AND NOT (coalesce(referrer_domain, $69) = ANY ($70))
  AND (coalesce(source_class, $71) = ANY ($72))
  AND NOT (coalesce(source_class, $73) = ANY ($74))
  AND (coalesce(country, $75) = ANY ($76) OR coalesce(country_code, $77) = ANY ($78))
  AND NOT (coalesce(country, $79) = ANY ($80) OR coalesce(country_code, $81) = ANY ($82))
  AND (coalesce(region, $83) = ANY ($84))
  AND NOT (coalesce(region, $85) = ANY ($86))
  AND (coalesce(city, $87) = ANY ($88))
  AND NOT (coalesce(city, $89) = ANY ($90))
  AND (coalesce(device, $91) = ANY ($92))
  AND NOT (coalesce(device, $93) = ANY ($94))
  AND (coalesce(browser, $95) = ANY ($96))
  AND NOT (coalesce(browser, $97) = ANY ($98))
  AND (coalesce(os, $99) = ANY ($100))
  AND NOT (coalesce(os, $101) = ANY ($102))
  AND (coalesce(language, $103) = ANY ($104))
  AND NOT (coalesce(language, $105) = ANY ($106))
  AND (coalesce(utm_source, $107) = ANY ($108))
  AND NOT (coalesce(utm_source, $109) = ANY ($110))
  AND (coalesce(utm_medium, $111) = ANY ($112))
  AND NOT (coalesce(utm_medium, $113) = ANY ($114))
  AND (coalesce(utm_campaign, $115) = ANY ($116))
  AND NOT (coalesce(utm_campaign, $117) = ANY ($118))
  AND (coalesce(landing_path, $119) = ANY ($120))
  AND NOT (coalesce(landing_path, $121) = ANY ($122))
) AS visits;

-- creators.analytics.traffic
SELECT 0 AS slot, coalesce(referrer_domain, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.geo
SELECT 0 AS slot, coalesce(country, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.devices
SELECT 0 AS slot, coalesce(device, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC;

-- creators.analytics.trend
SELECT width_bucket(occurred_at, $1::timestamptz[]) AS slot, '' COLLATE "C" AS label, count(*)::float8 AS views, (count(*) FILTER (WHERE link_id IS NOT NULL))::float8 AS clicks
FROM hits
WHERE workspace_no = $2
  AND page_id = $3
  AND occurred_at >= $4
GROUP BY 1, 2
ORDER BY slot ASC, label ASC;

-- creators.analytics.sessions
SELECT *
FROM (
SELECT count(*)::float8 AS sessions, (count(*) FILTER (WHERE duration_seconds > 0))::float8 AS timed_visits, (count(*) FILTER (WHERE bounced))::float8 AS bounces, coalesce(sum(duration_seconds::numeric) FILTER (WHERE duration_seconds > 0), 0)::float8 AS seconds, coalesce(sum(page_views), 0)::float8 AS views_of_visits
FROM sessions
WHERE workspace_no = $1
  AND page_id = $2
  AND started_at >= $3
) AS visits;

-- creators.analytics.links
SELECT totals.*, ranked.*
FROM (
SELECT *
FROM (
SELECT count(*)::float8 AS views
FROM hits
WHERE workspace_no = $1
  AND page_id = $2
  AND occurred_at >= $3
) AS page_views
) AS totals
LEFT JOIN (
SELECT 0 AS slot, (CASE WHEN link_id IN (SELECT unnest($4::uuid[])) THEN link_id ELSE $5 END)::text COLLATE "C" AS label, count(*)::float8 AS clicks
FROM hits
WHERE workspace_no = $6
  AND link_id IS NOT NULL
  AND page_id = $7
  AND occurred_at >= $8
GROUP BY 1, 2
ORDER BY clicks DESC, label ASC
) AS ranked ON true
ORDER BY ranked.clicks DESC, ranked.label ASC;

-- creators.analytics.export?overview
SELECT *
FROM (
SELECT count(*)::float8 AS views, (count(*) FILTER (WHERE link_id IS NOT NULL))::float8 AS clicks
FROM hits
WHERE workspace_no = $1
  AND page_id = $2
  AND occurred_at >= $3
) AS page_views
CROSS JOIN (
SELECT count(DISTINCT visitor_hash)::float8 AS unique_visitors
FROM sessions
WHERE workspace_no = $4
  AND page_id = $5
  AND started_at >= $6
) AS visits;

-- creators.analytics.export?overview filtered
SELECT *
FROM (
SELECT count(*)::float8 AS views, (count(*) FILTER (WHERE link_id IS NOT NULL))::float8 AS clicks
FROM hits
WHERE workspace_no = $1
  AND page_id = $2
  AND occurred_at >= $3
  AND session_id IN (
    SELECT session_id
    FROM sessions
    WHERE workspace_no = $4
  AND page_id = $5
  AND (coalesce(referrer_domain, $6) = ANY ($7))
  AND NOT (coalesce(referrer_domain, $8) = ANY ($9))
  AND (coalesce(source_class, $10) = ANY ($11))
  AND NOT (coalesce(source_class, $12) = ANY ($13))
  AND (coalesce(country, $14) = ANY ($15) OR coalesce(country_code, $16) = ANY ($17))
  AND NOT (coalesce(country, $18) = ANY ($19) OR coalesce(country_code, $20) = ANY ($21))
  AND (coalesce(region, $22) = ANY ($23))
  AND NOT (coalesce(region, $24) = ANY ($25))
  AND (coalesce(city, $26) = ANY ($27))
  AND NOT (coalesce(city, $28) = ANY ($29))
  AND (coalesce(device, $30) = ANY ($31))
  AND NOT (coalesce(device, $32) = ANY ($33))
  AND (coalesce(browser, $34) = ANY ($35))
  AND NOT (coalesce(browser, $36) = ANY ($37))
  AND (coalesce(os, $38) = ANY ($39))
  AND NOT (coalesce(os, $40) = ANY ($41))
  AND (coalesce(language, $42) = ANY ($43))
  AND NOT (coalesce(language, $44) = ANY ($45))
  AND (coalesce(utm_source, $46) = ANY ($47))
  AND NOT (coalesce(utm_source, $48) = ANY ($49))
  AND (coalesce(utm_medium, $50) = ANY ($51))
  AND NOT (coalesce(utm_medium, $52) = ANY ($53))
  AND (coalesce(utm_campaign, $54) = ANY ($55))
  AND NOT (coalesce(utm_campaign, $56) = ANY ($57))
  AND (coalesce(landing_path, $58) = ANY ($59))
  AND NOT (coalesce(landing_path, $60) = ANY ($61))
)
) AS page_views
CROSS JOIN (
SELECT count(DISTINCT visitor_hash)::float8 AS unique_visitors
FROM sessions
WHERE workspace_no = $62
  AND page_id = $63
  AND started_at >= $64
  AND (coalesce(referrer_domain, $65) = ANY ($66))
  AND NOT (coalesce(referrer_domain, $67) = ANY ($68))
  AND (coalesce(source_class, $69) = ANY ($70))
  AND NOT (coalesce(source_class, $71) = ANY ($72))
  AND (coalesce(country, $73) = ANY ($74) OR coalesce(country_code, $75) = ANY ($76))
  AND NOT (coalesce(country, $77) = ANY ($78) OR coalesce(country_code, $79) = ANY ($80))
  AND (coalesce(region, $81) = ANY ($82))
  AND NOT (coalesce(region, $83) = ANY ($84))
  AND (coalesce(city, $85) = ANY ($86))
  AND NOT (coalesce(city, $87) = ANY ($88))
  AND (coalesce(device, $89) = ANY ($90))
  AND NOT (coalesce(device, $91) = ANY ($92))
  AND (coalesce(browser, $93) = ANY ($94))
  AND NOT (coalesce(browser, $95) = ANY ($96))
  AND (coalesce(os, $97) = ANY ($98))
  AND NOT (coalesce(os, $99) = ANY ($100))
  AND (coalesce(language, $101) = ANY ($102))
  AND NOT (coalesce(language, $103) = ANY ($104))
  AND (coalesce(utm_source, $105) = ANY ($106))
  AND NOT (coalesce(utm_source, $107) = ANY ($108))
  AND (coalesce(utm_medium, $109) = ANY ($110))
  AND NOT (coalesce(utm_medium, $111) = ANY ($112))
  AND (coalesce(utm_campaign, $113) = ANY ($114))
  AND NOT (coalesce(utm_campaign, $115) = ANY ($116))
  AND (coalesce(landing_path, $117) = ANY ($118))
  AND NOT (coalesce(landing_path, $119) = ANY ($120))
) AS visits;

-- creators.analytics.export?traffic
SELECT 0 AS slot, coalesce(referrer_domain, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.export?links
SELECT totals.*, ranked.*
FROM (
SELECT *
FROM (
SELECT count(*)::float8 AS views
FROM hits
WHERE workspace_no = $1
  AND page_id = $2
  AND occurred_at >= $3
) AS page_views
) AS totals
LEFT JOIN (
SELECT 0 AS slot, (CASE WHEN link_id IN (SELECT unnest($4::uuid[])) THEN link_id ELSE $5 END)::text COLLATE "C" AS label, count(*)::float8 AS clicks
FROM hits
WHERE workspace_no = $6
  AND link_id IS NOT NULL
  AND page_id = $7
  AND occurred_at >= $8
GROUP BY 1, 2
ORDER BY clicks DESC, label ASC
) AS ranked ON true
ORDER BY ranked.clicks DESC, ranked.label ASC;

-- creators.analytics.breakdown?referrer
SELECT 0 AS slot, coalesce(referrer_domain, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?source_class
SELECT 0 AS slot, coalesce(source_class, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?country
SELECT 0 AS slot, coalesce(country, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?region
SELECT 0 AS slot, coalesce(region, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?city
SELECT 0 AS slot, coalesce(city, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?device
SELECT 0 AS slot, coalesce(device, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?browser
SELECT 0 AS slot, coalesce(browser, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?os
SELECT 0 AS slot, coalesce(os, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?language
SELECT 0 AS slot, coalesce(language, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?utm_source
SELECT 0 AS slot, coalesce(utm_source, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?utm_medium
SELECT 0 AS slot, coalesce(utm_medium, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?utm_campaign
SELECT 0 AS slot, coalesce(utm_campaign, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?entry_page
SELECT 0 AS slot, coalesce(landing_path, $1) COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5;

-- creators.analytics.breakdown?hour_of_week
SELECT width_bucket(started_at, $1::timestamptz[]) AS slot, '' COLLATE "C" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY slot ASC, label ASC;

-- creators.analytics.refusals
SELECT width_bucket(occurred_at, $1::timestamptz[]) AS slot, coalesce(refusal_reason, $2) COLLATE "C" AS label, coalesce(sum(refusal_count), 0)::float8 AS refused_beacons
FROM refusals
WHERE workspace_no = $3
  AND page_id = $4
  AND occurred_at >= $5
GROUP BY 1, 2
ORDER BY slot ASC, label ASC;

-- analytics.workspace.overview 0
SELECT *
FROM (
SELECT (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS counted_clicks, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND redirect_micros IS NOT NULL))::float8 AS redirects, (count(DISTINCT visitor_hash) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS unique_clickers, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND trigger = 'qr'))::float8 AS qr_scans, coalesce(sum(redirect_micros) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate), 0)::float8 AS redirect_micros_sum, (count(*) FILTER (WHERE bot_reason IS NOT NULL))::float8 AS bot_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND occurred_at >= $2
) AS recorded_clicks
CROSS JOIN (
SELECT (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue, (count(*) FILTER (WHERE is_unconverted))::float8 AS unconverted
FROM conversions
WHERE workspace_no = $3
  AND is_counted
  AND occurred_at >= $4
) AS conversions;

-- analytics.workspace.overview 1
SELECT totals.*, ranked.*
FROM (
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $2
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT 0 AS slot, link_id::text COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $3
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $4
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $5
) AS ranked ON true
ORDER BY ranked.counted_clicks DESC, ranked.label ASC;

-- analytics.workspace.overview 2
SELECT totals.*, ranked.*
FROM (
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $2
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT slot, label, coalesce(counted_clicks, 0) AS counted_clicks, coalesce(conversion_count, 0) AS conversion_count, coalesce(revenue, 0) AS revenue
FROM (
SELECT 0 AS slot, campaign_id::text COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $3
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $4
  AND campaign_id IS NOT NULL
GROUP BY 1, 2
) AS clicks_of_links
FULL JOIN (
SELECT 0 AS slot, campaign_id::text COLLATE "C" AS label, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue
FROM conversions
WHERE workspace_no = $5
  AND is_counted
  AND occurred_at >= $6
  AND campaign_id IS NOT NULL
GROUP BY 1, 2
) AS conversions USING (slot, label)
ORDER BY counted_clicks DESC, label ASC
LIMIT $7
) AS ranked ON true
ORDER BY ranked.counted_clicks DESC, ranked.label ASC;

-- analytics.workspace.overview 3
SELECT totals.*, ranked.*
FROM (
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $2
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT 0 AS slot, coalesce(country_code, $3) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $4
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $5
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $6
) AS ranked ON true
ORDER BY ranked.counted_clicks DESC, ranked.label ASC;

-- analytics.workspace.overview 4
SELECT totals.*, ranked.*
FROM (
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $2
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT 0 AS slot, coalesce(referrer_domain, $3) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $4
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $5
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $6
) AS ranked ON true
ORDER BY ranked.counted_clicks DESC, ranked.label ASC;

-- analytics.workspace.overview filtered 0
SELECT *
FROM (
SELECT (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS counted_clicks, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND redirect_micros IS NOT NULL))::float8 AS redirects, (count(DISTINCT visitor_hash) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS unique_clickers, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND trigger = 'qr'))::float8 AS qr_scans, coalesce(sum(redirect_micros) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate), 0)::float8 AS redirect_micros_sum, (count(*) FILTER (WHERE bot_reason IS NOT NULL))::float8 AS bot_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND occurred_at >= $2
  AND occurred_at < $3
  AND (coalesce(referrer_domain, $4) = ANY ($5))
  AND NOT (coalesce(referrer_domain, $6) = ANY ($7))
  AND (coalesce(source_class, $8) = ANY ($9))
  AND NOT (coalesce(source_class, $10) = ANY ($11))
  AND (coalesce(country, $12) = ANY ($13) OR coalesce(country_code, $14) = ANY ($15))
  AND NOT (coalesce(country, $16) = ANY ($17) OR coalesce(country_code, $18) = ANY ($19))
  AND (coalesce(region, $20) = ANY ($21))
  AND NOT (coalesce(region, $22) = ANY ($23))
  AND (coalesce(city, $24) = ANY ($25))
  AND NOT (coalesce(city, $26) = ANY ($27))
  AND (coalesce(device, $28) = ANY ($29))
  AND NOT (coalesce(device, $30) = ANY ($31))
  AND (coalesce(browser, $32) = ANY ($33))
  AND NOT (coalesce(browser, $34) = ANY ($35))
  AND (coalesce(os, $36) = ANY ($37))
  AND NOT (coalesce(os, $38) = ANY ($39))
  AND (coalesce(language, $40) = ANY ($41))
  AND NOT (coalesce(language, $42) = ANY ($43))
  AND (coalesce(utm_source, $44) = ANY ($45))
  AND NOT (coalesce(utm_source, $46) = ANY ($47))
  AND (coalesce(utm_medium, $48) = ANY ($49))
  AND NOT (coalesce(utm_medium, $50) = ANY ($51))
  AND (coalesce(utm_campaign, $52) = ANY ($53))
  AND NOT (coalesce(utm_campaign, $54) = ANY ($55))
  AND (coalesce(utm_term, $56) = ANY ($57))
  AND NOT (coalesce(utm_term, $58) = ANY ($59))
  AND (coalesce(utm_content, $60) = ANY ($61))
  AND NOT (coalesce(utm_content, $62) = ANY ($63))
  AND (coalesce(continent, $64) = ANY ($65))
  AND NOT (coalesce(continent, $66) = ANY ($67))
  AND (coalesce(trigger, $68) = ANY ($69))
  AND NOT (coalesce(trigger, $70) = ANY ($71))
) AS recorded_clicks
CROSS JOIN (
SELECT (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue, (count(*) FILTER (WHERE is_unconverted))::float8 AS unconverted
FROM conversions
WHERE workspace_no = $72
  AND is_counted
  AND occurred_at >= $73
  AND occurred_at < $74
  AND (coalesce(referrer_domain, $75) = ANY ($76))
  AND NOT (coalesce(referrer_domain, $77) = ANY ($78))
  AND (coalesce(source_class, $79) = ANY ($80))
  AND NOT (coalesce(source_class, $81) = ANY ($82))
  AND (coalesce(country, $83) = ANY ($84) OR coalesce(country_code, $85) = ANY ($86))
  AND NOT (coalesce(country, $87) = ANY ($88) OR coalesce(country_code, $89) = ANY ($90))
  AND (coalesce(region, $91) = ANY ($92))
  AND NOT (coalesce(region, $93) = ANY ($94))
  AND (coalesce(city, $95) = ANY ($96))
  AND NOT (coalesce(city, $97) = ANY ($98))
  AND (coalesce(device, $99) = ANY ($100))
  AND NOT (coalesce(device, $101) = ANY ($102))
  AND (coalesce(browser, $103) = ANY ($104))
  AND NOT (coalesce(browser, $105) = ANY ($106))
  AND (coalesce(os, $107) = ANY ($108))
  AND NOT (coalesce(os, $109) = ANY ($110))
  AND (coalesce(language, $111) = ANY ($112))
  AND NOT (coalesce(language, $113) = ANY ($114))
  AND (coalesce(utm_source, $115) = ANY ($116))
  AND NOT (coalesce(utm_source, $117) = ANY ($118))
  AND (coalesce(utm_medium, $119) = ANY ($120))
  AND NOT (coalesce(utm_medium, $121) = ANY ($122))
  AND (coalesce(utm_campaign, $123) = ANY ($124))
  AND NOT (coalesce(utm_campaign, $125) = ANY ($126))
  AND (coalesce(utm_term, $127) = ANY ($128))
  AND NOT (coalesce(utm_term, $129) = ANY ($130))
  AND (coalesce(utm_content, $131) = ANY ($132))
  AND NOT (coalesce(utm_content, $133) = ANY ($134))
  AND (coalesce(continent, $135) = ANY ($136))
  AND NOT (coalesce(continent, $137) = ANY ($138))
  AND (coalesce(trigger, $139) = ANY ($140))
  AND NOT (coalesce(trigger, $141) = ANY ($142))
) AS conversions;

-- analytics.workspace.overview filtered 1
SELECT totals.*, ranked.*
FROM (
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $2
  AND occurred_at < $3
  AND (coalesce(referrer_domain, $4) = ANY ($5))
  AND NOT (coalesce(referrer_domain, $6) = ANY ($7))
  AND (coalesce(source_class, $8) = ANY ($9))
  AND NOT (coalesce(source_class, $10) = ANY ($11))
  AND (coalesce(country, $12) = ANY ($13) OR coalesce(country_code, $14) = ANY ($15))
  AND NOT (coalesce(country, $16) = ANY ($17) OR coalesce(country_code, $18) = ANY ($19))
  AND (coalesce(region, $20) = ANY ($21))
  AND NOT (coalesce(region, $22) = ANY ($23))
  AND (coalesce(city, $24) = ANY ($25))
  AND NOT (coalesce(city, $26) = ANY ($27))
  AND (coalesce(device, $28) = ANY ($29))
  AND NOT (coalesce(device, $30) = ANY ($31))
  AND (coalesce(browser, $32) = ANY ($33))
  AND NOT (coalesce(browser, $34) = ANY ($35))
  AND (coalesce(os, $36) = ANY ($37))
  AND NOT (coalesce(os, $38) = ANY ($39))
  AND (coalesce(language, $40) = ANY ($41))
  AND NOT (coalesce(language, $42) = ANY ($43))
  AND (coalesce(utm_source, $44) = ANY ($45))
  AND NOT (coalesce(utm_source, $46) = ANY ($47))
  AND (coalesce(utm_medium, $48) = ANY ($49))
  AND NOT (coalesce(utm_medium, $50) = ANY ($51))
  AND (coalesce(utm_campaign, $52) = ANY ($53))
  AND NOT (coalesce(utm_campaign, $54) = ANY ($55))
  AND (coalesce(utm_term, $56) = ANY ($57))
  AND NOT (coalesce(utm_term, $58) = ANY ($59))
  AND (coalesce(utm_content, $60) = ANY ($61))
  AND NOT (coalesce(utm_content, $62) = ANY ($63))
  AND (coalesce(continent, $64) = ANY ($65))
  AND NOT (coalesce(continent, $66) = ANY ($67))
  AND (coalesce(trigger, $68) = ANY ($69))
  AND NOT (coalesce(trigger, $70) = ANY ($71))
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT 0 AS slot, link_id::text COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $72
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $73
  AND occurred_at < $74
  AND (coalesce(referrer_domain, $75) = ANY ($76))
  AND NOT (coalesce(referrer_domain, $77) = ANY ($78))
  AND (coalesce(source_class, $79) = ANY ($80))
  AND NOT (coalesce(source_class, $81) = ANY ($82))
  AND (coalesce(country, $83) = ANY ($84) OR coalesce(country_code, $85) = ANY ($86))
  AND NOT (coalesce(country, $87) = ANY ($88) OR coalesce(country_code, $89) = ANY ($90))
  AND (coalesce(region, $91) = ANY ($92))
  AND NOT (coalesce(region, $93) = ANY ($94))
  AND (coalesce(city, $95) = ANY ($96))
  AND NOT (coalesce(city, $97) = ANY ($98))
  AND (coalesce(device, $99) = ANY ($100))
  AND NOT (coalesce(device, $101) = ANY ($102))
  AND (coalesce(browser, $103) = ANY ($104))
  AND NOT (coalesce(browser, $105) = ANY ($106))
  AND (coalesce(os, $107) = ANY ($108))
  AND NOT (coalesce(os, $109) = ANY ($110))
  AND (coalesce(language, $111) = ANY ($112))
  AND NOT (coalesce(language, $113) = ANY ($114))
  AND (coalesce(utm_source, $115) = ANY ($116))
  AND NOT (coalesce(utm_source, $117) = ANY ($118))
  AND (coalesce(utm_medium, $119) = ANY ($120))
  AND NOT (coalesce(utm_medium, $121) = ANY ($122))
  AND (coalesce(utm_campaign, $123) = ANY ($124))
  AND NOT (coalesce(utm_campaign, $125) = ANY ($126))
  AND (coalesce(utm_term, $127) = ANY ($128))
  AND NOT (coalesce(utm_term, $129) = ANY ($130))
  AND (coalesce(utm_content, $131) = ANY ($132))
  AND NOT (coalesce(utm_content, $133) = ANY ($134))
  AND (coalesce(continent, $135) = ANY ($136))
  AND NOT (coalesce(continent, $137) = ANY ($138))
  AND (coalesce(trigger, $139) = ANY ($140))
  AND NOT (coalesce(trigger, $141) = ANY ($142))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $143
) AS ranked ON true
ORDER BY ranked.counted_clicks DESC, ranked.label ASC;

-- analytics.workspace.overview filtered 2
SELECT totals.*, ranked.*
FROM (
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $2
  AND occurred_at < $3
  AND (coalesce(referrer_domain, $4) = ANY ($5))
  AND NOT (coalesce(referrer_domain, $6) = ANY ($7))
  AND (coalesce(source_class, $8) = ANY ($9))
  AND NOT (coalesce(source_class, $10) = ANY ($11))
  AND (coalesce(country, $12) = ANY ($13) OR coalesce(country_code, $14) = ANY ($15))
  AND NOT (coalesce(country, $16) = ANY ($17) OR coalesce(country_code, $18) = ANY ($19))
  AND (coalesce(region, $20) = ANY ($21))
  AND NOT (coalesce(region, $22) = ANY ($23))
  AND (coalesce(city, $24) = ANY ($25))
  AND NOT (coalesce(city, $26) = ANY ($27))
  AND (coalesce(device, $28) = ANY ($29))
  AND NOT (coalesce(device, $30) = ANY ($31))
  AND (coalesce(browser, $32) = ANY ($33))
  AND NOT (coalesce(browser, $34) = ANY ($35))
  AND (coalesce(os, $36) = ANY ($37))
  AND NOT (coalesce(os, $38) = ANY ($39))
  AND (coalesce(language, $40) = ANY ($41))
  AND NOT (coalesce(language, $42) = ANY ($43))
  AND (coalesce(utm_source, $44) = ANY ($45))
  AND NOT (coalesce(utm_source, $46) = ANY ($47))
  AND (coalesce(utm_medium, $48) = ANY ($49))
  AND NOT (coalesce(utm_medium, $50) = ANY ($51))
  AND (coalesce(utm_campaign, $52) = ANY ($53))
  AND NOT (coalesce(utm_campaign, $54) = ANY ($55))
  AND (coalesce(utm_term, $56) = ANY ($57))
  AND NOT (coalesce(utm_term, $58) = ANY ($59))
  AND (coalesce(utm_content, $60) = ANY ($61))
  AND NOT (coalesce(utm_content, $62) = ANY ($63))
  AND (coalesce(continent, $64) = ANY ($65))
  AND NOT (coalesce(continent, $66) = ANY ($67))
  AND (coalesce(trigger, $68) = ANY ($69))
  AND NOT (coalesce(trigger, $70) = ANY ($71))
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT slot, label, coalesce(counted_clicks, 0) AS counted_clicks, coalesce(conversion_count, 0) AS conversion_count, coalesce(revenue, 0) AS revenue
FROM (
SELECT 0 AS slot, campaign_id::text COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $72
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $73
  AND occurred_at < $74
  AND (coalesce(referrer_domain, $75) = ANY ($76))
  AND NOT (coalesce(referrer_domain, $77) = ANY ($78))
  AND (coalesce(source_class, $79) = ANY ($80))
  AND NOT (coalesce(source_class, $81) = ANY ($82))
  AND (coalesce(country, $83) = ANY ($84) OR coalesce(country_code, $85) = ANY ($86))
  AND NOT (coalesce(country, $87) = ANY ($88) OR coalesce(country_code, $89) = ANY ($90))
  AND (coalesce(region, $91) = ANY ($92))
  AND NOT (coalesce(region, $93) = ANY ($94))
  AND (coalesce(city, $95) = ANY ($96))
  AND NOT (coalesce(city, $97) = ANY ($98))
  AND (coalesce(device, $99) = ANY ($100))
  AND NOT (coalesce(device, $101) = ANY ($102))
  AND (coalesce(browser, $103) = ANY ($104))
  AND NOT (coalesce(browser, $105) = ANY ($106))
  AND (coalesce(os, $107) = ANY ($108))
  AND NOT (coalesce(os, $109) = ANY ($110))
  AND (coalesce(language, $111) = ANY ($112))
  AND NOT (coalesce(language, $113) = ANY ($114))
  AND (coalesce(utm_source, $115) = ANY ($116))
  AND NOT (coalesce(utm_source, $117) = ANY ($118))
  AND (coalesce(utm_medium, $119) = ANY ($120))
  AND NOT (coalesce(utm_medium, $121) = ANY ($122))
  AND (coalesce(utm_campaign, $123) = ANY ($124))
  AND NOT (coalesce(utm_campaign, $125) = ANY ($126))
  AND (coalesce(utm_term, $127) = ANY ($128))
  AND NOT (coalesce(utm_term, $129) = ANY ($130))
  AND (coalesce(utm_content, $131) = ANY ($132))
  AND NOT (coalesce(utm_content, $133) = ANY ($134))
  AND (coalesce(continent, $135) = ANY ($136))
  AND NOT (coalesce(continent, $137) = ANY ($138))
  AND (coalesce(trigger, $139) = ANY ($140))
  AND NOT (coalesce(trigger, $141) = ANY ($142))
  AND campaign_id IS NOT NULL
GROUP BY 1, 2
) AS clicks_of_links
FULL JOIN (
SELECT 0 AS slot, campaign_id::text COLLATE "C" AS label, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue
FROM conversions
WHERE workspace_no = $143
  AND is_counted
  AND occurred_at >= $144
  AND occurred_at < $145
  AND (coalesce(referrer_domain, $146) = ANY ($147))
  AND NOT (coalesce(referrer_domain, $148) = ANY ($149))
  AND (coalesce(source_class, $150) = ANY ($151))
  AND NOT (coalesce(source_class, $152) = ANY ($153))
  AND (coalesce(country, $154) = ANY ($155) OR coalesce(country_code, $156) = ANY ($157))
  AND NOT (coalesce(country, $158) = ANY ($159) OR coalesce(country_code, $160) = ANY ($161))
  AND (coalesce(region, $162) = ANY ($163))
  AND NOT (coalesce(region, $164) = ANY ($165))
  AND (coalesce(city, $166) = ANY ($167))
  AND NOT (coalesce(city, $168) = ANY ($169))
  AND (coalesce(device, $170) = ANY ($171))
  AND NOT (coalesce(device, $172) = ANY ($173))
  AND (coalesce(browser, $174) = ANY ($175))
  AND NOT (coalesce(browser, $176) = ANY ($177))
  AND (coalesce(os, $178) = ANY ($179))
  AND NOT (coalesce(os, $180) = ANY ($181))
  AND (coalesce(language, $182) = ANY ($183))
  AND NOT (coalesce(language, $184) = ANY ($185))
  AND (coalesce(utm_source, $186) = ANY ($187))
  AND NOT (coalesce(utm_source, $188) = ANY ($189))
  AND (coalesce(utm_medium, $190) = ANY ($191))
  AND NOT (coalesce(utm_medium, $192) = ANY ($193))
  AND (coalesce(utm_campaign, $194) = ANY ($195))
  AND NOT (coalesce(utm_campaign, $196) = ANY ($197))
  AND (coalesce(utm_term, $198) = ANY ($199))
  AND NOT (coalesce(utm_term, $200) = ANY ($201))
  AND (coalesce(utm_content, $202) = ANY ($203))
  AND NOT (coalesce(utm_content, $204) = ANY ($205))
  AND (coalesce(continent, $206) = ANY ($207))
  AND NOT (coalesce(continent, $208) = ANY ($209))
  AND (coalesce(trigger, $210) = ANY ($211))
  AND NOT (coalesce(trigger, $212) = ANY ($213))
  AND campaign_id IS NOT NULL
GROUP BY 1, 2
) AS conversions USING (slot, label)
ORDER BY counted_clicks DESC, label ASC
LIMIT $214
) AS ranked ON true
ORDER BY ranked.counted_clicks DESC, ranked.label ASC;

-- analytics.workspace.overview filtered 3
SELECT totals.*, ranked.*
FROM (
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $2
  AND occurred_at < $3
  AND (coalesce(referrer_domain, $4) = ANY ($5))
  AND NOT (coalesce(referrer_domain, $6) = ANY ($7))
  AND (coalesce(source_class, $8) = ANY ($9))
  AND NOT (coalesce(source_class, $10) = ANY ($11))
  AND (coalesce(country, $12) = ANY ($13) OR coalesce(country_code, $14) = ANY ($15))
  AND NOT (coalesce(country, $16) = ANY ($17) OR coalesce(country_code, $18) = ANY ($19))
  AND (coalesce(region, $20) = ANY ($21))
  AND NOT (coalesce(region, $22) = ANY ($23))
  AND (coalesce(city, $24) = ANY ($25))
  AND NOT (coalesce(city, $26) = ANY ($27))
  AND (coalesce(device, $28) = ANY ($29))
  AND NOT (coalesce(device, $30) = ANY ($31))
  AND (coalesce(browser, $32) = ANY ($33))
  AND NOT (coalesce(browser, $34) = ANY ($35))
  AND (coalesce(os, $36) = ANY ($37))
  AND NOT (coalesce(os, $38) = ANY ($39))
  AND (coalesce(language, $40) = ANY ($41))
  AND NOT (coalesce(language, $42) = ANY ($43))
  AND (coalesce(utm_source, $44) = ANY ($45))
  AND NOT (coalesce(utm_source, $46) = ANY ($47))
  AND (coalesce(utm_medium, $48) = ANY ($49))
  AND NOT (coalesce(utm_medium, $50) = ANY ($51))
  AND (coalesce(utm_campaign, $52) = ANY ($53))
  AND NOT (coalesce(utm_campaign, $54) = ANY ($55))
  AND (coalesce(utm_term, $56) = ANY ($57))
  AND NOT (coalesce(utm_term, $58) = ANY ($59))
  AND (coalesce(utm_content, $60) = ANY ($61))
  AND NOT (coalesce(utm_content, $62) = ANY ($63))
  AND (coalesce(continent, $64) = ANY ($65))
  AND NOT (coalesce(continent, $66) = ANY ($67))
  AND (coalesce(trigger, $68) = ANY ($69))
  AND NOT (coalesce(trigger, $70) = ANY ($71))
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT 0 AS slot, coalesce(country_code, $72) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $73
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $74
  AND occurred_at < $75
  AND (coalesce(referrer_domain, $76) = ANY ($77))
  AND NOT (coalesce(referrer_domain, $78) = ANY ($79))
  AND (coalesce(source_class, $80) = ANY ($81))
  AND NOT (coalesce(source_class, $82) = ANY ($83))
  AND (coalesce(country, $84) = ANY ($85) OR coalesce(country_code, $86) = ANY ($87))
  AND NOT (coalesce(country, $88) = ANY ($89) OR coalesce(country_code, $90) = ANY ($91))
  AND (coalesce(region, $92) = ANY ($93))
  AND NOT (coalesce(region, $94) = ANY ($95))
  AND (coalesce(city, $96) = ANY ($97))
  AND NOT (coalesce(city, $98) = ANY ($99))
  AND (coalesce(device, $100) = ANY ($101))
  AND NOT (coalesce(device, $102) = ANY ($103))
  AND (coalesce(browser, $104) = ANY ($105))
  AND NOT (coalesce(browser, $106) = ANY ($107))
  AND (coalesce(os, $108) = ANY ($109))
  AND NOT (coalesce(os, $110) = ANY ($111))
  AND (coalesce(language, $112) = ANY ($113))
  AND NOT (coalesce(language, $114) = ANY ($115))
  AND (coalesce(utm_source, $116) = ANY ($117))
  AND NOT (coalesce(utm_source, $118) = ANY ($119))
  AND (coalesce(utm_medium, $120) = ANY ($121))
  AND NOT (coalesce(utm_medium, $122) = ANY ($123))
  AND (coalesce(utm_campaign, $124) = ANY ($125))
  AND NOT (coalesce(utm_campaign, $126) = ANY ($127))
  AND (coalesce(utm_term, $128) = ANY ($129))
  AND NOT (coalesce(utm_term, $130) = ANY ($131))
  AND (coalesce(utm_content, $132) = ANY ($133))
  AND NOT (coalesce(utm_content, $134) = ANY ($135))
  AND (coalesce(continent, $136) = ANY ($137))
  AND NOT (coalesce(continent, $138) = ANY ($139))
  AND (coalesce(trigger, $140) = ANY ($141))
  AND NOT (coalesce(trigger, $142) = ANY ($143))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $144
) AS ranked ON true
ORDER BY ranked.counted_clicks DESC, ranked.label ASC;

-- analytics.workspace.overview filtered 4
SELECT totals.*, ranked.*
FROM (
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $2
  AND occurred_at < $3
  AND (coalesce(referrer_domain, $4) = ANY ($5))
  AND NOT (coalesce(referrer_domain, $6) = ANY ($7))
  AND (coalesce(source_class, $8) = ANY ($9))
  AND NOT (coalesce(source_class, $10) = ANY ($11))
  AND (coalesce(country, $12) = ANY ($13) OR coalesce(country_code, $14) = ANY ($15))
  AND NOT (coalesce(country, $16) = ANY ($17) OR coalesce(country_code, $18) = ANY ($19))
  AND (coalesce(region, $20) = ANY ($21))
  AND NOT (coalesce(region, $22) = ANY ($23))
  AND (coalesce(city, $24) = ANY ($25))
  AND NOT (coalesce(city, $26) = ANY ($27))
  AND (coalesce(device, $28) = ANY ($29))
  AND NOT (coalesce(device, $30) = ANY ($31))
  AND (coalesce(browser, $32) = ANY ($33))
  AND NOT (coalesce(browser, $34) = ANY ($35))
  AND (coalesce(os, $36) = ANY ($37))
  AND NOT (coalesce(os, $38) = ANY ($39))
  AND (coalesce(language, $40) = ANY ($41))
  AND NOT (coalesce(language, $42) = ANY ($43))
  AND (coalesce(utm_source, $44) = ANY ($45))
  AND NOT (coalesce(utm_source, $46) = ANY ($47))
  AND (coalesce(utm_medium, $48) = ANY ($49))
  AND NOT (coalesce(utm_medium, $50) = ANY ($51))
  AND (coalesce(utm_campaign, $52) = ANY ($53))
  AND NOT (coalesce(utm_campaign, $54) = ANY ($55))
  AND (coalesce(utm_term, $56) = ANY ($57))
  AND NOT (coalesce(utm_term, $58) = ANY ($59))
  AND (coalesce(utm_content, $60) = ANY ($61))
  AND NOT (coalesce(utm_content, $62) = ANY ($63))
  AND (coalesce(continent, $64) = ANY ($65))
  AND NOT (coalesce(continent, $66) = ANY ($67))
  AND (coalesce(trigger, $68) = ANY ($69))
  AND NOT (coalesce(trigger, $70) = ANY ($71))
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT 0 AS slot, coalesce(referrer_domain, $72) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $73
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $74
  AND occurred_at < $75
  AND (coalesce(referrer_domain, $76) = ANY ($77))
  AND NOT (coalesce(referrer_domain, $78) = ANY ($79))
  AND (coalesce(source_class, $80) = ANY ($81))
  AND NOT (coalesce(source_class, $82) = ANY ($83))
  AND (coalesce(country, $84) = ANY ($85) OR coalesce(country_code, $86) = ANY ($87))
  AND NOT (coalesce(country, $88) = ANY ($89) OR coalesce(country_code, $90) = ANY ($91))
  AND (coalesce(region, $92) = ANY ($93))
  AND NOT (coalesce(region, $94) = ANY ($95))
  AND (coalesce(city, $96) = ANY ($97))
  AND NOT (coalesce(city, $98) = ANY ($99))
  AND (coalesce(device, $100) = ANY ($101))
  AND NOT (coalesce(device, $102) = ANY ($103))
  AND (coalesce(browser, $104) = ANY ($105))
  AND NOT (coalesce(browser, $106) = ANY ($107))
  AND (coalesce(os, $108) = ANY ($109))
  AND NOT (coalesce(os, $110) = ANY ($111))
  AND (coalesce(language, $112) = ANY ($113))
  AND NOT (coalesce(language, $114) = ANY ($115))
  AND (coalesce(utm_source, $116) = ANY ($117))
  AND NOT (coalesce(utm_source, $118) = ANY ($119))
  AND (coalesce(utm_medium, $120) = ANY ($121))
  AND NOT (coalesce(utm_medium, $122) = ANY ($123))
  AND (coalesce(utm_campaign, $124) = ANY ($125))
  AND NOT (coalesce(utm_campaign, $126) = ANY ($127))
  AND (coalesce(utm_term, $128) = ANY ($129))
  AND NOT (coalesce(utm_term, $130) = ANY ($131))
  AND (coalesce(utm_content, $132) = ANY ($133))
  AND NOT (coalesce(utm_content, $134) = ANY ($135))
  AND (coalesce(continent, $136) = ANY ($137))
  AND NOT (coalesce(continent, $138) = ANY ($139))
  AND (coalesce(trigger, $140) = ANY ($141))
  AND NOT (coalesce(trigger, $142) = ANY ($143))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $144
) AS ranked ON true
ORDER BY ranked.counted_clicks DESC, ranked.label ASC;

-- analytics.workspace.timeseries
SELECT slot, label, coalesce(counted_clicks, 0) AS counted_clicks, coalesce(unique_clickers, 0) AS unique_clickers, coalesce(leads, 0) AS leads, coalesce(sales, 0) AS sales, coalesce(conversion_count, 0) AS conversion_count, coalesce(revenue, 0) AS revenue
FROM (
SELECT width_bucket(occurred_at, $1::timestamptz[]) AS slot, '' COLLATE "C" AS label, count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $3
GROUP BY 1, 2
) AS clicks_of_links
FULL JOIN (
SELECT width_bucket(occurred_at, $4::timestamptz[]) AS slot, '' COLLATE "C" AS label, (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue
FROM conversions
WHERE workspace_no = $5
  AND is_counted
  AND occurred_at >= $6
GROUP BY 1, 2
) AS conversions USING (slot, label)
ORDER BY slot ASC, label ASC;

-- analytics.link.summary 0
SELECT *
FROM (
SELECT (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS counted_clicks, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND redirect_micros IS NOT NULL))::float8 AS redirects, (count(DISTINCT visitor_hash) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS unique_clickers, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND trigger = 'qr'))::float8 AS qr_scans, coalesce(sum(redirect_micros) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate), 0)::float8 AS redirect_micros_sum, (count(*) FILTER (WHERE bot_reason IS NOT NULL))::float8 AS bot_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND link_id = $2
  AND occurred_at >= $3
) AS recorded_clicks
CROSS JOIN (
SELECT (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue, (count(*) FILTER (WHERE is_unconverted))::float8 AS unconverted
FROM conversions
WHERE workspace_no = $4
  AND is_counted
  AND link_id = $5
  AND occurred_at >= $6
) AS conversions;

-- analytics.link.summary 1
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $2
  AND occurred_at >= $3
) AS clicks_of_links
CROSS JOIN (
SELECT count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue
FROM conversions
WHERE workspace_no = $4
  AND is_counted
  AND link_id = $5
  AND occurred_at >= $6
) AS conversions;

-- analytics.link.summary 2
SELECT 0 AS slot, coalesce(country_code, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $5;

-- analytics.link.summary 3
SELECT 0 AS slot, coalesce(referrer_domain, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $5;

-- analytics.link.summary 4
SELECT 0 AS slot, coalesce(device, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $5;

-- analytics.link.summary 5
SELECT 0 AS slot, coalesce(browser, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $5;

-- analytics.link.summary 6
SELECT 0 AS slot, coalesce(os, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $5;

-- analytics.link.summary 7
SELECT 0 AS slot, coalesce(trigger, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $5;

-- analytics.link.summary 8
SELECT width_bucket(occurred_at, $1::timestamptz[]) AS slot, '' COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
GROUP BY 1, 2
ORDER BY slot ASC, label ASC;

-- analytics.link.summary filtered 0
SELECT *
FROM (
SELECT (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS counted_clicks, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND redirect_micros IS NOT NULL))::float8 AS redirects, (count(DISTINCT visitor_hash) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS unique_clickers, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND trigger = 'qr'))::float8 AS qr_scans, coalesce(sum(redirect_micros) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate), 0)::float8 AS redirect_micros_sum, (count(*) FILTER (WHERE bot_reason IS NOT NULL))::float8 AS bot_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND link_id = $2
  AND occurred_at >= $3
  AND occurred_at < $4
  AND (coalesce(referrer_domain, $5) = ANY ($6))
  AND NOT (coalesce(referrer_domain, $7) = ANY ($8))
  AND (coalesce(source_class, $9) = ANY ($10))
  AND NOT (coalesce(source_class, $11) = ANY ($12))
  AND (coalesce(country, $13) = ANY ($14) OR coalesce(country_code, $15) = ANY ($16))
  AND NOT (coalesce(country, $17) = ANY ($18) OR coalesce(country_code, $19) = ANY ($20))
  AND (coalesce(region, $21) = ANY ($22))
  AND NOT (coalesce(region, $23) = ANY ($24))
  AND (coalesce(city, $25) = ANY ($26))
  AND NOT (coalesce(city, $27) = ANY ($28))
  AND (coalesce(device, $29) = ANY ($30))
  AND NOT (coalesce(device, $31) = ANY ($32))
  AND (coalesce(browser, $33) = ANY ($34))
  AND NOT (coalesce(browser, $35) = ANY ($36))
  AND (coalesce(os, $37) = ANY ($38))
  AND NOT (coalesce(os, $39) = ANY ($40))
  AND (coalesce(language, $41) = ANY ($42))
  AND NOT (coalesce(language, $43) = ANY ($44))
  AND (coalesce(utm_source, $45) = ANY ($46))
  AND NOT (coalesce(utm_source, $47) = ANY ($48))
  AND (coalesce(utm_medium, $49) = ANY ($50))
  AND NOT (coalesce(utm_medium, $51) = ANY ($52))
  AND (coalesce(utm_campaign, $53) = ANY ($54))
  AND NOT (coalesce(utm_campaign, $55) = ANY ($56))
  AND (coalesce(utm_term, $57) = ANY ($58))
  AND NOT (coalesce(utm_term, $59) = ANY ($60))
  AND (coalesce(utm_content, $61) = ANY ($62))
  AND NOT (coalesce(utm_content, $63) = ANY ($64))
  AND (coalesce(continent, $65) = ANY ($66))
  AND NOT (coalesce(continent, $67) = ANY ($68))
  AND (coalesce(trigger, $69) = ANY ($70))
  AND NOT (coalesce(trigger, $71) = ANY ($72))
) AS recorded_clicks
CROSS JOIN (
SELECT (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue, (count(*) FILTER (WHERE is_unconverted))::float8 AS unconverted
FROM conversions
WHERE workspace_no = $73
  AND is_counted
  AND link_id = $74
  AND occurred_at >= $75
  AND occurred_at < $76
  AND (coalesce(referrer_domain, $77) = ANY ($78))
  AND NOT (coalesce(referrer_domain, $79) = ANY ($80))
  AND (coalesce(source_class, $81) = ANY ($82))
  AND NOT (coalesce(source_class, $83) = ANY ($84))
  AND (coalesce(country, $85) = ANY ($86) OR coalesce(country_code, $87) = ANY ($88))
  AND NOT (coalesce(country, $89) = ANY ($90) OR coalesce(country_code, $91) = ANY ($92))
  AND (coalesce(region, $93) = ANY ($94))
  AND NOT (coalesce(region, $95) = ANY ($96))
  AND (coalesce(city, $97) = ANY ($98))
  AND NOT (coalesce(city, $99) = ANY ($100))
  AND (coalesce(device, $101) = ANY ($102))
  AND NOT (coalesce(device, $103) = ANY ($104))
  AND (coalesce(browser, $105) = ANY ($106))
  AND NOT (coalesce(browser, $107) = ANY ($108))
  AND (coalesce(os, $109) = ANY ($110))
  AND NOT (coalesce(os, $111) = ANY ($112))
  AND (coalesce(language, $113) = ANY ($114))
  AND NOT (coalesce(language, $115) = ANY ($116))
  AND (coalesce(utm_source, $117) = ANY ($118))
  AND NOT (coalesce(utm_source, $119) = ANY ($120))
  AND (coalesce(utm_medium, $121) = ANY ($122))
  AND NOT (coalesce(utm_medium, $123) = ANY ($124))
  AND (coalesce(utm_campaign, $125) = ANY ($126))
  AND NOT (coalesce(utm_campaign, $127) = ANY ($128))
  AND (coalesce(utm_term, $129) = ANY ($130))
  AND NOT (coalesce(utm_term, $131) = ANY ($132))
  AND (coalesce(utm_content, $133) = ANY ($134))
  AND NOT (coalesce(utm_content, $135) = ANY ($136))
  AND (coalesce(continent, $137) = ANY ($138))
  AND NOT (coalesce(continent, $139) = ANY ($140))
  AND (coalesce(trigger, $141) = ANY ($142))
  AND NOT (coalesce(trigger, $143) = ANY ($144))
) AS conversions;

-- analytics.link.summary filtered 1
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $2
  AND occurred_at >= $3
) AS clicks_of_links
CROSS JOIN (
SELECT count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue
FROM conversions
WHERE workspace_no = $4
  AND is_counted
  AND link_id = $5
  AND occurred_at >= $6
) AS conversions;

-- analytics.link.summary filtered 2
SELECT 0 AS slot, coalesce(country_code, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
  AND occurred_at < $5
  AND (coalesce(referrer_domain, $6) = ANY ($7))
  AND NOT (coalesce(referrer_domain, $8) = ANY ($9))
  AND (coalesce(source_class, $10) = ANY ($11))
  AND NOT (coalesce(source_class, $12) = ANY ($13))
  AND (coalesce(country, $14) = ANY ($15) OR coalesce(country_code, $16) = ANY ($17))
  AND NOT (coalesce(country, $18) = ANY ($19) OR coalesce(country_code, $20) = ANY ($21))
  AND (coalesce(region, $22) = ANY ($23))
  AND NOT (coalesce(region, $24) = ANY ($25))
  AND (coalesce(city, $26) = ANY ($27))
  AND NOT (coalesce(city, $28) = ANY ($29))
  AND (coalesce(device, $30) = ANY ($31))
  AND NOT (coalesce(device, $32) = ANY ($33))
  AND (coalesce(browser, $34) = ANY ($35))
  AND NOT (coalesce(browser, $36) = ANY ($37))
  AND (coalesce(os, $38) = ANY ($39))
  AND NOT (coalesce(os, $40) = ANY ($41))
  AND (coalesce(language, $42) = ANY ($43))
  AND NOT (coalesce(language, $44) = ANY ($45))
  AND (coalesce(utm_source, $46) = ANY ($47))
  AND NOT (coalesce(utm_source, $48) = ANY ($49))
  AND (coalesce(utm_medium, $50) = ANY ($51))
  AND NOT (coalesce(utm_medium, $52) = ANY ($53))
  AND (coalesce(utm_campaign, $54) = ANY ($55))
  AND NOT (coalesce(utm_campaign, $56) = ANY ($57))
  AND (coalesce(utm_term, $58) = ANY ($59))
  AND NOT (coalesce(utm_term, $60) = ANY ($61))
  AND (coalesce(utm_content, $62) = ANY ($63))
  AND NOT (coalesce(utm_content, $64) = ANY ($65))
  AND (coalesce(continent, $66) = ANY ($67))
  AND NOT (coalesce(continent, $68) = ANY ($69))
  AND (coalesce(trigger, $70) = ANY ($71))
  AND NOT (coalesce(trigger, $72) = ANY ($73))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $74;

-- analytics.link.summary filtered 3
SELECT 0 AS slot, coalesce(referrer_domain, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
  AND occurred_at < $5
  AND (coalesce(referrer_domain, $6) = ANY ($7))
  AND NOT (coalesce(referrer_domain, $8) = ANY ($9))
  AND (coalesce(source_class, $10) = ANY ($11))
  AND NOT (coalesce(source_class, $12) = ANY ($13))
  AND (coalesce(country, $14) = ANY ($15) OR coalesce(country_code, $16) = ANY ($17))
  AND NOT (coalesce(country, $18) = ANY ($19) OR coalesce(country_code, $20) = ANY ($21))
  AND (coalesce(region, $22) = ANY ($23))
  AND NOT (coalesce(region, $24) = ANY ($25))
  AND (coalesce(city, $26) = ANY ($27))
  AND NOT (coalesce(city, $28) = ANY ($29))
  AND (coalesce(device, $30) = ANY ($31))
  AND NOT (coalesce(device, $32) = ANY ($33))
  AND (coalesce(browser, $34) = ANY ($35))
  AND NOT (coalesce(browser, $36) = ANY ($37))
  AND (coalesce(os, $38) = ANY ($39))
  AND NOT (coalesce(os, $40) = ANY ($41))
  AND (coalesce(language, $42) = ANY ($43))
  AND NOT (coalesce(language, $44) = ANY ($45))
  AND (coalesce(utm_source, $46) = ANY ($47))
  AND NOT (coalesce(utm_source, $48) = ANY ($49))
  AND (coalesce(utm_medium, $50) = ANY ($51))
  AND NOT (coalesce(utm_medium, $52) = ANY ($53))
  AND (coalesce(utm_campaign, $54) = ANY ($55))
  AND NOT (coalesce(utm_campaign, $56) = ANY ($57))
  AND (coalesce(utm_term, $58) = ANY ($59))
  AND NOT (coalesce(utm_term, $60) = ANY ($61))
  AND (coalesce(utm_content, $62) = ANY ($63))
  AND NOT (coalesce(utm_content, $64) = ANY ($65))
  AND (coalesce(continent, $66) = ANY ($67))
  AND NOT (coalesce(continent, $68) = ANY ($69))
  AND (coalesce(trigger, $70) = ANY ($71))
  AND NOT (coalesce(trigger, $72) = ANY ($73))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $74;

-- analytics.link.summary filtered 4
SELECT 0 AS slot, coalesce(device, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
  AND occurred_at < $5
  AND (coalesce(referrer_domain, $6) = ANY ($7))
  AND NOT (coalesce(referrer_domain, $8) = ANY ($9))
  AND (coalesce(source_class, $10) = ANY ($11))
  AND NOT (coalesce(source_class, $12) = ANY ($13))
  AND (coalesce(country, $14) = ANY ($15) OR coalesce(country_code, $16) = ANY ($17))
  AND NOT (coalesce(country, $18) = ANY ($19) OR coalesce(country_code, $20) = ANY ($21))
  AND (coalesce(region, $22) = ANY ($23))
  AND NOT (coalesce(region, $24) = ANY ($25))
  AND (coalesce(city, $26) = ANY ($27))
  AND NOT (coalesce(city, $28) = ANY ($29))
  AND (coalesce(device, $30) = ANY ($31))
  AND NOT (coalesce(device, $32) = ANY ($33))
  AND (coalesce(browser, $34) = ANY ($35))
  AND NOT (coalesce(browser, $36) = ANY ($37))
  AND (coalesce(os, $38) = ANY ($39))
  AND NOT (coalesce(os, $40) = ANY ($41))
  AND (coalesce(language, $42) = ANY ($43))
  AND NOT (coalesce(language, $44) = ANY ($45))
  AND (coalesce(utm_source, $46) = ANY ($47))
  AND NOT (coalesce(utm_source, $48) = ANY ($49))
  AND (coalesce(utm_medium, $50) = ANY ($51))
  AND NOT (coalesce(utm_medium, $52) = ANY ($53))
  AND (coalesce(utm_campaign, $54) = ANY ($55))
  AND NOT (coalesce(utm_campaign, $56) = ANY ($57))
  AND (coalesce(utm_term, $58) = ANY ($59))
  AND NOT (coalesce(utm_term, $60) = ANY ($61))
  AND (coalesce(utm_content, $62) = ANY ($63))
  AND NOT (coalesce(utm_content, $64) = ANY ($65))
  AND (coalesce(continent, $66) = ANY ($67))
  AND NOT (coalesce(continent, $68) = ANY ($69))
  AND (coalesce(trigger, $70) = ANY ($71))
  AND NOT (coalesce(trigger, $72) = ANY ($73))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $74;

-- analytics.link.summary filtered 5
SELECT 0 AS slot, coalesce(browser, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
  AND occurred_at < $5
  AND (coalesce(referrer_domain, $6) = ANY ($7))
  AND NOT (coalesce(referrer_domain, $8) = ANY ($9))
  AND (coalesce(source_class, $10) = ANY ($11))
  AND NOT (coalesce(source_class, $12) = ANY ($13))
  AND (coalesce(country, $14) = ANY ($15) OR coalesce(country_code, $16) = ANY ($17))
  AND NOT (coalesce(country, $18) = ANY ($19) OR coalesce(country_code, $20) = ANY ($21))
  AND (coalesce(region, $22) = ANY ($23))
  AND NOT (coalesce(region, $24) = ANY ($25))
  AND (coalesce(city, $26) = ANY ($27))
  AND NOT (coalesce(city, $28) = ANY ($29))
  AND (coalesce(device, $30) = ANY ($31))
  AND NOT (coalesce(device, $32) = ANY ($33))
  AND (coalesce(browser, $34) = ANY ($35))
  AND NOT (coalesce(browser, $36) = ANY ($37))
  AND (coalesce(os, $38) = ANY ($39))
  AND NOT (coalesce(os, $40) = ANY ($41))
  AND (coalesce(language, $42) = ANY ($43))
  AND NOT (coalesce(language, $44) = ANY ($45))
  AND (coalesce(utm_source, $46) = ANY ($47))
  AND NOT (coalesce(utm_source, $48) = ANY ($49))
  AND (coalesce(utm_medium, $50) = ANY ($51))
  AND NOT (coalesce(utm_medium, $52) = ANY ($53))
  AND (coalesce(utm_campaign, $54) = ANY ($55))
  AND NOT (coalesce(utm_campaign, $56) = ANY ($57))
  AND (coalesce(utm_term, $58) = ANY ($59))
  AND NOT (coalesce(utm_term, $60) = ANY ($61))
  AND (coalesce(utm_content, $62) = ANY ($63))
  AND NOT (coalesce(utm_content, $64) = ANY ($65))
  AND (coalesce(continent, $66) = ANY ($67))
  AND NOT (coalesce(continent, $68) = ANY ($69))
  AND (coalesce(trigger, $70) = ANY ($71))
  AND NOT (coalesce(trigger, $72) = ANY ($73))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $74;

-- analytics.link.summary filtered 6
SELECT 0 AS slot, coalesce(os, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
  AND occurred_at < $5
  AND (coalesce(referrer_domain, $6) = ANY ($7))
  AND NOT (coalesce(referrer_domain, $8) = ANY ($9))
  AND (coalesce(source_class, $10) = ANY ($11))
  AND NOT (coalesce(source_class, $12) = ANY ($13))
  AND (coalesce(country, $14) = ANY ($15) OR coalesce(country_code, $16) = ANY ($17))
  AND NOT (coalesce(country, $18) = ANY ($19) OR coalesce(country_code, $20) = ANY ($21))
  AND (coalesce(region, $22) = ANY ($23))
  AND NOT (coalesce(region, $24) = ANY ($25))
  AND (coalesce(city, $26) = ANY ($27))
  AND NOT (coalesce(city, $28) = ANY ($29))
  AND (coalesce(device, $30) = ANY ($31))
  AND NOT (coalesce(device, $32) = ANY ($33))
  AND (coalesce(browser, $34) = ANY ($35))
  AND NOT (coalesce(browser, $36) = ANY ($37))
  AND (coalesce(os, $38) = ANY ($39))
  AND NOT (coalesce(os, $40) = ANY ($41))
  AND (coalesce(language, $42) = ANY ($43))
  AND NOT (coalesce(language, $44) = ANY ($45))
  AND (coalesce(utm_source, $46) = ANY ($47))
  AND NOT (coalesce(utm_source, $48) = ANY ($49))
  AND (coalesce(utm_medium, $50) = ANY ($51))
  AND NOT (coalesce(utm_medium, $52) = ANY ($53))
  AND (coalesce(utm_campaign, $54) = ANY ($55))
  AND NOT (coalesce(utm_campaign, $56) = ANY ($57))
  AND (coalesce(utm_term, $58) = ANY ($59))
  AND NOT (coalesce(utm_term, $60) = ANY ($61))
  AND (coalesce(utm_content, $62) = ANY ($63))
  AND NOT (coalesce(utm_content, $64) = ANY ($65))
  AND (coalesce(continent, $66) = ANY ($67))
  AND NOT (coalesce(continent, $68) = ANY ($69))
  AND (coalesce(trigger, $70) = ANY ($71))
  AND NOT (coalesce(trigger, $72) = ANY ($73))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $74;

-- analytics.link.summary filtered 7
SELECT 0 AS slot, coalesce(trigger, $1) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
  AND occurred_at < $5
  AND (coalesce(referrer_domain, $6) = ANY ($7))
  AND NOT (coalesce(referrer_domain, $8) = ANY ($9))
  AND (coalesce(source_class, $10) = ANY ($11))
  AND NOT (coalesce(source_class, $12) = ANY ($13))
  AND (coalesce(country, $14) = ANY ($15) OR coalesce(country_code, $16) = ANY ($17))
  AND NOT (coalesce(country, $18) = ANY ($19) OR coalesce(country_code, $20) = ANY ($21))
  AND (coalesce(region, $22) = ANY ($23))
  AND NOT (coalesce(region, $24) = ANY ($25))
  AND (coalesce(city, $26) = ANY ($27))
  AND NOT (coalesce(city, $28) = ANY ($29))
  AND (coalesce(device, $30) = ANY ($31))
  AND NOT (coalesce(device, $32) = ANY ($33))
  AND (coalesce(browser, $34) = ANY ($35))
  AND NOT (coalesce(browser, $36) = ANY ($37))
  AND (coalesce(os, $38) = ANY ($39))
  AND NOT (coalesce(os, $40) = ANY ($41))
  AND (coalesce(language, $42) = ANY ($43))
  AND NOT (coalesce(language, $44) = ANY ($45))
  AND (coalesce(utm_source, $46) = ANY ($47))
  AND NOT (coalesce(utm_source, $48) = ANY ($49))
  AND (coalesce(utm_medium, $50) = ANY ($51))
  AND NOT (coalesce(utm_medium, $52) = ANY ($53))
  AND (coalesce(utm_campaign, $54) = ANY ($55))
  AND NOT (coalesce(utm_campaign, $56) = ANY ($57))
  AND (coalesce(utm_term, $58) = ANY ($59))
  AND NOT (coalesce(utm_term, $60) = ANY ($61))
  AND (coalesce(utm_content, $62) = ANY ($63))
  AND NOT (coalesce(utm_content, $64) = ANY ($65))
  AND (coalesce(continent, $66) = ANY ($67))
  AND NOT (coalesce(continent, $68) = ANY ($69))
  AND (coalesce(trigger, $70) = ANY ($71))
  AND NOT (coalesce(trigger, $72) = ANY ($73))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $74;

-- analytics.link.summary filtered 8
SELECT width_bucket(occurred_at, $1::timestamptz[]) AS slot, '' COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $3
  AND occurred_at >= $4
  AND occurred_at < $5
  AND (coalesce(referrer_domain, $6) = ANY ($7))
  AND NOT (coalesce(referrer_domain, $8) = ANY ($9))
  AND (coalesce(source_class, $10) = ANY ($11))
  AND NOT (coalesce(source_class, $12) = ANY ($13))
  AND (coalesce(country, $14) = ANY ($15) OR coalesce(country_code, $16) = ANY ($17))
  AND NOT (coalesce(country, $18) = ANY ($19) OR coalesce(country_code, $20) = ANY ($21))
  AND (coalesce(region, $22) = ANY ($23))
  AND NOT (coalesce(region, $24) = ANY ($25))
  AND (coalesce(city, $26) = ANY ($27))
  AND NOT (coalesce(city, $28) = ANY ($29))
  AND (coalesce(device, $30) = ANY ($31))
  AND NOT (coalesce(device, $32) = ANY ($33))
  AND (coalesce(browser, $34) = ANY ($35))
  AND NOT (coalesce(browser, $36) = ANY ($37))
  AND (coalesce(os, $38) = ANY ($39))
  AND NOT (coalesce(os, $40) = ANY ($41))
  AND (coalesce(language, $42) = ANY ($43))
  AND NOT (coalesce(language, $44) = ANY ($45))
  AND (coalesce(utm_source, $46) = ANY ($47))
  AND NOT (coalesce(utm_source, $48) = ANY ($49))
  AND (coalesce(utm_medium, $50) = ANY ($51))
  AND NOT (coalesce(utm_medium, $52) = ANY ($53))
  AND (coalesce(utm_campaign, $54) = ANY ($55))
  AND NOT (coalesce(utm_campaign, $56) = ANY ($57))
  AND (coalesce(utm_term, $58) = ANY ($59))
  AND NOT (coalesce(utm_term, $60) = ANY ($61))
  AND (coalesce(utm_content, $62) = ANY ($63))
  AND NOT (coalesce(utm_content, $64) = ANY ($65))
  AND (coalesce(continent, $66) = ANY ($67))
  AND NOT (coalesce(continent, $68) = ANY ($69))
  AND (coalesce(trigger, $70) = ANY ($71))
  AND NOT (coalesce(trigger, $72) = ANY ($73))
GROUP BY 1, 2
ORDER BY slot ASC, label ASC;

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
SELECT (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS counted_clicks, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND redirect_micros IS NOT NULL))::float8 AS redirects, (count(DISTINCT visitor_hash) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS unique_clickers, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND trigger = 'qr'))::float8 AS qr_scans, 0::float8 AS cost_of_clicks, coalesce(sum(redirect_micros) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate), 0)::float8 AS redirect_micros_sum, (count(*) FILTER (WHERE bot_reason IS NOT NULL))::float8 AS bot_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND occurred_at >= $2
) AS recorded_clicks
CROSS JOIN (
SELECT (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue, 0::float8 AS cost_of_approvals, 0::float8 AS cost_of_revenue, (count(*) FILTER (WHERE is_unconverted))::float8 AS unconverted
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
SELECT (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS counted_clicks, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND redirect_micros IS NOT NULL))::float8 AS redirects, (count(DISTINCT visitor_hash) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS unique_clickers, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND trigger = 'qr'))::float8 AS qr_scans, coalesce(sum(per_click) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate), 0)::float8 AS cost_of_clicks, coalesce(sum(redirect_micros) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate), 0)::float8 AS redirect_micros_sum, (count(*) FILTER (WHERE bot_reason IS NOT NULL))::float8 AS bot_clicks
FROM hits
LEFT JOIN unnest($1::uuid[], $2::text[]::numeric[], $3::text[]::numeric[], $4::text[]::numeric[]) AS prices (charged_by, per_click, per_approval, of_revenue) ON charged_by = campaign_id
WHERE workspace_no = $5
  AND link_id IS NOT NULL
  AND occurred_at >= $6
  AND occurred_at < $7
  AND (coalesce(referrer_domain, $8) = ANY ($9))
  AND NOT (coalesce(referrer_domain, $10) = ANY ($11))
  AND (coalesce(source_class, $12) = ANY ($13))
  AND NOT (coalesce(source_class, $14) = ANY ($15))
  AND (coalesce(country, $16) = ANY ($17) OR coalesce(country_code, $18) = ANY ($19))
  AND NOT (coalesce(country, $20) = ANY ($21) OR coalesce(country_code, $22) = ANY ($23))
  AND (coalesce(region, $24) = ANY ($25))
  AND NOT (coalesce(region, $26) = ANY ($27))
  AND (coalesce(city, $28) = ANY ($29))
  AND NOT (coalesce(city, $30) = ANY ($31))
  AND (coalesce(device, $32) = ANY ($33))
  AND NOT (coalesce(device, $34) = ANY ($35))
  AND (coalesce(browser, $36) = ANY ($37))
  AND NOT (coalesce(browser, $38) = ANY ($39))
  AND (coalesce(os, $40) = ANY ($41))
  AND NOT (coalesce(os, $42) = ANY ($43))
  AND (coalesce(language, $44) = ANY ($45))
  AND NOT (coalesce(language, $46) = ANY ($47))
  AND (coalesce(utm_source, $48) = ANY ($49))
  AND NOT (coalesce(utm_source, $50) = ANY ($51))
  AND (coalesce(utm_medium, $52) = ANY ($53))
  AND NOT (coalesce(utm_medium, $54) = ANY ($55))
  AND (coalesce(utm_campaign, $56) = ANY ($57))
  AND NOT (coalesce(utm_campaign, $58) = ANY ($59))
  AND (coalesce(utm_term, $60) = ANY ($61))
  AND NOT (coalesce(utm_term, $62) = ANY ($63))
  AND (coalesce(utm_content, $64) = ANY ($65))
  AND NOT (coalesce(utm_content, $66) = ANY ($67))
  AND (coalesce(continent, $68) = ANY ($69))
  AND NOT (coalesce(continent, $70) = ANY ($71))
  AND (coalesce(trigger, $72) = ANY ($73))
  AND NOT (coalesce(trigger, $74) = ANY ($75))
  AND (coalesce(host, $76) = ANY ($77))
  AND NOT (coalesce(host, $78) = ANY ($79))
  AND (coalesce(referrer, $80) = ANY ($81))
  AND NOT (coalesce(referrer, $82) = ANY ($83))
  AND (coalesce(destination, $84) = ANY ($85))
  AND NOT (coalesce(destination, $86) = ANY ($87))
  AND (coalesce(rule_id, $88) = ANY ($89))
  AND NOT (coalesce(rule_id, $90) = ANY ($91))
  AND (coalesce(qr_id, $92) = ANY ($93))
  AND NOT (coalesce(qr_id, $94) = ANY ($95))
) AS recorded_clicks
CROSS JOIN (
SELECT (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue, coalesce(sum(per_approval) FILTER (WHERE status = 'approved'), 0)::float8 AS cost_of_approvals, coalesce(sum(revenue_usd_micros * of_revenue), 0)::float8 AS cost_of_revenue, (count(*) FILTER (WHERE is_unconverted))::float8 AS unconverted
FROM conversions
LEFT JOIN unnest($96::uuid[], $97::text[]::numeric[], $98::text[]::numeric[], $99::text[]::numeric[]) AS prices (charged_by, per_click, per_approval, of_revenue) ON charged_by = campaign_id
WHERE workspace_no = $100
  AND is_counted
  AND occurred_at >= $101
  AND occurred_at < $102
  AND (coalesce(referrer_domain, $103) = ANY ($104))
  AND NOT (coalesce(referrer_domain, $105) = ANY ($106))
  AND (coalesce(source_class, $107) = ANY ($108))
  AND NOT (coalesce(source_class, $109) = ANY ($110))
  AND (coalesce(country, $111) = ANY ($112) OR coalesce(country_code, $113) = ANY ($114))
  AND NOT (coalesce(country, $115) = ANY ($116) OR coalesce(country_code, $117) = ANY ($118))
  AND (coalesce(region, $119) = ANY ($120))
  AND NOT (coalesce(region, $121) = ANY ($122))
  AND (coalesce(city, $123) = ANY ($124))
  AND NOT (coalesce(city, $125) = ANY ($126))
  AND (coalesce(device, $127) = ANY ($128))
  AND NOT (coalesce(device, $129) = ANY ($130))
  AND (coalesce(browser, $131) = ANY ($132))
  AND NOT (coalesce(browser, $133) = ANY ($134))
  AND (coalesce(os, $135) = ANY ($136))
  AND NOT (coalesce(os, $137) = ANY ($138))
  AND (coalesce(language, $139) = ANY ($140))
  AND NOT (coalesce(language, $141) = ANY ($142))
  AND (coalesce(utm_source, $143) = ANY ($144))
  AND NOT (coalesce(utm_source, $145) = ANY ($146))
  AND (coalesce(utm_medium, $147) = ANY ($148))
  AND NOT (coalesce(utm_medium, $149) = ANY ($150))
  AND (coalesce(utm_campaign, $151) = ANY ($152))
  AND NOT (coalesce(utm_campaign, $153) = ANY ($154))
  AND (coalesce(utm_term, $155) = ANY ($156))
  AND NOT (coalesce(utm_term, $157) = ANY ($158))
  AND (coalesce(utm_content, $159) = ANY ($160))
  AND NOT (coalesce(utm_content, $161) = ANY ($162))
  AND (coalesce(continent, $163) = ANY ($164))
  AND NOT (coalesce(continent, $165) = ANY ($166))
  AND (coalesce(trigger, $167) = ANY ($168))
  AND NOT (coalesce(trigger, $169) = ANY ($170))
  AND (coalesce(host, $171) = ANY ($172))
  AND NOT (coalesce(host, $173) = ANY ($174))
  AND (coalesce(referrer, $175) = ANY ($176))
  AND NOT (coalesce(referrer, $177) = ANY ($178))
  AND (coalesce((SELECT destination FROM hits WHERE workspace_no = $179 AND click_id = conversions.click_id AND occurred_at >= conversions.clicked_at AND occurred_at < conversions.clicked_at + interval '1 millisecond' ORDER BY seq LIMIT 1), $180) = ANY ($181))
  AND NOT (coalesce((SELECT destination FROM hits WHERE workspace_no = $182 AND click_id = conversions.click_id AND occurred_at >= conversions.clicked_at AND occurred_at < conversions.clicked_at + interval '1 millisecond' ORDER BY seq LIMIT 1), $183) = ANY ($184))
  AND (coalesce(rule_id, $185) = ANY ($186))
  AND NOT (coalesce(rule_id, $187) = ANY ($188))
  AND (coalesce(qr_id, $189) = ANY ($190))
  AND NOT (coalesce(qr_id, $191) = ANY ($192))
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
  AND (coalesce(host, $72) = ANY ($73))
  AND NOT (coalesce(host, $74) = ANY ($75))
  AND (coalesce(referrer, $76) = ANY ($77))
  AND NOT (coalesce(referrer, $78) = ANY ($79))
  AND (coalesce(destination, $80) = ANY ($81))
  AND NOT (coalesce(destination, $82) = ANY ($83))
  AND (coalesce(rule_id, $84) = ANY ($85))
  AND NOT (coalesce(rule_id, $86) = ANY ($87))
  AND (coalesce(qr_id, $88) = ANY ($89))
  AND NOT (coalesce(qr_id, $90) = ANY ($91))
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT 0 AS slot, link_id::text COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $92
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $93
  AND occurred_at < $94
  AND (coalesce(referrer_domain, $95) = ANY ($96))
  AND NOT (coalesce(referrer_domain, $97) = ANY ($98))
  AND (coalesce(source_class, $99) = ANY ($100))
  AND NOT (coalesce(source_class, $101) = ANY ($102))
  AND (coalesce(country, $103) = ANY ($104) OR coalesce(country_code, $105) = ANY ($106))
  AND NOT (coalesce(country, $107) = ANY ($108) OR coalesce(country_code, $109) = ANY ($110))
  AND (coalesce(region, $111) = ANY ($112))
  AND NOT (coalesce(region, $113) = ANY ($114))
  AND (coalesce(city, $115) = ANY ($116))
  AND NOT (coalesce(city, $117) = ANY ($118))
  AND (coalesce(device, $119) = ANY ($120))
  AND NOT (coalesce(device, $121) = ANY ($122))
  AND (coalesce(browser, $123) = ANY ($124))
  AND NOT (coalesce(browser, $125) = ANY ($126))
  AND (coalesce(os, $127) = ANY ($128))
  AND NOT (coalesce(os, $129) = ANY ($130))
  AND (coalesce(language, $131) = ANY ($132))
  AND NOT (coalesce(language, $133) = ANY ($134))
  AND (coalesce(utm_source, $135) = ANY ($136))
  AND NOT (coalesce(utm_source, $137) = ANY ($138))
  AND (coalesce(utm_medium, $139) = ANY ($140))
  AND NOT (coalesce(utm_medium, $141) = ANY ($142))
  AND (coalesce(utm_campaign, $143) = ANY ($144))
  AND NOT (coalesce(utm_campaign, $145) = ANY ($146))
  AND (coalesce(utm_term, $147) = ANY ($148))
  AND NOT (coalesce(utm_term, $149) = ANY ($150))
  AND (coalesce(utm_content, $151) = ANY ($152))
  AND NOT (coalesce(utm_content, $153) = ANY ($154))
  AND (coalesce(continent, $155) = ANY ($156))
  AND NOT (coalesce(continent, $157) = ANY ($158))
  AND (coalesce(trigger, $159) = ANY ($160))
  AND NOT (coalesce(trigger, $161) = ANY ($162))
  AND (coalesce(host, $163) = ANY ($164))
  AND NOT (coalesce(host, $165) = ANY ($166))
  AND (coalesce(referrer, $167) = ANY ($168))
  AND NOT (coalesce(referrer, $169) = ANY ($170))
  AND (coalesce(destination, $171) = ANY ($172))
  AND NOT (coalesce(destination, $173) = ANY ($174))
  AND (coalesce(rule_id, $175) = ANY ($176))
  AND NOT (coalesce(rule_id, $177) = ANY ($178))
  AND (coalesce(qr_id, $179) = ANY ($180))
  AND NOT (coalesce(qr_id, $181) = ANY ($182))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $183
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
  AND (coalesce(host, $72) = ANY ($73))
  AND NOT (coalesce(host, $74) = ANY ($75))
  AND (coalesce(referrer, $76) = ANY ($77))
  AND NOT (coalesce(referrer, $78) = ANY ($79))
  AND (coalesce(destination, $80) = ANY ($81))
  AND NOT (coalesce(destination, $82) = ANY ($83))
  AND (coalesce(rule_id, $84) = ANY ($85))
  AND NOT (coalesce(rule_id, $86) = ANY ($87))
  AND (coalesce(qr_id, $88) = ANY ($89))
  AND NOT (coalesce(qr_id, $90) = ANY ($91))
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT slot, label, coalesce(counted_clicks, 0) AS counted_clicks, coalesce(conversion_count, 0) AS conversion_count, coalesce(revenue, 0) AS revenue
FROM (
SELECT 0 AS slot, campaign_id::text COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $92
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $93
  AND occurred_at < $94
  AND (coalesce(referrer_domain, $95) = ANY ($96))
  AND NOT (coalesce(referrer_domain, $97) = ANY ($98))
  AND (coalesce(source_class, $99) = ANY ($100))
  AND NOT (coalesce(source_class, $101) = ANY ($102))
  AND (coalesce(country, $103) = ANY ($104) OR coalesce(country_code, $105) = ANY ($106))
  AND NOT (coalesce(country, $107) = ANY ($108) OR coalesce(country_code, $109) = ANY ($110))
  AND (coalesce(region, $111) = ANY ($112))
  AND NOT (coalesce(region, $113) = ANY ($114))
  AND (coalesce(city, $115) = ANY ($116))
  AND NOT (coalesce(city, $117) = ANY ($118))
  AND (coalesce(device, $119) = ANY ($120))
  AND NOT (coalesce(device, $121) = ANY ($122))
  AND (coalesce(browser, $123) = ANY ($124))
  AND NOT (coalesce(browser, $125) = ANY ($126))
  AND (coalesce(os, $127) = ANY ($128))
  AND NOT (coalesce(os, $129) = ANY ($130))
  AND (coalesce(language, $131) = ANY ($132))
  AND NOT (coalesce(language, $133) = ANY ($134))
  AND (coalesce(utm_source, $135) = ANY ($136))
  AND NOT (coalesce(utm_source, $137) = ANY ($138))
  AND (coalesce(utm_medium, $139) = ANY ($140))
  AND NOT (coalesce(utm_medium, $141) = ANY ($142))
  AND (coalesce(utm_campaign, $143) = ANY ($144))
  AND NOT (coalesce(utm_campaign, $145) = ANY ($146))
  AND (coalesce(utm_term, $147) = ANY ($148))
  AND NOT (coalesce(utm_term, $149) = ANY ($150))
  AND (coalesce(utm_content, $151) = ANY ($152))
  AND NOT (coalesce(utm_content, $153) = ANY ($154))
  AND (coalesce(continent, $155) = ANY ($156))
  AND NOT (coalesce(continent, $157) = ANY ($158))
  AND (coalesce(trigger, $159) = ANY ($160))
  AND NOT (coalesce(trigger, $161) = ANY ($162))
  AND (coalesce(host, $163) = ANY ($164))
  AND NOT (coalesce(host, $165) = ANY ($166))
  AND (coalesce(referrer, $167) = ANY ($168))
  AND NOT (coalesce(referrer, $169) = ANY ($170))
  AND (coalesce(destination, $171) = ANY ($172))
  AND NOT (coalesce(destination, $173) = ANY ($174))
  AND (coalesce(rule_id, $175) = ANY ($176))
  AND NOT (coalesce(rule_id, $177) = ANY ($178))
  AND (coalesce(qr_id, $179) = ANY ($180))
  AND NOT (coalesce(qr_id, $181) = ANY ($182))
  AND campaign_id IS NOT NULL
GROUP BY 1, 2
) AS clicks_of_links
FULL JOIN (
SELECT 0 AS slot, campaign_id::text COLLATE "C" AS label, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue
FROM conversions
WHERE workspace_no = $183
  AND is_counted
  AND occurred_at >= $184
  AND occurred_at < $185
  AND (coalesce(referrer_domain, $186) = ANY ($187))
  AND NOT (coalesce(referrer_domain, $188) = ANY ($189))
  AND (coalesce(source_class, $190) = ANY ($191))
  AND NOT (coalesce(source_class, $192) = ANY ($193))
  AND (coalesce(country, $194) = ANY ($195) OR coalesce(country_code, $196) = ANY ($197))
  AND NOT (coalesce(country, $198) = ANY ($199) OR coalesce(country_code, $200) = ANY ($201))
  AND (coalesce(region, $202) = ANY ($203))
  AND NOT (coalesce(region, $204) = ANY ($205))
  AND (coalesce(city, $206) = ANY ($207))
  AND NOT (coalesce(city, $208) = ANY ($209))
  AND (coalesce(device, $210) = ANY ($211))
  AND NOT (coalesce(device, $212) = ANY ($213))
  AND (coalesce(browser, $214) = ANY ($215))
  AND NOT (coalesce(browser, $216) = ANY ($217))
  AND (coalesce(os, $218) = ANY ($219))
  AND NOT (coalesce(os, $220) = ANY ($221))
  AND (coalesce(language, $222) = ANY ($223))
  AND NOT (coalesce(language, $224) = ANY ($225))
  AND (coalesce(utm_source, $226) = ANY ($227))
  AND NOT (coalesce(utm_source, $228) = ANY ($229))
  AND (coalesce(utm_medium, $230) = ANY ($231))
  AND NOT (coalesce(utm_medium, $232) = ANY ($233))
  AND (coalesce(utm_campaign, $234) = ANY ($235))
  AND NOT (coalesce(utm_campaign, $236) = ANY ($237))
  AND (coalesce(utm_term, $238) = ANY ($239))
  AND NOT (coalesce(utm_term, $240) = ANY ($241))
  AND (coalesce(utm_content, $242) = ANY ($243))
  AND NOT (coalesce(utm_content, $244) = ANY ($245))
  AND (coalesce(continent, $246) = ANY ($247))
  AND NOT (coalesce(continent, $248) = ANY ($249))
  AND (coalesce(trigger, $250) = ANY ($251))
  AND NOT (coalesce(trigger, $252) = ANY ($253))
  AND (coalesce(host, $254) = ANY ($255))
  AND NOT (coalesce(host, $256) = ANY ($257))
  AND (coalesce(referrer, $258) = ANY ($259))
  AND NOT (coalesce(referrer, $260) = ANY ($261))
  AND (coalesce((SELECT destination FROM hits WHERE workspace_no = $262 AND click_id = conversions.click_id AND occurred_at >= conversions.clicked_at AND occurred_at < conversions.clicked_at + interval '1 millisecond' ORDER BY seq LIMIT 1), $263) = ANY ($264))
  AND NOT (coalesce((SELECT destination FROM hits WHERE workspace_no = $265 AND click_id = conversions.click_id AND occurred_at >= conversions.clicked_at AND occurred_at < conversions.clicked_at + interval '1 millisecond' ORDER BY seq LIMIT 1), $266) = ANY ($267))
  AND (coalesce(rule_id, $268) = ANY ($269))
  AND NOT (coalesce(rule_id, $270) = ANY ($271))
  AND (coalesce(qr_id, $272) = ANY ($273))
  AND NOT (coalesce(qr_id, $274) = ANY ($275))
  AND campaign_id IS NOT NULL
GROUP BY 1, 2
) AS conversions USING (slot, label)
ORDER BY counted_clicks DESC, label ASC
LIMIT $276
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
  AND (coalesce(host, $72) = ANY ($73))
  AND NOT (coalesce(host, $74) = ANY ($75))
  AND (coalesce(referrer, $76) = ANY ($77))
  AND NOT (coalesce(referrer, $78) = ANY ($79))
  AND (coalesce(destination, $80) = ANY ($81))
  AND NOT (coalesce(destination, $82) = ANY ($83))
  AND (coalesce(rule_id, $84) = ANY ($85))
  AND NOT (coalesce(rule_id, $86) = ANY ($87))
  AND (coalesce(qr_id, $88) = ANY ($89))
  AND NOT (coalesce(qr_id, $90) = ANY ($91))
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT 0 AS slot, coalesce(country_code, $92) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $93
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $94
  AND occurred_at < $95
  AND (coalesce(referrer_domain, $96) = ANY ($97))
  AND NOT (coalesce(referrer_domain, $98) = ANY ($99))
  AND (coalesce(source_class, $100) = ANY ($101))
  AND NOT (coalesce(source_class, $102) = ANY ($103))
  AND (coalesce(country, $104) = ANY ($105) OR coalesce(country_code, $106) = ANY ($107))
  AND NOT (coalesce(country, $108) = ANY ($109) OR coalesce(country_code, $110) = ANY ($111))
  AND (coalesce(region, $112) = ANY ($113))
  AND NOT (coalesce(region, $114) = ANY ($115))
  AND (coalesce(city, $116) = ANY ($117))
  AND NOT (coalesce(city, $118) = ANY ($119))
  AND (coalesce(device, $120) = ANY ($121))
  AND NOT (coalesce(device, $122) = ANY ($123))
  AND (coalesce(browser, $124) = ANY ($125))
  AND NOT (coalesce(browser, $126) = ANY ($127))
  AND (coalesce(os, $128) = ANY ($129))
  AND NOT (coalesce(os, $130) = ANY ($131))
  AND (coalesce(language, $132) = ANY ($133))
  AND NOT (coalesce(language, $134) = ANY ($135))
  AND (coalesce(utm_source, $136) = ANY ($137))
  AND NOT (coalesce(utm_source, $138) = ANY ($139))
  AND (coalesce(utm_medium, $140) = ANY ($141))
  AND NOT (coalesce(utm_medium, $142) = ANY ($143))
  AND (coalesce(utm_campaign, $144) = ANY ($145))
  AND NOT (coalesce(utm_campaign, $146) = ANY ($147))
  AND (coalesce(utm_term, $148) = ANY ($149))
  AND NOT (coalesce(utm_term, $150) = ANY ($151))
  AND (coalesce(utm_content, $152) = ANY ($153))
  AND NOT (coalesce(utm_content, $154) = ANY ($155))
  AND (coalesce(continent, $156) = ANY ($157))
  AND NOT (coalesce(continent, $158) = ANY ($159))
  AND (coalesce(trigger, $160) = ANY ($161))
  AND NOT (coalesce(trigger, $162) = ANY ($163))
  AND (coalesce(host, $164) = ANY ($165))
  AND NOT (coalesce(host, $166) = ANY ($167))
  AND (coalesce(referrer, $168) = ANY ($169))
  AND NOT (coalesce(referrer, $170) = ANY ($171))
  AND (coalesce(destination, $172) = ANY ($173))
  AND NOT (coalesce(destination, $174) = ANY ($175))
  AND (coalesce(rule_id, $176) = ANY ($177))
  AND NOT (coalesce(rule_id, $178) = ANY ($179))
  AND (coalesce(qr_id, $180) = ANY ($181))
  AND NOT (coalesce(qr_id, $182) = ANY ($183))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $184
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
  AND (coalesce(host, $72) = ANY ($73))
  AND NOT (coalesce(host, $74) = ANY ($75))
  AND (coalesce(referrer, $76) = ANY ($77))
  AND NOT (coalesce(referrer, $78) = ANY ($79))
  AND (coalesce(destination, $80) = ANY ($81))
  AND NOT (coalesce(destination, $82) = ANY ($83))
  AND (coalesce(rule_id, $84) = ANY ($85))
  AND NOT (coalesce(rule_id, $86) = ANY ($87))
  AND (coalesce(qr_id, $88) = ANY ($89))
  AND NOT (coalesce(qr_id, $90) = ANY ($91))
) AS clicks_of_links
) AS totals
LEFT JOIN (
SELECT 0 AS slot, coalesce(referrer_domain, $92) COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $93
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $94
  AND occurred_at < $95
  AND (coalesce(referrer_domain, $96) = ANY ($97))
  AND NOT (coalesce(referrer_domain, $98) = ANY ($99))
  AND (coalesce(source_class, $100) = ANY ($101))
  AND NOT (coalesce(source_class, $102) = ANY ($103))
  AND (coalesce(country, $104) = ANY ($105) OR coalesce(country_code, $106) = ANY ($107))
  AND NOT (coalesce(country, $108) = ANY ($109) OR coalesce(country_code, $110) = ANY ($111))
  AND (coalesce(region, $112) = ANY ($113))
  AND NOT (coalesce(region, $114) = ANY ($115))
  AND (coalesce(city, $116) = ANY ($117))
  AND NOT (coalesce(city, $118) = ANY ($119))
  AND (coalesce(device, $120) = ANY ($121))
  AND NOT (coalesce(device, $122) = ANY ($123))
  AND (coalesce(browser, $124) = ANY ($125))
  AND NOT (coalesce(browser, $126) = ANY ($127))
  AND (coalesce(os, $128) = ANY ($129))
  AND NOT (coalesce(os, $130) = ANY ($131))
  AND (coalesce(language, $132) = ANY ($133))
  AND NOT (coalesce(language, $134) = ANY ($135))
  AND (coalesce(utm_source, $136) = ANY ($137))
  AND NOT (coalesce(utm_source, $138) = ANY ($139))
  AND (coalesce(utm_medium, $140) = ANY ($141))
  AND NOT (coalesce(utm_medium, $142) = ANY ($143))
  AND (coalesce(utm_campaign, $144) = ANY ($145))
  AND NOT (coalesce(utm_campaign, $146) = ANY ($147))
  AND (coalesce(utm_term, $148) = ANY ($149))
  AND NOT (coalesce(utm_term, $150) = ANY ($151))
  AND (coalesce(utm_content, $152) = ANY ($153))
  AND NOT (coalesce(utm_content, $154) = ANY ($155))
  AND (coalesce(continent, $156) = ANY ($157))
  AND NOT (coalesce(continent, $158) = ANY ($159))
  AND (coalesce(trigger, $160) = ANY ($161))
  AND NOT (coalesce(trigger, $162) = ANY ($163))
  AND (coalesce(host, $164) = ANY ($165))
  AND NOT (coalesce(host, $166) = ANY ($167))
  AND (coalesce(referrer, $168) = ANY ($169))
  AND NOT (coalesce(referrer, $170) = ANY ($171))
  AND (coalesce(destination, $172) = ANY ($173))
  AND NOT (coalesce(destination, $174) = ANY ($175))
  AND (coalesce(rule_id, $176) = ANY ($177))
  AND NOT (coalesce(rule_id, $178) = ANY ($179))
  AND (coalesce(qr_id, $180) = ANY ($181))
  AND NOT (coalesce(qr_id, $182) = ANY ($183))
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC
LIMIT $184
) AS ranked ON true
ORDER BY ranked.counted_clicks DESC, ranked.label ASC;

-- analytics.workspace.timeseries
SELECT slot, label, coalesce(counted_clicks, 0) AS counted_clicks, coalesce(unique_clickers, 0) AS unique_clickers, coalesce(cost_of_clicks, 0) AS cost_of_clicks, coalesce(leads, 0) AS leads, coalesce(sales, 0) AS sales, coalesce(conversion_count, 0) AS conversion_count, coalesce(revenue, 0) AS revenue, coalesce(cost_of_approvals, 0) AS cost_of_approvals, coalesce(cost_of_revenue, 0) AS cost_of_revenue, coalesce(unconverted, 0) AS unconverted
FROM (
SELECT width_bucket(occurred_at, $1::timestamptz[]) AS slot, '' COLLATE "C" AS label, count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers, 0::float8 AS cost_of_clicks
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND occurred_at >= $3
GROUP BY 1, 2
) AS clicks_of_links
FULL JOIN (
SELECT width_bucket(occurred_at, $4::timestamptz[]) AS slot, '' COLLATE "C" AS label, (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue, 0::float8 AS cost_of_approvals, 0::float8 AS cost_of_revenue, (count(*) FILTER (WHERE is_unconverted))::float8 AS unconverted
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
SELECT (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS counted_clicks, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND redirect_micros IS NOT NULL))::float8 AS redirects, (count(DISTINCT visitor_hash) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS unique_clickers, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND trigger = 'qr'))::float8 AS qr_scans, 0::float8 AS cost_of_clicks, coalesce(sum(redirect_micros) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate), 0)::float8 AS redirect_micros_sum, (count(*) FILTER (WHERE bot_reason IS NOT NULL))::float8 AS bot_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND link_id = $2
  AND occurred_at >= $3
) AS recorded_clicks
CROSS JOIN (
SELECT (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue, 0::float8 AS cost_of_approvals, 0::float8 AS cost_of_revenue, (count(*) FILTER (WHERE is_unconverted))::float8 AS unconverted
FROM conversions
WHERE workspace_no = $4
  AND is_counted
  AND link_id = $5
  AND occurred_at >= $6
) AS conversions;

-- analytics.link.summary 1
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers, coalesce(extract(epoch FROM max(occurred_at)) * 1000000, 0)::float8 AS last_click
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
SELECT DISTINCT ON (slot) slot, label, counted_clicks
FROM (
SELECT CASE WHEN of_0 IS NOT NULL THEN 0 WHEN of_1 IS NOT NULL THEN 1 WHEN of_2 IS NOT NULL THEN 2 WHEN of_3 IS NOT NULL THEN 3 WHEN of_4 IS NOT NULL THEN 4 WHEN of_5 IS NOT NULL THEN 5 WHEN of_6 IS NOT NULL THEN 6 END AS slot, coalesce(of_0, of_1, of_2, of_3, of_4, of_5, of_6) AS label, count(*)::float8 AS counted_clicks
FROM (
SELECT coalesce(country_code, $1) COLLATE "C" AS of_0, coalesce(referrer_domain, $2) COLLATE "C" AS of_1, coalesce(device, $3) COLLATE "C" AS of_2, coalesce(browser, $4) COLLATE "C" AS of_3, coalesce(os, $5) COLLATE "C" AS of_4, coalesce(trigger, $6) COLLATE "C" AS of_5, coalesce(rule_id::text, $7) COLLATE "C" AS of_6
FROM hits
WHERE workspace_no = $8
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $9
  AND occurred_at >= $10
) AS clicks_of_links
GROUP BY GROUPING SETS ((of_0), (of_1), (of_2), (of_3), (of_4), (of_5), (of_6))
) AS leaders
ORDER BY slot, counted_clicks DESC, label ASC;

-- analytics.link.summary 3
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
SELECT (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS counted_clicks, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND redirect_micros IS NOT NULL))::float8 AS redirects, (count(DISTINCT visitor_hash) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate))::float8 AS unique_clickers, (count(*) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate AND trigger = 'qr'))::float8 AS qr_scans, coalesce(sum(per_click) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate), 0)::float8 AS cost_of_clicks, coalesce(sum(redirect_micros) FILTER (WHERE bot_reason IS NULL AND NOT is_duplicate), 0)::float8 AS redirect_micros_sum, (count(*) FILTER (WHERE bot_reason IS NOT NULL))::float8 AS bot_clicks
FROM hits
LEFT JOIN unnest($1::uuid[], $2::text[]::numeric[], $3::text[]::numeric[], $4::text[]::numeric[]) AS prices (charged_by, per_click, per_approval, of_revenue) ON charged_by = campaign_id
WHERE workspace_no = $5
  AND link_id IS NOT NULL
  AND link_id = $6
  AND occurred_at >= $7
  AND occurred_at < $8
  AND (coalesce(referrer_domain, $9) = ANY ($10))
  AND NOT (coalesce(referrer_domain, $11) = ANY ($12))
  AND (coalesce(source_class, $13) = ANY ($14))
  AND NOT (coalesce(source_class, $15) = ANY ($16))
  AND (coalesce(country, $17) = ANY ($18) OR coalesce(country_code, $19) = ANY ($20))
  AND NOT (coalesce(country, $21) = ANY ($22) OR coalesce(country_code, $23) = ANY ($24))
  AND (coalesce(region, $25) = ANY ($26))
  AND NOT (coalesce(region, $27) = ANY ($28))
  AND (coalesce(city, $29) = ANY ($30))
  AND NOT (coalesce(city, $31) = ANY ($32))
  AND (coalesce(device, $33) = ANY ($34))
  AND NOT (coalesce(device, $35) = ANY ($36))
  AND (coalesce(browser, $37) = ANY ($38))
  AND NOT (coalesce(browser, $39) = ANY ($40))
  AND (coalesce(os, $41) = ANY ($42))
  AND NOT (coalesce(os, $43) = ANY ($44))
  AND (coalesce(language, $45) = ANY ($46))
  AND NOT (coalesce(language, $47) = ANY ($48))
  AND (coalesce(utm_source, $49) = ANY ($50))
  AND NOT (coalesce(utm_source, $51) = ANY ($52))
  AND (coalesce(utm_medium, $53) = ANY ($54))
  AND NOT (coalesce(utm_medium, $55) = ANY ($56))
  AND (coalesce(utm_campaign, $57) = ANY ($58))
  AND NOT (coalesce(utm_campaign, $59) = ANY ($60))
  AND (coalesce(utm_term, $61) = ANY ($62))
  AND NOT (coalesce(utm_term, $63) = ANY ($64))
  AND (coalesce(utm_content, $65) = ANY ($66))
  AND NOT (coalesce(utm_content, $67) = ANY ($68))
  AND (coalesce(continent, $69) = ANY ($70))
  AND NOT (coalesce(continent, $71) = ANY ($72))
  AND (coalesce(trigger, $73) = ANY ($74))
  AND NOT (coalesce(trigger, $75) = ANY ($76))
  AND (coalesce(host, $77) = ANY ($78))
  AND NOT (coalesce(host, $79) = ANY ($80))
  AND (coalesce(referrer, $81) = ANY ($82))
  AND NOT (coalesce(referrer, $83) = ANY ($84))
  AND (coalesce(destination, $85) = ANY ($86))
  AND NOT (coalesce(destination, $87) = ANY ($88))
  AND (coalesce(rule_id, $89) = ANY ($90))
  AND NOT (coalesce(rule_id, $91) = ANY ($92))
  AND (coalesce(qr_id, $93) = ANY ($94))
  AND NOT (coalesce(qr_id, $95) = ANY ($96))
) AS recorded_clicks
CROSS JOIN (
SELECT (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, count(*)::float8 AS conversion_count, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue, coalesce(sum(per_approval) FILTER (WHERE status = 'approved'), 0)::float8 AS cost_of_approvals, coalesce(sum(revenue_usd_micros * of_revenue), 0)::float8 AS cost_of_revenue, (count(*) FILTER (WHERE is_unconverted))::float8 AS unconverted
FROM conversions
LEFT JOIN unnest($97::uuid[], $98::text[]::numeric[], $99::text[]::numeric[], $100::text[]::numeric[]) AS prices (charged_by, per_click, per_approval, of_revenue) ON charged_by = campaign_id
WHERE workspace_no = $101
  AND is_counted
  AND link_id = $102
  AND occurred_at >= $103
  AND occurred_at < $104
  AND (coalesce(referrer_domain, $105) = ANY ($106))
  AND NOT (coalesce(referrer_domain, $107) = ANY ($108))
  AND (coalesce(source_class, $109) = ANY ($110))
  AND NOT (coalesce(source_class, $111) = ANY ($112))
  AND (coalesce(country, $113) = ANY ($114) OR coalesce(country_code, $115) = ANY ($116))
  AND NOT (coalesce(country, $117) = ANY ($118) OR coalesce(country_code, $119) = ANY ($120))
  AND (coalesce(region, $121) = ANY ($122))
  AND NOT (coalesce(region, $123) = ANY ($124))
  AND (coalesce(city, $125) = ANY ($126))
  AND NOT (coalesce(city, $127) = ANY ($128))
  AND (coalesce(device, $129) = ANY ($130))
  AND NOT (coalesce(device, $131) = ANY ($132))
  AND (coalesce(browser, $133) = ANY ($134))
  AND NOT (coalesce(browser, $135) = ANY ($136))
  AND (coalesce(os, $137) = ANY ($138))
  AND NOT (coalesce(os, $139) = ANY ($140))
  AND (coalesce(language, $141) = ANY ($142))
  AND NOT (coalesce(language, $143) = ANY ($144))
  AND (coalesce(utm_source, $145) = ANY ($146))
  AND NOT (coalesce(utm_source, $147) = ANY ($148))
  AND (coalesce(utm_medium, $149) = ANY ($150))
  AND NOT (coalesce(utm_medium, $151) = ANY ($152))
  AND (coalesce(utm_campaign, $153) = ANY ($154))
  AND NOT (coalesce(utm_campaign, $155) = ANY ($156))
  AND (coalesce(utm_term, $157) = ANY ($158))
  AND NOT (coalesce(utm_term, $159) = ANY ($160))
  AND (coalesce(utm_content, $161) = ANY ($162))
  AND NOT (coalesce(utm_content, $163) = ANY ($164))
  AND (coalesce(continent, $165) = ANY ($166))
  AND NOT (coalesce(continent, $167) = ANY ($168))
  AND (coalesce(trigger, $169) = ANY ($170))
  AND NOT (coalesce(trigger, $171) = ANY ($172))
  AND (coalesce(host, $173) = ANY ($174))
  AND NOT (coalesce(host, $175) = ANY ($176))
  AND (coalesce(referrer, $177) = ANY ($178))
  AND NOT (coalesce(referrer, $179) = ANY ($180))
  AND (coalesce((SELECT destination FROM hits WHERE workspace_no = $181 AND click_id = conversions.click_id AND occurred_at >= conversions.clicked_at AND occurred_at < conversions.clicked_at + interval '1 millisecond' ORDER BY seq LIMIT 1), $182) = ANY ($183))
  AND NOT (coalesce((SELECT destination FROM hits WHERE workspace_no = $184 AND click_id = conversions.click_id AND occurred_at >= conversions.clicked_at AND occurred_at < conversions.clicked_at + interval '1 millisecond' ORDER BY seq LIMIT 1), $185) = ANY ($186))
  AND (coalesce(rule_id, $187) = ANY ($188))
  AND NOT (coalesce(rule_id, $189) = ANY ($190))
  AND (coalesce(qr_id, $191) = ANY ($192))
  AND NOT (coalesce(qr_id, $193) = ANY ($194))
) AS conversions;

-- analytics.link.summary filtered 1
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers, coalesce(extract(epoch FROM max(occurred_at)) * 1000000, 0)::float8 AS last_click
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
SELECT DISTINCT ON (slot) slot, label, counted_clicks
FROM (
SELECT CASE WHEN of_0 IS NOT NULL THEN 0 WHEN of_1 IS NOT NULL THEN 1 WHEN of_2 IS NOT NULL THEN 2 WHEN of_3 IS NOT NULL THEN 3 WHEN of_4 IS NOT NULL THEN 4 WHEN of_5 IS NOT NULL THEN 5 WHEN of_6 IS NOT NULL THEN 6 END AS slot, coalesce(of_0, of_1, of_2, of_3, of_4, of_5, of_6) AS label, count(*)::float8 AS counted_clicks
FROM (
SELECT coalesce(country_code, $1) COLLATE "C" AS of_0, coalesce(referrer_domain, $2) COLLATE "C" AS of_1, coalesce(device, $3) COLLATE "C" AS of_2, coalesce(browser, $4) COLLATE "C" AS of_3, coalesce(os, $5) COLLATE "C" AS of_4, coalesce(trigger, $6) COLLATE "C" AS of_5, coalesce(rule_id::text, $7) COLLATE "C" AS of_6
FROM hits
WHERE workspace_no = $8
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = $9
  AND occurred_at >= $10
  AND occurred_at < $11
  AND (coalesce(referrer_domain, $12) = ANY ($13))
  AND NOT (coalesce(referrer_domain, $14) = ANY ($15))
  AND (coalesce(source_class, $16) = ANY ($17))
  AND NOT (coalesce(source_class, $18) = ANY ($19))
  AND (coalesce(country, $20) = ANY ($21) OR coalesce(country_code, $22) = ANY ($23))
  AND NOT (coalesce(country, $24) = ANY ($25) OR coalesce(country_code, $26) = ANY ($27))
  AND (coalesce(region, $28) = ANY ($29))
  AND NOT (coalesce(region, $30) = ANY ($31))
  AND (coalesce(city, $32) = ANY ($33))
  AND NOT (coalesce(city, $34) = ANY ($35))
  AND (coalesce(device, $36) = ANY ($37))
  AND NOT (coalesce(device, $38) = ANY ($39))
  AND (coalesce(browser, $40) = ANY ($41))
  AND NOT (coalesce(browser, $42) = ANY ($43))
  AND (coalesce(os, $44) = ANY ($45))
  AND NOT (coalesce(os, $46) = ANY ($47))
  AND (coalesce(language, $48) = ANY ($49))
  AND NOT (coalesce(language, $50) = ANY ($51))
  AND (coalesce(utm_source, $52) = ANY ($53))
  AND NOT (coalesce(utm_source, $54) = ANY ($55))
  AND (coalesce(utm_medium, $56) = ANY ($57))
  AND NOT (coalesce(utm_medium, $58) = ANY ($59))
  AND (coalesce(utm_campaign, $60) = ANY ($61))
  AND NOT (coalesce(utm_campaign, $62) = ANY ($63))
  AND (coalesce(utm_term, $64) = ANY ($65))
  AND NOT (coalesce(utm_term, $66) = ANY ($67))
  AND (coalesce(utm_content, $68) = ANY ($69))
  AND NOT (coalesce(utm_content, $70) = ANY ($71))
  AND (coalesce(continent, $72) = ANY ($73))
  AND NOT (coalesce(continent, $74) = ANY ($75))
  AND (coalesce(trigger, $76) = ANY ($77))
  AND NOT (coalesce(trigger, $78) = ANY ($79))
  AND (coalesce(host, $80) = ANY ($81))
  AND NOT (coalesce(host, $82) = ANY ($83))
  AND (coalesce(referrer, $84) = ANY ($85))
  AND NOT (coalesce(referrer, $86) = ANY ($87))
  AND (coalesce(destination, $88) = ANY ($89))
  AND NOT (coalesce(destination, $90) = ANY ($91))
  AND (coalesce(rule_id, $92) = ANY ($93))
  AND NOT (coalesce(rule_id, $94) = ANY ($95))
  AND (coalesce(qr_id, $96) = ANY ($97))
  AND NOT (coalesce(qr_id, $98) = ANY ($99))
) AS clicks_of_links
GROUP BY GROUPING SETS ((of_0), (of_1), (of_2), (of_3), (of_4), (of_5), (of_6))
) AS leaders
ORDER BY slot, counted_clicks DESC, label ASC;

-- analytics.link.summary filtered 3
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
  AND (coalesce(host, $74) = ANY ($75))
  AND NOT (coalesce(host, $76) = ANY ($77))
  AND (coalesce(referrer, $78) = ANY ($79))
  AND NOT (coalesce(referrer, $80) = ANY ($81))
  AND (coalesce(destination, $82) = ANY ($83))
  AND NOT (coalesce(destination, $84) = ANY ($85))
  AND (coalesce(rule_id, $86) = ANY ($87))
  AND NOT (coalesce(rule_id, $88) = ANY ($89))
  AND (coalesce(qr_id, $90) = ANY ($91))
  AND NOT (coalesce(qr_id, $92) = ANY ($93))
GROUP BY 1, 2
ORDER BY slot ASC, label ASC;

-- qr.scans 0
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND qr_id = $2
  AND occurred_at >= $3
) AS clicks_of_links;

-- qr.scans 1
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers, coalesce(extract(epoch FROM max(occurred_at)) * 1000000, 0)::float8 AS last_click
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND qr_id = $2
  AND occurred_at >= $3
) AS clicks_of_links;

-- qr.scans 2
SELECT width_bucket(occurred_at, $1::timestamptz[]) AS slot, '' COLLATE "C" AS label, count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND qr_id = $3
  AND occurred_at >= $4
GROUP BY 1, 2
ORDER BY slot ASC, label ASC;

-- qr.scans filtered 0
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND qr_id = $2
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
  AND (coalesce(host, $73) = ANY ($74))
  AND NOT (coalesce(host, $75) = ANY ($76))
  AND (coalesce(referrer, $77) = ANY ($78))
  AND NOT (coalesce(referrer, $79) = ANY ($80))
  AND (coalesce(destination, $81) = ANY ($82))
  AND NOT (coalesce(destination, $83) = ANY ($84))
  AND (coalesce(rule_id, $85) = ANY ($86))
  AND NOT (coalesce(rule_id, $87) = ANY ($88))
  AND (coalesce(qr_id, $89) = ANY ($90))
  AND NOT (coalesce(qr_id, $91) = ANY ($92))
) AS clicks_of_links;

-- qr.scans filtered 1
SELECT *
FROM (
SELECT count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers, coalesce(extract(epoch FROM max(occurred_at)) * 1000000, 0)::float8 AS last_click
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND qr_id = $2
  AND occurred_at >= $3
) AS clicks_of_links;

-- qr.scans filtered 2
SELECT width_bucket(occurred_at, $1::timestamptz[]) AS slot, '' COLLATE "C" AS label, count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers
FROM hits
WHERE workspace_no = $2
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND qr_id = $3
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
  AND (coalesce(host, $74) = ANY ($75))
  AND NOT (coalesce(host, $76) = ANY ($77))
  AND (coalesce(referrer, $78) = ANY ($79))
  AND NOT (coalesce(referrer, $80) = ANY ($81))
  AND (coalesce(destination, $82) = ANY ($83))
  AND NOT (coalesce(destination, $84) = ANY ($85))
  AND (coalesce(rule_id, $86) = ANY ($87))
  AND NOT (coalesce(rule_id, $88) = ANY ($89))
  AND (coalesce(qr_id, $90) = ANY ($91))
  AND NOT (coalesce(qr_id, $92) = ANY ($93))
GROUP BY 1, 2
ORDER BY slot ASC, label ASC;

-- links.counts
SELECT slot, label, coalesce(counted_clicks, 0) AS counted_clicks, coalesce(unique_clickers, 0) AS unique_clickers, coalesce(last_click, 0) AS last_click, coalesce(conversion_count, 0) AS conversion_count, coalesce(leads, 0) AS leads, coalesce(sales, 0) AS sales, coalesce(revenue, 0) AS revenue
FROM (
SELECT 0 AS slot, link_id::text COLLATE "C" AS label, count(*)::float8 AS counted_clicks, count(DISTINCT visitor_hash)::float8 AS unique_clickers, coalesce(extract(epoch FROM max(occurred_at)) * 1000000, 0)::float8 AS last_click
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = ANY ($2)
  AND occurred_at >= $3
GROUP BY 1, 2
) AS clicks_of_links
FULL JOIN (
SELECT 0 AS slot, link_id::text COLLATE "C" AS label, count(*)::float8 AS conversion_count, (count(*) FILTER (WHERE is_lead))::float8 AS leads, (count(*) FILTER (WHERE is_sale))::float8 AS sales, coalesce(sum(revenue_usd_micros), 0)::float8 AS revenue
FROM conversions
WHERE workspace_no = $4
  AND is_counted
  AND link_id = ANY ($5)
  AND occurred_at >= $6
  AND link_id IS NOT NULL
GROUP BY 1, 2
) AS conversions USING (slot, label)
ORDER BY counted_clicks DESC, label ASC;

-- qr.counts
SELECT 0 AS slot, qr_id::text COLLATE "C" AS label, count(*)::float8 AS counted_clicks
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND link_id = ANY ($2)
  AND occurred_at >= $3
  AND qr_id IS NOT NULL
GROUP BY 1, 2
ORDER BY counted_clicks DESC, label ASC;

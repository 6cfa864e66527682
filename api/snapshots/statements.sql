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

//! The expected data of three reports, computed with plain SQL and simple steps instead of the
//! report engine.

use crate::{Creator, System};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use runtime::Clock;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// `Math.round`: half up.
pub(crate) fn js_round(x: f64) -> f64 {
    (x + 0.5).floor()
}

/// A number as JavaScript writes it in JSON: 5, not 5.0.
#[expect(clippy::cast_possible_truncation, reason = "whole and small")]
pub(crate) fn js_number(x: f64) -> Value {
    if x.fract() == 0.0 {
        json!(x as i64)
    } else {
        json!(x)
    }
}

/// Notes every place in which an answer differs from the expected one, by its path.
pub fn differences(path: &str, got: &Value, expected: &Value, wrong: &mut Vec<String>) {
    match (got, expected) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            for (name, value) in a {
                differences(&format!("{path} {name}"), value, &b[name], wrong);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (one, other)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path} {index}"), one, other, wrong);
            }
        }
        _ if got == expected => {}
        _ => wrong.push(format!("{path}: {got} instead of {expected}")),
    }
}

/// `days` times 24 hours back, rounded down to a quarter of an hour.
///
/// # Panics
/// Never for days of a calendar.
#[must_use]
pub fn since(now: Timestamp, days: i64) -> Timestamp {
    let second = (now - SignedDuration::from_hours(24 * days)).as_second();
    Timestamp::from_second(second.div_euclid(900) * 900).unwrap()
}

pub(crate) fn ctr(clicks: i64, views: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "as JavaScript does")]
    let ratio = if views == 0 {
        0.0
    } else {
        js_round(clicks as f64 / views as f64 * 10_000.0) / 100.0
    };
    js_number(ratio)
}

async fn count(analytics: &PgPool, statement: &'static str, page: Uuid, since: Timestamp) -> i64 {
    let row = sqlx::query(statement)
        .bind(page)
        .bind(since.to_sqlx())
        .fetch_one(analytics)
        .await
        .unwrap();
    row.get(0)
}

async fn total_views(analytics: &PgPool, page: Uuid, since: Timestamp) -> i64 {
    let statement = "SELECT COUNT(*) FROM hits WHERE page_id = $1::uuid AND occurred_at >= $2";
    count(analytics, statement, page, since).await
}

/// The expected data of `/overview`.
///
/// # Panics
/// If a query fails.
pub async fn overview(analytics: &PgPool, page: Uuid, now: Timestamp, days: i64) -> Value {
    let since = since(now, days);
    let views = total_views(analytics, page, since).await;
    let clicks = "SELECT COUNT(*) FROM hits
        WHERE page_id = $1::uuid AND occurred_at >= $2 AND link_id IS NOT NULL";
    let clicks = count(analytics, clicks, page, since).await;
    let visitors = "SELECT COUNT(*) FROM (
            SELECT visitor_hash FROM sessions WHERE page_id = $1::uuid AND started_at >= $2 GROUP BY visitor_hash
        ) AS visitors";
    let visitors = count(analytics, visitors, page, since).await;
    json!({
        "totalViews": views, "uniqueVisitors": visitors, "totalClicks": clicks,
        "ctr": ctr(clicks, views), "days": days,
    })
}

/// The expected data of `/traffic`.
///
/// # Panics
/// If a query fails.
pub async fn traffic(analytics: &PgPool, page: Uuid, now: Timestamp, days: i64) -> Value {
    let rows = sqlx::query(
        "SELECT COALESCE(referrer_domain, 'direct') AS source, COUNT(*)::int AS visits
        FROM sessions
        WHERE page_id = $1::uuid AND started_at >= $2
        GROUP BY referrer_domain
        ORDER BY visits DESC, source ASC
        LIMIT 15",
    )
    .bind(page)
    .bind(since(now, days).to_sqlx())
    .fetch_all(analytics)
    .await
    .unwrap();
    let rows: Vec<(String, i32)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let total: i32 = rows.iter().map(|(_, visits)| visits).sum();
    let share = |visits: i32| {
        if total == 0 {
            json!(0)
        } else {
            js_number(js_round(f64::from(visits) / f64::from(total) * 100.0))
        }
    };
    let sources: Vec<Value> = rows
        .into_iter()
        .map(|(source, visits)| json!({"source": source, "visits": visits, "percentage": share(visits)}))
        .collect();
    json!({ "sources": sources })
}

/// The expected data of `/links`. All links that never belonged to the caller share one row.
///
/// # Panics
/// If a query fails.
pub async fn links(
    analytics: &PgPool,
    main: &PgPool,
    page: Uuid,
    now: Timestamp,
    days: i64,
) -> Value {
    let since = since(now, days);
    let rows = sqlx::query(
        "SELECT link_id, COUNT(*)::int AS clicks
        FROM hits
        WHERE page_id = $1::uuid AND link_id IS NOT NULL AND occurred_at >= $2
        GROUP BY link_id
        ORDER BY clicks DESC, link_id ASC",
    )
    .bind(page)
    .bind(since.to_sqlx())
    .fetch_all(analytics)
    .await
    .unwrap();
    let views = total_views(analytics, page, since).await;
    let known = sqlx::query(
        "SELECT links.id, bio_links.title, links.destination
        FROM links
        LEFT JOIN bio_links ON bio_links.link_id = links.id
        WHERE links.workspace_id = (
            SELECT creators.workspace_id
            FROM creators
            JOIN bio_pages ON bio_pages.creator_id = creators.id
            WHERE bio_pages.id = $1
        )",
    )
    .bind(page)
    .fetch_all(main)
    .await
    .unwrap();
    let known: HashMap<Uuid, (Option<String>, String)> = known
        .iter()
        .map(|link| (link.get(0), (link.get(1), link.get(2))))
        .collect();
    let mut clicks: BTreeMap<Uuid, i64> = BTreeMap::new();
    for row in rows {
        let (id, count): (Uuid, i32) = (row.get(0), row.get(1));
        // All links that never belonged to the caller share one row.
        let listed = if known.contains_key(&id) {
            id
        } else {
            Uuid::nil()
        };
        *clicks.entry(listed).or_default() += i64::from(count);
    }
    let mut clicks: Vec<(Uuid, i64)> = clicks.into_iter().collect();
    clicks.sort_by_key(|(_, clicks)| std::cmp::Reverse(*clicks));
    let links = clicks.into_iter().map(|(id, clicks)| {
        let (title, url) = match known.get(&id) {
            Some((Some(title), url)) => (title.as_str(), url.as_str()),
            _ => ("Unknown", ""),
        };
        json!({"id": id, "title": title, "url": url, "clicks": clicks, "ctr": ctr(clicks, views)})
    });
    let links: Vec<Value> = links.collect();
    json!({ "links": links, "totalViews": views })
}

/// The expected data of a page's three reports, as `(path, data)`.
pub async fn reports(
    analytics: &PgPool,
    main: &PgPool,
    page: Uuid,
    now: Timestamp,
    days: i64,
) -> [(String, Value); 3] {
    [
        (
            format!("overview?days={days}"),
            overview(analytics, page, now, days).await,
        ),
        (
            format!("traffic?days={days}"),
            traffic(analytics, page, now, days).await,
        ),
        (
            format!("links?days={days}"),
            links(analytics, main, page, now, days).await,
        ),
    ]
}

/// Asserts that the three reports have the expected data, for several windows.
///
/// # Panics
/// If one differs.
pub async fn assert_reports(system: &System, creator: &Creator) {
    let now = system.clock.now();
    for days in [1, 7, 30, 365] {
        for (path, expected) in
            reports(&system.analytics, &system.main, creator.page, now, days).await
        {
            assert_eq!(
                system.client.report(creator, &path).await,
                expected,
                "{path}"
            );
        }
    }
}

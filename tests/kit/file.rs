//! The expected reports of an import file: a plain count of its lines, without any code of the program.

use crate::oracle::{ctr, js_number, js_round, since};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The lines of a file, as visits that count.
#[derive(Clone, Debug)]
pub struct Counted {
    visits: Vec<Value>,
}

fn time(value: &Value) -> Timestamp {
    value["occurredAt"].as_str().unwrap().parse().unwrap()
}

fn views(visit: &Value) -> &[Value] {
    visit["views"].as_array().map_or(&[], Vec::as_slice)
}

impl Counted {
    /// The visits of a file of good lines; crawlers do not count.
    ///
    /// # Panics
    /// If a line is invalid JSON.
    #[must_use]
    pub fn of(file: &str) -> Self {
        let visits = file.lines().map(|line| serde_json::from_str(line).unwrap());
        let counts = |visit: &Value| {
            let agent = visit["userAgent"]
                .as_str()
                .unwrap_or_default()
                .to_lowercase();
            !agent.contains("bot") && !agent.contains("externalhit")
        };
        Self {
            visits: visits.filter(counts).collect(),
        }
    }

    /// The number of visits that count.
    #[must_use]
    pub const fn visits(&self) -> usize {
        self.visits.len()
    }

    /// The number of their events: a visit, its user, its heartbeats, its views and their leaves.
    #[must_use]
    pub fn events(&self) -> usize {
        let of = |visit: &Value| {
            let left = views(visit).iter().filter(|view| view["leave"].is_object());
            let beats = usize::try_from(visit["heartbeats"].as_u64().unwrap_or(0)).unwrap_or(0);
            1 + usize::from(visit["userId"].is_string()) + beats + views(visit).len() + left.count()
        };
        self.visits.iter().map(of).sum()
    }

    /// The three reports, as `(path, data)`; `links` are those of the page, with title and url.
    ///
    /// # Panics
    /// If a line is bad.
    #[must_use]
    pub fn reports(
        &self,
        links: &BTreeMap<Uuid, (String, String)>,
        now: Timestamp,
        days: i64,
    ) -> [(String, Value); 3] {
        let since = since(now, days);
        let visits = || self.visits.iter().filter(|visit| time(visit) >= since);
        let seen: Vec<&Value> = self
            .visits
            .iter()
            .flat_map(views)
            .filter(|view| time(view) >= since)
            .collect();
        let mut clicks: BTreeMap<Uuid, i64> = BTreeMap::new();
        for view in &seen {
            if let Some(link) = view["linkClicked"].as_str() {
                *clicks.entry(link.parse().unwrap()).or_default() += 1;
            }
        }
        let total_views = i64::try_from(seen.len()).unwrap();
        let total_clicks: i64 = clicks.values().sum();
        let visitors: BTreeSet<&str> = visits()
            .map(|visit| visit["visitorId"].as_str().unwrap())
            .collect();
        let overview = json!({
            "totalViews": total_views, "uniqueVisitors": visitors.len(), "totalClicks": total_clicks,
            "ctr": ctr(total_clicks, total_views), "days": days,
        });

        let mut sources: BTreeMap<String, i32> = BTreeMap::new();
        for visit in visits() {
            *sources.entry(source(visit)).or_default() += 1;
        }
        let mut sources: Vec<(String, i32)> = sources.into_iter().collect();
        sources.sort_by_key(|(_, visits)| -visits);
        sources.truncate(15);
        let sum: i32 = sources.iter().map(|(_, visits)| visits).sum();
        let sources: Vec<Value> = sources
            .into_iter()
            .map(|(source, visits)| {
                let percentage = js_number(js_round(f64::from(visits) / f64::from(sum) * 100.0));
                json!({"source": source, "visits": visits, "percentage": percentage})
            })
            .collect();

        let mut ranked: Vec<(Uuid, i64)> = clicks.into_iter().collect();
        ranked.sort_by_key(|(_, clicks)| -clicks);
        let ranked: Vec<Value> = ranked
            .into_iter()
            .map(|(id, clicks)| {
                let unknown = ("Unknown".to_owned(), String::new());
                let (title, url) = links.get(&id).unwrap_or(&unknown);
                json!({"id": id, "title": title, "url": url, "clicks": clicks, "ctr": ctr(clicks, total_views)})
            })
            .collect();
        [
            (format!("overview?days={days}"), overview),
            (
                format!("traffic?days={days}"),
                json!({ "sources": sources }),
            ),
            (
                format!("links?days={days}"),
                json!({"links": ranked, "totalViews": total_views}),
            ),
        ]
    }

    /// The totals of each visit, as [`sessions`] returns them: start, views, heartbeats, bounced, seconds
    /// and last activity.
    #[must_use]
    pub fn sessions(&self) -> Vec<String> {
        let mut sessions: Vec<String> = self.visits.iter().map(session).collect();
        sessions.sort_unstable();
        sessions
    }
}

fn source(visit: &Value) -> String {
    let Some(referrer) = visit["referrer"].as_str() else {
        return "direct".to_owned();
    };
    let host = referrer.split('/').nth(2).unwrap_or_default();
    host.replacen("www.", "", 1)
}

fn session(visit: &Value) -> String {
    let start = time(visit);
    let beats = visit["heartbeats"].as_i64().unwrap_or(0);
    let mut last = start + SignedDuration::from_secs(30 * beats);
    let mut seconds = 0.0;
    let mut left = false;
    let views = views(visit);
    for (index, view) in views.iter().enumerate() {
        let at = time(view);
        last = last.max(at);
        if let Some(duration) = view["leave"]["duration"].as_f64() {
            left = true;
            seconds += duration;
            #[expect(clippy::cast_possible_truncation, reason = "at most an hour")]
            let micros = (duration * 1e6).round() as i64;
            last = last.max(at + SignedDuration::from_micros(micros));
        } else if let Some(next) = views.get(index + 1) {
            let apart = time(next).duration_since(at).as_secs_f64();
            if apart <= 3600.0 {
                seconds += js_round(apart);
            }
        }
    }
    let seconds = match (beats, left) {
        (0, true) => seconds,
        (0, false) => 0.0,
        #[expect(clippy::cast_precision_loss, reason = "at most a day")]
        (beats, _) => 30.0 * beats as f64,
    };
    let bounced = views.len() < 2;
    format!(
        "{start} {} {beats} {bounced} {seconds:.3} {last:.6}",
        views.len()
    )
}

/// The totals in the tables of every session that began.
///
/// # Panics
/// If the query fails.
pub async fn sessions(analytics: &PgPool) -> Vec<String> {
    let rows = sqlx::query(
        "SELECT started_at, page_views, heartbeats, bounced, duration_seconds, last_activity_at
        FROM sessions",
    )
    .fetch_all(analytics)
    .await
    .unwrap();
    let mut sessions: Vec<String> = rows
        .iter()
        .map(|row| {
            let at = |column: &str| row.get::<jiff_sqlx::Timestamp, _>(column).to_jiff();
            let (views, beats): (i32, i32) = (row.get("page_views"), row.get("heartbeats"));
            let (bounced, seconds): (bool, f64) = (row.get("bounced"), row.get("duration_seconds"));
            let (start, last) = (at("started_at"), at("last_activity_at"));
            format!("{start} {views} {beats} {bounced} {seconds:.3} {last:.6}")
        })
        .collect();
    sessions.sort_unstable();
    sessions
}

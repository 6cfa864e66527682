//! Every report of the catalogue once more, from the raw rows and as plainly as can be: loops over rows
//! in memory, no SQL but for reading them. What the engine answers must equal this.
//!
//! Owns no rule of its own: the rules are those of `docs/API-DESIGN.md`.

use crate::{
    ask::{Ask, DIMENSIONS, meant},
    oracle::{js_number, js_round, since},
};
use jiff::{
    SignedDuration, Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde_json::{Map, Value, json};
use sqlx::{PgPool, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

#[derive(Debug)]
struct Visit {
    at: Timestamp,
    visitor: Option<Vec<u8>>,
    /// By dimension, null labels in place.
    is: BTreeMap<&'static str, String>,
    country_code: String,
    views: usize,
    seconds: f64,
}

#[derive(Debug)]
struct View {
    at: Timestamp,
    session: Uuid,
    link: Option<Uuid>,
}

/// The raw rows of a page.
#[derive(Debug)]
pub struct Rows {
    visits: BTreeMap<Uuid, Visit>,
    views: Vec<View>,
    refusals: Vec<(Timestamp, String, i32)>,
    names: HashMap<Uuid, Option<(String, String)>>,
}

impl Rows {
    /// Reads them; `names` are the caller's links, without a name those that were deleted.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn read(
        analytics: &PgPool,
        page: Uuid,
        names: HashMap<Uuid, Option<(String, String)>>,
    ) -> Self {
        let time = |row: &sqlx::postgres::PgRow, name: &str| {
            row.get::<jiff_sqlx::Timestamp, _>(name).to_jiff()
        };
        let sessions = "SELECT * FROM sessions WHERE page_id = $1";
        let sessions = sqlx::query(sessions).bind(page).fetch_all(analytics).await;
        let hits = sqlx::query("SELECT * FROM hits").fetch_all(analytics).await;
        let refused = sqlx::query("SELECT * FROM refusals WHERE page_id = $1");
        let refused = refused.bind(page).fetch_all(analytics).await;
        let (sessions, hits) = (sessions.unwrap(), hits.unwrap());

        let mut leaves: BTreeMap<Uuid, f64> = BTreeMap::new();
        let mut of_session: BTreeMap<Uuid, Vec<(Timestamp, Uuid, Uuid)>> = BTreeMap::new();
        let mut views = Vec::new();
        for row in &hits {
            let (at, session) = (time(row, "occurred_at"), row.get("session_id"));
            if let Some(micros) = row.get::<Option<i64>, _>("left_micros") {
                #[expect(clippy::cast_precision_loss, reason = "at most an hour")]
                leaves.insert(row.get("pageview_id"), micros as f64 / 1e6);
            }
            let view = (at, row.get("event_id"), row.get("pageview_id"));
            of_session.entry(session).or_default().push(view);
            if row.get::<Uuid, _>("page_id") == page {
                let link = row.get("link_id");
                views.push(View { at, session, link });
            }
        }
        let refusals = refused.unwrap();
        let refusals = refusals.iter().map(|row| {
            let (reason, count) = (row.get("refusal_reason"), row.get("refusal_count"));
            (time(row, "occurred_at"), reason, count)
        });
        let visits = sessions.iter().map(|row| {
            let id: Uuid = row.get("session_id");
            let mut views = of_session.remove(&id).unwrap_or_default();
            views.sort_unstable();
            let is = DIMENSIONS.map(|(name, column, null)| {
                let value: Option<String> = row.get(column);
                (name, value.unwrap_or_else(|| null.to_owned()))
            });
            let visit = Visit {
                at: time(row, "started_at"),
                visitor: row.get("visitor_hash"),
                is: is.into(),
                country_code: row
                    .get::<Option<String>, _>("country_code")
                    .unwrap_or_default(),
                views: views.len(),
                seconds: seconds(
                    row.get::<i32, _>("heartbeats").unsigned_abs(),
                    &views,
                    &leaves,
                ),
            };
            (id, visit)
        });
        Self {
            visits: visits.collect(),
            views,
            refusals: refusals.collect(),
            names,
        }
    }

    /// What the report must answer: `data`, or the text of a file.
    ///
    /// # Panics
    /// On a report that has no oracle here.
    #[must_use]
    pub fn expect(&self, ask: &Ask, now: Timestamp) -> Value {
        let since = since(now, ask.days);
        let window = self.cut(ask, since, None);
        let zone = &TimeZoneDatabase::bundled().get(ask.zone).unwrap();
        let span = SignedDuration::from_hours(24 * ask.days);
        let before = ask
            .compare
            .then(|| self.cut(ask, since - span, Some(since)));
        match ask.report.as_str() {
            "overview" => {
                let names = ["totalViews", "uniqueVisitors", "totalClicks", "ctr"];
                let mut data = compared(
                    window.overview(),
                    &names,
                    before.as_ref().map(Cut::overview),
                );
                data["days"] = json!(ask.days);
                data
            }
            "sessions" => {
                let names = [
                    "totalSessions",
                    "bounceRate",
                    "avgDuration",
                    "pagesPerSession",
                ];
                compared(
                    window.sessions(),
                    &names,
                    before.as_ref().map(Cut::sessions),
                )
            }
            "traffic" => json!({"sources": window.by("referrer", "source", "visits", Some(15))}),
            "geo" => json!({"locations": window.by("country", "country", "visits", Some(20))}),
            "devices" => json!({"segments": window.by("device", "name", "count", None)}),
            "links" => window.links(),
            "trend" => {
                let mut data = json!({"days": ask.days, "daily": window.trend(zone)});
                if let Some(before) = before {
                    let sums = |cut: &Cut| [cut.views.len(), cut.clicks()].map(|n| json!(n));
                    let ([views, clicks], [views_before, clicks_before]) =
                        (sums(&window), sums(&before));
                    data["previous"] = json!({"daily": before.trend(zone)});
                    data["change"] = json!({
                        "views": percent(&views, &views_before),
                        "clicks": percent(&clicks, &clicks_before),
                    });
                }
                data
            }
            "refusals" => json!({"days": ask.days, "daily": window.refusals(zone)}),
            "breakdown" => {
                let (_, dimension) = ask.choice.as_ref().unwrap();
                let rows = match dimension.as_str() {
                    "hour_of_week" => window.hours(zone),
                    other => window.by(other, "value", "visits", Some(100)),
                };
                json!({"dimension": dimension, "rows": rows})
            }
            "export" => {
                let (_, kind) = ask.choice.as_ref().unwrap();
                json!(window.file(kind, ask.days))
            }
            other => panic!("there is no oracle for {other}"),
        }
    }

    fn cut(&self, ask: &Ask, since: Timestamp, until: Option<Timestamp>) -> Cut<'_> {
        let in_time = |at: Timestamp| at >= since && until.is_none_or(|until| at < until);
        let wanted = |visit: &Visit| {
            ask.filters.iter().all(|(name, values)| {
                let is = |value: &str| {
                    let (value, visited) = (meant(name, value), &visit.is[name]);
                    let same = |stored: &str| match *name {
                        "country" | "device" | "source_class" => {
                            stored.eq_ignore_ascii_case(&value)
                        }
                        _ => stored == value,
                    };
                    same(visited) || (*name == "country" && same(&visit.country_code))
                };
                let (not, one_of): (Vec<&String>, Vec<&String>) =
                    values.iter().partition(|value| value.starts_with('-'));
                (one_of.is_empty() || one_of.iter().any(|value| is(value)))
                    && !not.iter().any(|value| is(&value[1..]))
            })
        };
        let visits = self.visits.values();
        let views = self.views.iter();
        let refusals = self.refusals.iter();
        Cut {
            visits: visits.filter(|v| in_time(v.at) && wanted(v)).collect(),
            views: views
                .filter(|view| in_time(view.at) && wanted(&self.visits[&view.session]))
                .collect(),
            refusals: refusals.filter(|refused| in_time(refused.0)).collect(),
            names: &self.names,
        }
    }
}

/// The duration of a visit: 30 s a heartbeat; without any, the sum of its views if one of them was left.
fn seconds(beats: u32, views: &[(Timestamp, Uuid, Uuid)], leaves: &BTreeMap<Uuid, f64>) -> f64 {
    if beats > 0 {
        return f64::from(beats) * 30.0;
    }
    if !views.iter().any(|(.., view)| leaves.contains_key(view)) {
        return 0.0;
    }
    let mut sum = 0.0;
    for (index, (at, _, view)) in views.iter().enumerate() {
        let next = views
            .get(index + 1)
            .map(|(next, ..)| next.duration_since(*at));
        sum += match (leaves.get(view), next) {
            (Some(seconds), _) => *seconds,
            (None, Some(gap)) if gap.as_millis() <= 3_600_000 => js_round(gap.as_secs_f64()),
            _ => 0.0,
        };
    }
    sum
}

/// The rows that a question is about.
struct Cut<'a> {
    visits: Vec<&'a Visit>,
    views: Vec<&'a View>,
    refusals: Vec<&'a (Timestamp, String, i32)>,
    names: &'a HashMap<Uuid, Option<(String, String)>>,
}

#[expect(clippy::cast_precision_loss, reason = "as JavaScript does")]
fn ratio(part: f64, whole: usize, scale: f64, unit: f64) -> Value {
    if whole == 0 {
        json!(0)
    } else {
        js_number(js_round(part / whole as f64 * scale) / unit)
    }
}

/// With the numbers of the window before, and the change of each that is named.
fn compared(mut data: Value, names: &[&str], previous: Option<Value>) -> Value {
    if let Some(previous) = previous {
        let change = names.iter().map(|name| {
            let change = percent(&data[*name], &previous[*name]);
            ((*name).to_owned(), change)
        });
        let change: Map<String, Value> = change.collect();
        data["previous"] = previous;
        data["change"] = Value::Object(change);
    }
    data
}

fn percent(now: &Value, before: &Value) -> Value {
    let (now, before) = (now.as_f64().unwrap(), before.as_f64().unwrap());
    if before == 0.0 {
        Value::Null
    } else {
        js_number(js_round((now - before) / before * 10_000.0) / 100.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
impl Cut<'_> {
    fn clicks(&self) -> usize {
        self.views.iter().filter(|view| view.link.is_some()).count()
    }

    fn overview(&self) -> Value {
        let visitors: BTreeSet<_> = self
            .visits
            .iter()
            .filter_map(|v| v.visitor.as_ref())
            .collect();
        json!({
            "totalViews": self.views.len(),
            "uniqueVisitors": visitors.len(),
            "totalClicks": self.clicks(),
            "ctr": ratio(self.clicks() as f64, self.views.len(), 10_000.0, 100.0),
        })
    }

    fn sessions(&self) -> Value {
        let total = self.visits.len();
        let bounced = self.visits.iter().filter(|visit| visit.views < 2).count();
        let timed: Vec<f64> = self
            .visits
            .iter()
            .map(|v| v.seconds)
            .filter(|s| *s > 0.0)
            .collect();
        let views: usize = self.visits.iter().map(|visit| visit.views).sum();
        json!({
            "totalSessions": total,
            "bounceRate": ratio(bounced as f64, total, 100.0, 1.0),
            "avgDuration": ratio(timed.iter().sum(), timed.len(), 1.0, 1.0),
            "pagesPerSession": ratio(views as f64, total, 10.0, 10.0),
        })
    }

    fn by(&self, dimension: &str, label: &str, count: &str, top: Option<usize>) -> Value {
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        for visit in &self.visits {
            *counts.entry(&visit.is[dimension]).or_default() += 1;
        }
        // Sorting is stable: ties stay in the order of their names' bytes.
        let mut rows: Vec<(&String, usize)> = counts.into_iter().collect();
        rows.sort_by_key(|(_, visits)| std::cmp::Reverse(*visits));
        rows.truncate(top.unwrap_or(usize::MAX));
        let total: usize = rows.iter().map(|(_, visits)| visits).sum();
        let rows = rows.into_iter().map(|(value, visits)| {
            json!({label: value, count: visits, "percentage": ratio(visits as f64, total, 100.0, 1.0)})
        });
        Value::Array(rows.collect())
    }

    fn links(&self) -> Value {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for link in self.views.iter().filter_map(|view| view.link) {
            let ours = self.names.contains_key(&link);
            let listed = if ours { link } else { Uuid::nil() };
            *counts.entry(listed.to_string()).or_default() += 1;
        }
        let mut rows: Vec<(String, usize)> = counts.into_iter().collect();
        rows.sort_by_key(|(_, clicks)| std::cmp::Reverse(*clicks));
        let total = self.views.len();
        let unknown = ("Unknown".to_owned(), String::new());
        let rows = rows.into_iter().map(|(id, clicks)| {
            let name = self.names.get(&id.parse().unwrap());
            let (title, url) = name.and_then(Option::as_ref).unwrap_or(&unknown);
            json!({
                "id": id, "title": title, "url": url, "clicks": clicks,
                "ctr": ratio(clicks as f64, total, 10_000.0, 100.0),
            })
        });
        json!({"links": rows.collect::<Vec<_>>(), "totalViews": total})
    }

    fn trend(&self, zone: &TimeZone) -> Value {
        let mut days: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for view in &self.views {
            let day = days.entry(day(view.at, zone)).or_default();
            day.0 += 1;
            day.1 += u64::from(view.link.is_some());
        }
        let rows = days
            .into_iter()
            .map(|(day, (views, clicks))| json!({"day": day, "views": views, "clicks": clicks}));
        Value::Array(rows.collect())
    }

    fn refusals(&self, zone: &TimeZone) -> Value {
        let mut days: BTreeMap<(String, &String), i32> = BTreeMap::new();
        for (at, reason, count) in &self.refusals {
            *days.entry((day(*at, zone), reason)).or_default() += count;
        }
        let rows = days
            .into_iter()
            .map(|((day, reason), count)| json!({"day": day, "reason": reason, "count": count}));
        Value::Array(rows.collect())
    }

    fn hours(&self, zone: &TimeZone) -> Value {
        let mut hours: BTreeMap<(i8, i8), (String, usize)> = BTreeMap::new();
        for visit in &self.visits {
            let local = visit.at.to_zoned(zone.clone());
            let key = (local.weekday().to_monday_zero_offset(), local.hour());
            let name = local.strftime("%a %H:00").to_string();
            hours.entry(key).or_insert((name, 0)).1 += 1;
        }
        let total = self.visits.len();
        let rows = hours.into_values().map(|(name, visits)| {
            json!({"value": name, "visits": visits, "percentage": ratio(visits as f64, total, 100.0, 1.0)})
        });
        Value::Array(rows.collect())
    }

    fn file(&self, kind: &str, days: i64) -> String {
        let mut overview = self.overview();
        overview["days"] = json!(days);
        let (columns, rows): (&[&str], Vec<Value>) = match kind {
            "overview" => (
                &["totalViews", "uniqueVisitors", "totalClicks", "ctr", "days"],
                vec![overview],
            ),
            "traffic" => {
                let rows = self.by("referrer", "source", "visits", Some(15));
                (
                    &["source", "visits", "percentage"],
                    rows.as_array().unwrap().clone(),
                )
            }
            _ => {
                let rows = self.links()["links"].as_array().unwrap().clone();
                (&["id", "title", "url", "clicks", "ctr"], rows)
            }
        };
        let mut text = columns.join(",") + "\n";
        for row in rows {
            let cells = columns.iter().map(|column| match &row[*column] {
                Value::String(text) => cell(text),
                number => number.to_string(),
            });
            text += &(cells.collect::<Vec<_>>().join(",") + "\n");
        }
        text
    }
}

/// Neutralises a formula at the beginning of a cell, and behind a semicolon.
fn cell(text: &str) -> String {
    let parts = text.split(';').map(|part| match part.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{part}"),
        _ => part.to_owned(),
    });
    let text = parts.collect::<Vec<_>>().join(";");
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn day(at: Timestamp, zone: &TimeZone) -> String {
    let date = at.to_zoned(zone.clone()).date();
    format!("{date}T00:00:00.000Z")
}

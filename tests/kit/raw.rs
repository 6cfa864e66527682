//! Reads the raw rows of a tenant into memory, each as a JSON object of its columns.
//!
//! The summaries of a visit (its views, its duration) are computed here again from its events. So
//! reports are checked against the events, not against the projector's results.

use crate::{
    ask::{Ask, Filters},
    oracle::js_round,
};
use jiff::Timestamp;
use schemas::analytics::{Dimension, facts::FACTS};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, PgPool, Row as _};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// When it happened.
    pub(crate) at: Timestamp,
    columns: Map<String, Value>,
}

impl Row {
    /// The value of a column.
    pub(crate) fn get(&self, column: &str) -> &Value {
        let value = self.columns.get(column);
        value.unwrap_or_else(|| panic!("no column {column}"))
    }

    /// The value as text; `None` for a missing one.
    pub(crate) fn text(&self, column: &str) -> Option<String> {
        match self.get(column) {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// An id that is never missing.
    fn id(&self, column: &str) -> String {
        self.text(column).unwrap()
    }
}

/// The caller's links: title and url, or `None` for one that was deleted.
pub type Names = HashMap<Uuid, Option<(String, String)>>;

/// All rows of a tenant that count.
#[derive(Debug)]
pub struct Rows {
    /// Rows by table.
    pub(crate) tables: BTreeMap<&'static str, Vec<Row>>,
    /// The visits, by their id.
    pub(crate) visits: BTreeMap<String, Row>,
    pub(crate) names: Names,
}

impl Rows {
    /// Reads the rows of a tenant.
    ///
    /// # Panics
    /// If a query fails.
    pub async fn read(analytics: &PgPool, workspace_no: i32, names: Names) -> Self {
        let mut tables = BTreeMap::new();
        for fact in FACTS {
            if tables.contains_key(fact.table) {
                continue;
            }
            let statement = format!(
                "SELECT to_jsonb(t) FROM {} AS t WHERE workspace_no = $1",
                fact.table
            );
            let found = sqlx::query(AssertSqlSafe(statement))
                .bind(workspace_no)
                .fetch_all(analytics)
                .await
                .unwrap();
            let rows = found.iter().map(|row| {
                let Value::Object(columns) = row.get(0) else {
                    panic!("a row is an object")
                };
                let at = columns[fact.time].as_str().unwrap().parse().unwrap();
                Row { at, columns }
            });
            tables.insert(fact.table, rows.collect::<Vec<Row>>());
        }
        let mut visits = tables["sessions"].clone();
        restate(&mut visits, &tables["hits"]);
        tables.insert("sessions", visits.clone());
        let by_id = visits
            .into_iter()
            .map(|visit| (visit.id("session_id"), visit));
        Self {
            visits: by_id.collect(),
            tables,
            names,
        }
    }

    /// This question with each filter of its report that no other question has. The value is the most
    /// frequent one of the raw rows.
    ///
    /// # Panics
    /// If the traffic has no value for a filter.
    #[must_use]
    pub fn with_other_filters(&self, ask: &Ask, others: &[Filters]) -> Vec<Ask> {
        let is_asked = |filter: &Dimension| {
            let mut names = others.iter().flatten().map(|(name, _)| name);
            names.any(|name| *name == filter.id)
        };
        let filters = ask.report.filters.iter().copied();
        let missing = filters.filter(|filter| !is_asked(filter));
        missing
            .map(|filter| Ask {
                filters: vec![(filter.id, vec![element(&self.most_frequent(filter))])],
                ..ask.clone()
            })
            .collect()
    }

    fn most_frequent(&self, dimension: &Dimension) -> String {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for (fact, column) in dimension.columns {
            for value in self.tables[fact.table]
                .iter()
                .filter_map(|row| row.text(column))
            {
                *counts.entry(value).or_default() += 1;
            }
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.unwrap_or_else(|| panic!("the traffic has no {}", dimension.id))
            .0
    }
}

/// A value as an element of a filter's list.
fn element(value: &str) -> String {
    let escaped = value.replace('\\', r"\\").replace(',', r"\,");
    match escaped.strip_prefix('-') {
        Some(rest) => format!(r"\-{rest}"),
        None => escaped,
    }
}

/// Sets the summaries of each visit from its views and heartbeats.
fn restate(visits: &mut [Row], hits: &[Row]) {
    let mut leaves: BTreeMap<String, f64> = BTreeMap::new();
    let mut views: BTreeMap<String, Vec<View>> = BTreeMap::new();
    // Clicks on short links belong to no visit.
    for hit in hits.iter().filter(|hit| !hit.get("session_id").is_null()) {
        if let Some(micros) = hit.get("left_micros").as_f64() {
            leaves.insert(hit.id("pageview_id"), micros / 1e6);
        }
        let view = View {
            at: hit.at,
            event: hit.id("event_id"),
            id: hit.id("pageview_id"),
        };
        let session = hit.id("session_id");
        views.entry(session).or_default().push(view);
    }
    for visit in visits {
        let id = visit.id("session_id");
        let mut views = views.remove(&id).unwrap_or_default();
        views.sort_unstable();
        let beats = visit.get("heartbeats").as_f64().unwrap();
        let seconds = seconds(beats, &views, &leaves);
        for (column, value) in [
            ("page_views", json!(views.len())),
            ("bounced", json!(views.len() < 2)),
            ("duration_seconds", json!(seconds)),
        ] {
            let known = visit.columns.insert(column.to_owned(), value);
            assert!(known.is_some(), "no column {column}");
        }
    }
}

/// A view of a visit, in the order in which its views are timed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct View {
    at: Timestamp,
    event: String,
    id: String,
}

/// The duration of a visit: 30 s for each heartbeat. Without heartbeats, the sum of its views if
/// one of them was left.
fn seconds(beats: f64, views: &[View], leaves: &BTreeMap<String, f64>) -> f64 {
    if beats > 0.0 {
        return beats * 30.0;
    }
    if !views.iter().any(|view| leaves.contains_key(&view.id)) {
        return 0.0;
    }
    let mut sum = 0.0;
    for (index, view) in views.iter().enumerate() {
        let next = views.get(index + 1);
        let gap = next.map(|next| next.at.duration_since(view.at));
        sum += match (leaves.get(&view.id), gap) {
            (Some(seconds), _) => *seconds,
            (None, Some(gap)) if gap.as_millis() <= 3_600_000 => js_round(gap.as_secs_f64()),
            _ => 0.0,
        };
    }
    sum
}

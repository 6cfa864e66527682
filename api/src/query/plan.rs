//! Turns the shape of a report into the plan of its answer.

use super::asked::Asked;
use crate::{
    catalog::{self, Field, Shape, Tally, Things},
    sources::{By, Filter, Kept, Leaders, Plan, Rows, by_fact},
};
use jiff::{SignedDuration, Timestamp};
use schemas::analytics::{Buckets, Dimension, Fact, Measure, Reach, Timeline};
use uuid::Uuid;

/// How far after now a row may be: clocks differ, and a batch or an import states its own times.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// The last instant of a window is this much before its end.
const LEAST: SignedDuration = SignedDuration::from_micros(1);

/// The plan of a shape. A choice reads nothing. `known` has the things that a ranking lists.
/// `beside` are further numbers of a total, or of each row of a series.
pub(super) fn plan(
    shape: &Shape,
    filter: Filter,
    asked: &Asked,
    known: &[Uuid],
    beside: &[Field],
) -> Plan {
    let mut totals = Vec::new();
    let mut measures = Vec::new();
    let rows = match shape {
        // A choice is resolved before, and a board has plans of its own.
        Shape::Choice(_) | Shape::Board(_) => None,
        Shape::Total(total) => {
            collect(total.metrics, &mut measures, &mut totals);
            collect(beside, &mut measures, &mut totals);
            // A total has no rows, so all its measures cover the whole scope.
            add_all(&mut totals, measures);
            None
        }
        Shape::Series(series) => {
            collect(series.metrics, &mut measures, &mut totals);
            collect(beside, &mut measures, &mut totals);
            let by = series.by.map(|(_, dimension)| (dimension, Kept::All));
            let buckets = asked.buckets.unwrap_or(series.buckets);
            let timeline = timeline(buckets, &filter, asked);
            let mut rows = rows(&measures, Some(timeline), by, None);
            if let Some(rows) = &mut rows {
                rows.filled = series.filled;
                rows.from_first = asked.from_first;
            }
            rows
        }
        Shape::Breakdown(breakdown) => {
            collect(breakdown.metrics, &mut measures, &mut totals);
            let by = (breakdown.dimension, Kept::All);
            rows(&measures, None, Some(by), breakdown.top)
        }
        Shape::Ranking(ranking) => {
            collect(ranking.metrics, &mut measures, &mut totals);
            let mut of_scope = Vec::new();
            collect(ranking.totals, &mut of_scope, &mut totals);
            add_all(&mut totals, of_scope);
            let by = (ranking.dimension, Kept::Known(known.to_vec()));
            rows(&measures, None, Some(by), None)
        }
    };
    Plan {
        filter,
        totals,
        rows,
        leaders: None,
    }
}

/// The plan of a board's list of things.
pub(super) fn plan_of_things(things: &Things, filter: Filter) -> Plan {
    let mut totals = Vec::new();
    let mut measures = Vec::new();
    collect(things.metrics, &mut measures, &mut totals);
    let by = (things.dimension, Kept::Ids);
    let rows = rows(&measures, None, Some(by), Some(things.top));
    Plan {
        filter,
        totals,
        rows,
        leaders: None,
    }
}

/// The plan of a tally.
pub(super) fn plan_of_tally(tally: &Tally, filter: Filter) -> Plan {
    let mut measures = Vec::new();
    for metric in tally.metrics {
        add_all(&mut measures, metric.of_row());
    }
    let by = (tally.dimension, Kept::Ids);
    Plan {
        filter,
        totals: Vec::new(),
        rows: rows(&measures, None, Some(by), None),
        leaders: None,
    }
}

/// The plan of a board's leaders.
pub(super) fn plan_of_leaders(leaders: &catalog::Leaders, filter: Filter) -> Plan {
    let measures = leaders.by.iter().flat_map(|field| field.metric.of_row());
    let of = leaders.of.iter().map(|leader| leader.dimension).collect();
    Plan {
        filter,
        totals: Vec::new(),
        rows: None,
        leaders: measures
            .into_iter()
            .next()
            .map(|measure| Leaders { measure, of }),
    }
}

fn timeline(buckets: Buckets, filter: &Filter, asked: &Asked) -> Timeline {
    let end = match filter.window.until {
        Some(until) => until.saturating_sub(LEAST).unwrap_or(until),
        None => asked.now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX),
    };
    buckets.timeline(&asked.zone, filter.window.since, end)
}

/// Rows with these measures, from as many facts as hold them. `None` when one of the facts lacks
/// the dimension. A test of the catalogue checks that no report needs that.
fn rows(
    measures: &[&'static Measure],
    timeline: Option<Timeline>,
    by: Option<(&'static Dimension, Kept)>,
    top: Option<u16>,
) -> Option<Rows> {
    let parts = by_fact(measures);
    if let Some((dimension, _)) = &by {
        let lacks = |(fact, _): &(&'static Fact, _)| {
            matches!(dimension.on(fact), None | Some(Reach::Click(_)))
        };
        if parts.iter().any(lacks) {
            return None;
        }
    }
    Some(Rows {
        parts,
        timeline,
        filled: false,
        from_first: false,
        by: by.map(|(dimension, values)| By { dimension, values }),
        top,
    })
}

/// Adds the measures that fields need of their row to `row`, and those of the whole scope to
/// `totals`.
fn collect(fields: &[Field], row: &mut Vec<&'static Measure>, totals: &mut Vec<&'static Measure>) {
    for field in fields {
        add_all(row, field.metric.of_row());
        add_all(totals, field.metric.of_scope());
    }
}

fn add_all(measures: &mut Vec<&'static Measure>, more: impl IntoIterator<Item = &'static Measure>) {
    for measure in more {
        if !measures.contains(&measure) {
            measures.push(measure);
        }
    }
}

//! Turns the shape of a report into the plan of its answer.

use super::asked::Asked;
use crate::{
    catalog::{Field, Shape},
    sources::{By, Filter, Kept, Plan, Rows},
};
use jiff::{SignedDuration, Timestamp};
use schemas::analytics::{Buckets, Dimension, Fact, Measure, Timeline};
use uuid::Uuid;

/// How far after now a row may be: clocks differ, and a batch or an import states its own times.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// The plan of a shape. A choice reads nothing. `known` has the things that a ranking lists.
pub(super) fn plan(shape: &Shape, filter: Filter, asked: &Asked, known: &[Uuid]) -> Plan {
    let mut totals = Vec::new();
    let mut measures = Vec::new();
    let rows = match shape {
        Shape::Choice(_) => None,
        Shape::Total(total) => {
            collect(total.metrics, &mut measures, &mut totals);
            // A total has no rows, so all its measures cover the whole scope.
            add_all(&mut totals, measures);
            None
        }
        Shape::Series(series) => {
            collect(series.metrics, &mut measures, &mut totals);
            let by = series.by.map(|(_, dimension)| (dimension, Kept::All));
            let timeline = timeline(series.buckets, &filter, asked);
            rows(measures, Some(timeline), by, None)
        }
        Shape::Breakdown(breakdown) => {
            collect(breakdown.metrics, &mut measures, &mut totals);
            let by = (breakdown.dimension, Kept::All);
            rows(measures, None, Some(by), breakdown.top)
        }
        Shape::Ranking(ranking) => {
            collect(ranking.metrics, &mut measures, &mut totals);
            let mut beside = Vec::new();
            collect(ranking.totals, &mut beside, &mut totals);
            add_all(&mut totals, beside);
            let by = (ranking.dimension, Kept::Known(known.to_vec()));
            rows(measures, None, Some(by), None)
        }
    };
    Plan {
        filter,
        totals,
        rows,
    }
}

fn timeline(buckets: Buckets, filter: &Filter, asked: &Asked) -> Timeline {
    let end = filter.window.until.unwrap_or(asked.now);
    let end = end.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    buckets.timeline(&asked.zone, filter.window.since, end)
}

/// Rows of the fact that holds all measures. `None` when there is no such fact, or when the fact
/// lacks the dimension. A test of the catalogue checks that no report needs that.
fn rows(
    measures: Vec<&'static Measure>,
    timeline: Option<Timeline>,
    by: Option<(&'static Dimension, Kept)>,
    top: Option<u16>,
) -> Option<Rows> {
    let fact = Fact::holding(measures.iter().map(|measure| measure.fact))?;
    let by = match by {
        None => None,
        Some((dimension, values)) => Some(By {
            dimension,
            reach: dimension.on(fact)?,
            values,
        }),
    };
    Some(Rows {
        fact,
        timeline,
        by,
        measures,
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

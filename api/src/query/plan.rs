//! What a report needs to know: aggregates over its whole scope, aggregates per value of a dimension
//! or per slot of time.

use super::{
    asked::{Asked, Condition},
    window::Window,
};
use crate::catalog::{Dimension, Fact, Field, Measure, Metric, Over, Scope, Shape, Timeline};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// What may come after now: clocks differ, and a batch or an import says when things happened.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Whose rows, when, and which of them.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) workspace_no: i32,
    pub(super) scope: Scope,
    pub(super) scope_id: Uuid,
    pub(super) window: Window,
    pub(super) conditions: Vec<Condition>,
}

/// Everything that is asked of the analytics database for one answer.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) filter: Filter,
    /// Over the whole scope; those of one fact stand together.
    pub(super) totals: Vec<&'static Measure>,
    pub(super) rows: Option<Rows>,
}

/// The rows of an answer.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// Where they come from.
    pub(super) fact: &'static Fact,
    /// Slots of time, in whose order rows stand.
    pub(super) slots: Option<Timeline>,
    /// Values of a dimension.
    pub(super) dimension: Option<&'static Dimension>,
    /// Whether rows without a value are there, under their label.
    pub(super) with_nulls: bool,
    /// The only ids that have rows of their own; all others share the row of the nil UUID.
    pub(super) known: Option<Vec<Uuid>>,
    /// All on the fact; the first decides the order where there are no slots.
    pub(super) measures: Vec<&'static Measure>,
    pub(super) top: Option<u16>,
}

impl Plan {
    /// The plan of a shape. A choice asks nothing. `known` are the
    /// things that a ranking lists.
    pub(super) fn new(shape: &Shape, filter: Filter, asked: &Asked, known: &[Uuid]) -> Self {
        let mut totals = Vec::new();
        let mut measures = Vec::new();
        let rows = match shape {
            Shape::Choice(_) => None,
            Shape::Total(total) => {
                collect(total.metrics, &mut measures, &mut totals);
                add_all(&mut totals, measures);
                None
            }
            Shape::Series(series) => {
                collect(series.metrics, &mut measures, &mut totals);
                let end = filter.window.until.unwrap_or(asked.now);
                let end = end.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
                let slots = series.slots.timeline(&asked.zone, filter.window.since, end);
                measures.first().map(|first| Rows {
                    fact: first.fact,
                    slots: Some(slots),
                    dimension: series.by.map(|(_, dimension)| dimension),
                    with_nulls: true,
                    known: None,
                    measures: measures.clone(),
                    top: None,
                })
            }
            Shape::Breakdown(breakdown) => {
                collect(breakdown.metrics, &mut measures, &mut totals);
                Some(Rows {
                    fact: breakdown.dimension.fact,
                    slots: None,
                    dimension: Some(breakdown.dimension),
                    with_nulls: true,
                    known: None,
                    measures,
                    top: breakdown.top,
                })
            }
            Shape::Ranking(ranking) => {
                collect(ranking.metrics, &mut measures, &mut totals);
                let mut beside = Vec::new();
                collect(ranking.totals, &mut beside, &mut totals);
                add_all(&mut totals, beside);
                Some(Rows {
                    fact: ranking.dimension.fact,
                    slots: None,
                    dimension: Some(ranking.dimension),
                    with_nulls: false,
                    known: Some(known.to_vec()),
                    measures,
                    top: None,
                })
            }
        };
        totals.sort_by_key(|measure| measure.fact.id);
        Self {
            filter,
            totals,
            rows,
        }
    }

    /// The totals by fact, in the order in which the statement gives them.
    pub(super) fn totals_by_fact(&self) -> Vec<(&'static Fact, &[&'static Measure])> {
        let groups = self.totals.chunk_by(|a, b| a.fact == b.fact);
        groups
            .filter_map(|group| Some((group.first()?.fact, group)))
            .collect()
    }
}

/// Adds what fields need of their row to `row`, and what they need of the whole scope to `totals`.
fn collect(fields: &[Field], row: &mut Vec<&'static Measure>, totals: &mut Vec<&'static Measure>) {
    for field in fields {
        match field.metric {
            Metric::Plain(measure) => add(row, measure),
            Metric::Ratio(ratio) => {
                add(row, ratio.numerator);
                match ratio.over {
                    Over::Scope => add(totals, ratio.denominator),
                    Over::ReturnedRows => add(row, ratio.denominator),
                }
            }
        }
    }
}

fn add_all(measures: &mut Vec<&'static Measure>, more: Vec<&'static Measure>) {
    for measure in more {
        add(measures, measure);
    }
}

fn add(measures: &mut Vec<&'static Measure>, measure: &'static Measure) {
    if !measures.contains(&measure) {
        measures.push(measure);
    }
}

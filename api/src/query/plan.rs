//! What a report needs to know: aggregates over its whole scope, aggregates per value of a dimension.

use crate::catalog::{Dimension, Fact, Field, Measure, Metric, Over, Report, Scope, Shape};
use jiff::Timestamp;
use uuid::Uuid;

/// Whose rows, and since when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter {
    pub(super) workspace_no: i32,
    pub(super) scope: Scope,
    pub(super) scope_id: Uuid,
    pub(super) since: Timestamp,
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
    pub(super) dimension: &'static Dimension,
    /// What rows without a value are called; `None` leaves them out.
    pub(super) null_label: Option<&'static str>,
    /// All on the dimension's fact; the first decides the order.
    pub(super) measures: Vec<&'static Measure>,
    pub(super) top: Option<u16>,
}

impl Plan {
    /// The plan of a report.
    pub(super) fn new(report: &Report, filter: Filter) -> Self {
        let mut totals = Vec::new();
        let rows = match &report.shape {
            Shape::Total(total) => {
                let mut measures = Vec::new();
                collect(total.metrics, &mut measures, &mut totals);
                add_all(&mut totals, measures);
                None
            }
            Shape::Breakdown(breakdown) => {
                let mut measures = Vec::new();
                collect(breakdown.metrics, &mut measures, &mut totals);
                Some(Rows {
                    dimension: breakdown.dimension,
                    null_label: Some(breakdown.null_label),
                    measures,
                    top: breakdown.top,
                })
            }
            Shape::Ranking(ranking) => {
                let mut measures = Vec::new();
                collect(ranking.metrics, &mut measures, &mut totals);
                let mut beside = Vec::new();
                collect(ranking.totals, &mut beside, &mut totals);
                add_all(&mut totals, beside);
                Some(Rows {
                    dimension: ranking.dimension,
                    null_label: None,
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

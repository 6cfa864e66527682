//! Where answers come from.
//!
//! The seam for rollups: they become a second variant that reads buckets and a tail and gives the
//! same [`Answer`]; a test then compares the two for every report. Nothing above asks which it was.

use super::{plan::Plan, statement};
use crate::catalog::Measure;
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use std::collections::BTreeMap;

/// What a plan is answered from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// The tables of events and visits themselves: exact, and slower the more there is in the window.
    RawRows,
}

/// Aggregates under their measures.
#[derive(Clone, Debug, Default)]
pub(super) struct Values(Vec<(&'static Measure, f64)>);

impl Values {
    /// The aggregate, 0 for one that was not asked for.
    pub(super) fn get(&self, measure: &Measure) -> f64 {
        self.0
            .iter()
            .find(|(known, _)| known.id == measure.id)
            .map_or(0.0, |(_, value)| *value)
    }

    /// Adds the aggregates of further rows, such as can be added.
    fn add(&mut self, more: Self) {
        for (measure, value) in more.0 {
            match self.0.iter_mut().find(|(known, _)| known.id == measure.id) {
                Some((_, sum)) => *sum += value,
                None => self.0.push((measure, value)),
            }
        }
    }
}

impl FromIterator<(&'static Measure, f64)> for Values {
    fn from_iter<I: IntoIterator<Item = (&'static Measure, f64)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// One row of an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// The slot's name, where rows are of time.
    pub(super) slot: String,
    /// The dimension's value, where there is one.
    pub(super) label: String,
    pub(super) values: Values,
}

/// What a plan asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// Over the whole scope.
    pub(super) totals: Values,
    /// In their order.
    pub(super) rows: Vec<Row>,
}

impl Source {
    /// Answers a plan.
    pub(super) async fn read(
        self,
        connection: &mut PgConnection,
        plan: &Plan,
    ) -> sqlx::Result<Answer> {
        match self {
            Self::RawRows => {
                let rows = statement::write(plan).fetch_all(connection).await?;
                decode(plan, &rows)
            }
        }
    }
}

fn decode(plan: &Plan, found: &[PgRow]) -> sqlx::Result<Answer> {
    let mut answer = Answer::default();
    if let Some(first) = found.first() {
        answer.totals = values(first, 0, &plan.totals)?;
    }
    let Some(rows) = &plan.rows else {
        return Ok(answer);
    };
    let slot_at = plan.totals.len();
    let mut slotted = BTreeMap::<(usize, String), Values>::new();
    for row in found {
        // Totals without any row come with an empty one.
        let Some(label) = row.try_get::<Option<String>, _>(slot_at + 1)? else {
            continue;
        };
        let values = values(row, slot_at + 2, &rows.measures)?;
        match &rows.slots {
            None => answer.rows.push(Row {
                slot: String::new(),
                label,
                values,
            }),
            Some(timeline) => {
                let edge = usize::try_from(row.try_get::<i32, _>(slot_at)?).unwrap_or_default();
                // Edges are counted from 1. Nothing of a window is before its first.
                let slot = timeline.slots.get(edge.saturating_sub(1));
                let slot = slot.copied().unwrap_or_default();
                // A slot may come back, as an hour of the week does.
                slotted.entry((slot, label)).or_default().add(values);
            }
        }
    }
    let names = rows.slots.as_ref().map(|timeline| &timeline.names);
    for ((slot, label), values) in slotted {
        let slot = names.and_then(|names| names.get(slot)).cloned();
        answer.rows.push(Row {
            slot: slot.unwrap_or_default(),
            label,
            values,
        });
    }
    Ok(answer)
}

fn values(row: &PgRow, start: usize, measures: &[&'static Measure]) -> sqlx::Result<Values> {
    let value = |(index, measure): (usize, &&'static Measure)| {
        Ok((*measure, row.try_get::<f64, _>(start + index)?))
    };
    measures.iter().enumerate().map(value).collect()
}

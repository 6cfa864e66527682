//! Where answers come from.
//!
//! The seam for rollups: they become a second variant that reads buckets and a tail and gives the
//! same [`Answer`]; a test then compares the two for every report. Nothing above asks which it was.

use super::{plan::Plan, statement};
use crate::catalog::Measure;
use sqlx::{PgPool, Row, postgres::PgRow};

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
}

impl FromIterator<(&'static Measure, f64)> for Values {
    fn from_iter<I: IntoIterator<Item = (&'static Measure, f64)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// What a plan asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// Over the whole scope.
    pub(super) totals: Values,
    /// In their order.
    pub(super) rows: Vec<(String, Values)>,
}

impl Source {
    /// Answers a plan.
    pub(super) async fn read(self, pool: &PgPool, plan: &Plan) -> sqlx::Result<Answer> {
        match self {
            Self::RawRows => {
                let rows = statement::write(plan).fetch_all(pool).await?;
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
    let label_at = plan.totals.len();
    for row in found {
        // Totals without any row come with an empty one.
        if let Some(label) = row.try_get::<Option<String>, _>(label_at)? {
            let values = values(row, label_at + 1, &rows.measures)?;
            answer.rows.push((label, values));
        }
    }
    Ok(answer)
}

fn values(row: &PgRow, start: usize, measures: &[&'static Measure]) -> sqlx::Result<Values> {
    let value = |(index, measure): (usize, &&'static Measure)| {
        Ok((*measure, row.try_get::<f64, _>(start + index)?))
    };
    measures.iter().enumerate().map(value).collect()
}

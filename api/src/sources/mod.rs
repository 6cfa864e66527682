//! Sources: what the answer to a plan is read from.
//!
//! A second source (segments and a tail) becomes a variant that gives the same [`Answer`], and a
//! test then compares the two for every report. The callers do not know which source answered.
//! Sources know the vocabulary but no report.

mod plan;
mod raw;
mod window;

pub(crate) use plan::{By, Condition, Filter, Kept, Leaders, Plan, Price, Rows, by_fact};
pub(crate) use window::Window;

use crate::query::Money;
use schemas::analytics::{Bucket, Measure};
use sqlx::PgConnection;

/// The source of a plan's answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// The tables of facts: exact, but slower with every row in the window.
    RawRows,
}

impl Source {
    /// Answers a plan.
    pub(crate) async fn read(
        self,
        connection: &mut PgConnection,
        plan: &Plan,
    ) -> sqlx::Result<Answer> {
        match self {
            Self::RawRows => raw::read(connection, plan).await,
        }
    }
}

/// The text of the statement that answers a plan from raw rows, with `$n` for values.
pub(crate) fn raw_statement(plan: &Plan) -> String {
    raw::statement_text(plan)
}

/// Numbers by measure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(Vec<(&'static Measure, f64)>);

impl Values {
    /// The number, or 0 if it was not read.
    pub(crate) fn get(&self, measure: &Measure) -> f64 {
        self.0
            .iter()
            .find(|(known, _)| known.id == measure.id)
            .map_or(0.0, |(_, value)| *value)
    }

    /// Adds the numbers of further rows; the measures must be additive.
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
pub(crate) struct Row {
    /// Its bucket, if the rows are buckets of time.
    pub(crate) bucket: Option<Bucket>,
    /// The dimension's value, if there is a dimension.
    pub(crate) label: String,
    pub(crate) values: Values,
}

/// The answer to a plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// Over the whole scope and window.
    pub(crate) totals: Values,
    /// The rows, in their order.
    pub(crate) rows: Vec<Row>,
    /// The currency in which amounts are shown. Sources leave it at dollars.
    pub(crate) money: Money,
}

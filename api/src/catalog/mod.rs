//! The catalogue: every report is a row of [`REPORTS`], described in the terms defined here.
//!
//! Defines what a report is. `query` answers it, and its surface writes the answer. The one rule: a
//! difference between two reports is data in their rows, never an `if` elsewhere. A new report is a
//! row in `reports.rs`. Its measures and dimensions come from the vocabulary,
//! [`schemas::analytics`].

mod board;
mod notation;
mod of_links;
mod of_qr;
mod reports;
mod shapes;
mod tally;

pub use board::{Board, Count, Leader, Leaders, Numbers, Part, Peak, Subject, Thing, Things};
pub use notation::{Notation, Param, Surface};
pub use reports::REPORTS;
pub use schemas::analytics::{Dimension, Scope, Values};
pub use shapes::{Breakdown, Choice, Entity, Field, Named, Ranking, Series, Shape, Total};
pub use tally::{OF_LINKS, OF_QR_CODES, TALLIES, Tally};

use runtime::throttle::Limit;
use schemas::analytics::Aggregate;

/// One report.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Its unique name in limits, metrics and logs.
    pub id: &'static str,
    /// The surface whose envelope, error codes and window rule it has.
    pub surface: Surface,
    /// The path of its route.
    pub path: &'static str,
    /// The kind of its answer.
    pub shape: Shape,
    /// The scope of its rows, which decides what the caller must own.
    pub scope: Scope,
    /// The parameters that it accepts.
    pub params: &'static [Param],
    /// The dimensions that can filter it.
    pub filters: &'static [&'static Dimension],
    /// The format of its answer.
    pub format: Format,
    /// Counts of the whole window that its `meta` has, beside the window itself; `None` for an answer
    /// without `meta`.
    pub meta: Option<&'static [Field]>,
    /// How often a user may request it; `None` for as often as the plan of the workspace allows all
    /// requests together.
    pub limit: Option<PerUser>,
    /// What it shows, in one line.
    pub summary: &'static str,
}

impl Report {
    /// True if some of its numbers are costs of campaigns.
    #[must_use]
    pub fn shows_costs(&self) -> bool {
        let fields = match &self.shape {
            Shape::Total(total) => vec![total.metrics],
            Shape::Series(series) => vec![series.metrics],
            Shape::Breakdown(breakdown) => vec![breakdown.metrics],
            Shape::Ranking(ranking) => vec![ranking.metrics, ranking.totals],
            Shape::Board(board) => board.parts.iter().map(Part::fields).collect(),
            Shape::Choice(_) => Vec::new(),
        };
        let measures = fields.into_iter().flatten();
        let mut measures = measures.flat_map(|field| field.metric.of_row());
        measures.any(|measure| matches!(measure.aggregate, Aggregate::Cost(_)))
    }

    /// The name that its surface gives a parameter.
    #[must_use]
    pub fn param_name(&self, param: Param) -> &'static str {
        (self.surface.notation().param)(param)
    }
}

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON in the surface's envelope.
    Json,
    /// A file of comma-separated values.
    Csv,
}

/// A limit: a number of requests in a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerUser {
    /// How many.
    pub count: u32,
    /// In how many seconds.
    pub seconds: u32,
}

impl PerUser {
    /// The limit of a route.
    pub(crate) const fn of(self, route: &'static str) -> Limit {
        Limit {
            route,
            count: self.count,
            seconds: self.seconds,
        }
    }
}

#[cfg(test)]
mod tests;

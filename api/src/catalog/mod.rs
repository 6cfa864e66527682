//! The catalogue: every report is a row of [`REPORTS`], described in the terms defined here.
//!
//! Defines what a report is. `query` answers it, and its surface writes the answer. The one rule: a
//! difference between two reports is data in their rows, never an `if` elsewhere. A new report is a
//! row in `reports.rs`. Its measures and dimensions come from the vocabulary,
//! [`schemas::analytics`].

mod reports;
mod shapes;

use crate::surfaces;
use schemas::analytics::Bucket;

pub use reports::REPORTS;
pub use schemas::analytics::{Dimension, Scope, Values};
pub use shapes::{Breakdown, Choice, Entity, Field, Named, Ranking, Series, Shape, Total};

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
    /// How often a user may request it.
    pub limit: PerUser,
    /// What it shows, in one line.
    pub summary: &'static str,
}

/// A family of routes with one dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// `/api/v1/creators/...`: the creator's own pages.
    Creator,
}

/// Something that a request may say about its report. Each surface has its own name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// How many days back the window begins.
    Days,
    /// The page; by default the caller's first one.
    Page,
    /// The time zone of days and hours; UTC by default.
    Timezone,
    /// Adds the previous window to the answer.
    Compare,
    /// The dimension to break down by.
    Dimension,
    /// The report to export.
    Export,
}

/// How a surface writes what its reports have in common with those of other surfaces.
#[derive(Clone, Copy, Debug)]
pub struct Notation {
    /// The name of a parameter, in the query and where an answer repeats it.
    pub param: fn(Param) -> &'static str,
    /// The name of a time bucket.
    pub bucket: fn(Bucket) -> String,
}

impl Surface {
    /// How the surface writes parameters and buckets.
    #[must_use]
    pub const fn notation(self) -> Notation {
        match self {
            Self::Creator => surfaces::creator::NOTATION,
        }
    }
}

impl Report {
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

#[cfg(test)]
mod tests;

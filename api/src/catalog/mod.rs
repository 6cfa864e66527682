//! The catalogue: every report is a row of [`REPORTS`], made of the words defined here.
//!
//! Owns what a report is; how it is asked and answered is `query`'s work, and how it
//! looks on the wire its surface's. The one rule: what differs between two reports is data of their
//! rows, never an `if` elsewhere. A new report is a row in `reports.rs`. What it counts and by what is named in words
//! of the vocabulary, [`schemas::analytics`].

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
    /// Its name in limits, metrics and logs; unique.
    pub id: &'static str,
    /// Whose envelope, error codes and window rule it has.
    pub surface: Surface,
    /// Where it is asked.
    pub path: &'static str,
    /// What kind of answer it is.
    pub shape: Shape,
    /// What it is about, and with it which of the caller's things it needs.
    pub scope: Scope,
    /// What may be asked of it.
    pub params: &'static [Param],
    /// What it can be narrowed to.
    pub filters: &'static [&'static Dimension],
    /// What the answer is written as.
    pub format: Format,
    /// How often a user may ask.
    pub limit: PerUser,
    /// What it tells, in one line.
    pub summary: &'static str,
}

/// A family of routes with one way to speak.
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
    /// Asks for the window before as well.
    Compare,
    /// The dimension of a breakdown.
    Dimension,
    /// The report that an export holds.
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

/// What an answer is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON in the surface's envelope.
    Json,
    /// A file of comma-separated values.
    Csv,
}

/// So many in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerUser {
    /// How many.
    pub count: u32,
    /// In how many seconds.
    pub seconds: u32,
}

#[cfg(test)]
mod tests;

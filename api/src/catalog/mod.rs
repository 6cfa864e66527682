//! The catalogue: every report is a row of [`REPORTS`], made of the words defined here.
//!
//! Owns what a report is; how it is asked and answered is `query`'s work, and how it
//! looks on the wire its surface's. The one rule: what differs between two reports is data of their
//! rows, never an `if` elsewhere. A new report is a row in `reports.rs`. What it counts and by what is named in words
//! of the vocabulary, [`schemas::analytics`].

mod reports;
mod shapes;

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

/// A parameter of the query string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// `days`: how far back.
    Days,
    /// `bioPageId`: which page, the first by default.
    BioPageId,
    /// `timezone`: whose days and hours, UTC by default.
    Timezone,
    /// `compare=previous`: the window before beside the answer.
    Compare,
    /// `dimension`: what to break down by.
    Dimension,
    /// `type`: what to export.
    Type,
}

impl Param {
    /// Its name in the query.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::BioPageId => "bioPageId",
            Self::Timezone => "timezone",
            Self::Compare => "compare",
            Self::Dimension => "dimension",
            Self::Type => "type",
        }
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

//! The catalogue: every report is a row of [`REPORTS`], made of the words defined here.
//!
//! Owns what a report is; how it is asked and answered is `query`'s work, and how it
//! looks on the wire its surface's. The one rule: what differs between two reports is data of their
//! rows, never an `if` elsewhere. A new report is a row in `reports.rs`; a new breakdown also a line
//! in `dimensions.rs`.

pub mod dimensions;
pub mod facts;
pub mod metrics;
mod reports;

pub use dimensions::Dimension;
pub use facts::Fact;
pub use metrics::{Measure, Metric, Over, Ratio, Rounding};
pub use reports::REPORTS;

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
    /// What it is about.
    pub scope: Scope,
    /// What may be asked of it; anything else in the query is ignored.
    pub params: &'static [Param],
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

/// What a report is about, and with it which of the caller's things it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One bio page.
    Page,
}

impl Scope {
    /// The column that holds the scope's id.
    #[must_use]
    pub const fn column(self) -> &'static str {
        match self {
            Self::Page => "page_id",
        }
    }
}

/// A parameter of the query string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// `days`: how far back.
    Days,
    /// `bioPageId`: which page, the first by default.
    BioPageId,
}

/// So many in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerUser {
    /// How many.
    pub count: u32,
    /// In how many seconds.
    pub seconds: u32,
}

/// A number of an answer under its name.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it is.
    pub metric: &'static Metric,
}

/// The kinds of answers.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Numbers about the whole scope, as one object.
    Total(Total),
    /// A list of a dimension's values, most first.
    Breakdown(Breakdown),
    /// A list of things that have names elsewhere, most first.
    Ranking(Ranking),
}

/// See [`Shape::Total`].
#[derive(Clone, Copy, Debug)]
pub struct Total {
    /// The numbers.
    pub metrics: &'static [Field],
    /// Parameters that the answer repeats as they took effect.
    pub echo: &'static [Param],
}

/// See [`Shape::Breakdown`].
#[derive(Clone, Copy, Debug)]
pub struct Breakdown {
    /// Name of the list on the wire.
    pub list: &'static str,
    /// What the rows are.
    pub dimension: &'static Dimension,
    /// Name of a row's value on the wire.
    pub label: &'static str,
    /// What rows without a value are called; they are one row with those that really are called so.
    pub null_label: &'static str,
    /// The numbers of a row; the first decides the order, ties go by label.
    pub metrics: &'static [Field],
    /// Most rows.
    pub top: Option<u16>,
}

/// See [`Shape::Ranking`].
#[derive(Clone, Copy, Debug)]
pub struct Ranking {
    /// Name of the list on the wire.
    pub list: &'static str,
    /// What the rows are; rows without a value are left out.
    pub dimension: &'static Dimension,
    /// Where their names come from.
    pub entity: Entity,
    /// The numbers of a row; the first decides the order, ties go by id.
    pub metrics: &'static [Field],
    /// Numbers about the whole scope, beside the list.
    pub totals: &'static [Field],
}

/// Things whose names stand in the main database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A link of one of the caller's own pages: title and url.
    Link,
}

#[cfg(test)]
mod tests;

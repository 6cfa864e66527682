//! What facts are broken down by.

use super::facts::{Fact, PAGE_VIEWS, SESSIONS};

/// A column whose values become rows of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Unique name.
    pub id: &'static str,
    /// The fact that has it.
    pub fact: &'static Fact,
    /// The column, as `text`.
    pub sql: &'static str,
    /// The condition that leaves out rows which have no value.
    pub present: &'static str,
}

/// Where a visit came from.
pub static REFERRER_DOMAIN: Dimension = Dimension {
    id: "referrer_domain",
    fact: &SESSIONS,
    sql: "referrer_domain",
    present: "referrer_domain IS NOT NULL",
};

/// The link that was clicked.
pub static LINK: Dimension = Dimension {
    id: "link",
    fact: &PAGE_VIEWS,
    sql: "link_id::text",
    present: "link_id IS NOT NULL",
};

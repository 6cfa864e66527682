//! What is counted: tables of the analytics database and the columns that scope and time them.

/// A kind of row that happened to a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Name within statements.
    pub id: &'static str,
    /// Its table; every one has `workspace_no` and `page_id`.
    pub table: &'static str,
    /// The condition that tells its rows from others of the table, if there are others.
    pub only: Option<&'static str>,
    /// The column that says when it happened; windows are on it.
    pub time: &'static str,
    /// How it knows its visit, whose dimensions filters are on.
    pub visit: Visit,
}

/// How a fact knows the visit that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// It is one.
    Itself,
    /// By `session_id`.
    BySession,
    /// It belongs to none.
    Without,
}

/// Views of pages; those with a link are clicks as well.
pub static PAGE_VIEWS: Fact = Fact {
    id: "page_views",
    table: "hits",
    only: None,
    time: "occurred_at",
    visit: Visit::BySession,
};

/// Visits, each in its present state.
pub static SESSIONS: Fact = Fact {
    id: "visits",
    table: "sessions",
    only: None,
    time: "started_at",
    visit: Visit::Itself,
};

/// Sums of beacons that were not counted.
pub static REFUSALS: Fact = Fact {
    id: "refused",
    table: "refusals",
    only: None,
    time: "occurred_at",
    visit: Visit::Without,
};

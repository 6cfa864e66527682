//! Facts: the kinds of rows that reports count, and the tables and columns that hold them.

/// The column of the tenant. Every table of facts has it.
pub const TENANT: &str = "workspace_no";

/// A kind of row with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Unique name, also within statements.
    pub id: &'static str,
    /// Its table.
    pub table: &'static str,
    /// The fact that it is a part of. It shares the table, the time and all columns of the whole.
    pub part_of: Option<&'static Fact>,
    /// The conditions that select its rows from those of the whole, or of the table.
    pub only: &'static [Predicate],
    /// The column of the time, to which windows apply.
    pub time: &'static str,
    /// How it refers to its visit, and so to the visitor.
    pub visit: Visit,
}

/// A condition on one column. A row without a value meets only [`Predicate::Absent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// The column has a value.
    Present(&'static str),
    /// The column is true.
    True(&'static str),
    /// The column is above zero.
    Positive(&'static str),
    /// The column has no value.
    Absent(&'static str),
    /// The column is false.
    False(&'static str),
    /// The text column has this value, a plain word.
    Is(&'static str, &'static str),
}

/// How a fact refers to its visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// It is a visit; the column holds its id.
    Itself(&'static str),
    /// The column holds the id of its visit.
    By(&'static str),
    /// It belongs to a click instead, and has copies of most of its dimensions. The columns hold
    /// the click's id, and its time in whole milliseconds.
    ByClick {
        /// The column of the id.
        id: &'static str,
        /// The column of the time.
        at: &'static str,
    },
    /// It belongs to no visit, or has copies of all its dimensions.
    Without,
}

/// Visits in their present state.
pub static VISITS: Fact = Fact {
    id: "visits",
    table: "sessions",
    part_of: None,
    only: &[],
    time: "started_at",
    visit: Visit::Itself("session_id"),
};

/// Views of pages, clicks included.
pub static PAGE_VIEWS: Fact = Fact {
    id: "page_views",
    table: "hits",
    part_of: None,
    only: &[],
    time: "occurred_at",
    visit: Visit::By("session_id"),
};

/// Page views that are clicks on a link of the page.
pub static LINK_CLICKS: Fact = Fact {
    id: "link_clicks",
    part_of: Some(&PAGE_VIEWS),
    only: &[Predicate::Present("link_id")],
    ..PAGE_VIEWS
};

/// All clicks on links, those of machines and duplicates included. Each has its own dimensions;
/// those of a bio page's link are copied from the visit.
pub static RECORDED_CLICKS: Fact = Fact {
    id: "recorded_clicks",
    table: "hits",
    part_of: None,
    only: &[Predicate::Present("link_id")],
    time: "occurred_at",
    visit: Visit::Without,
};

/// The condition that leaves out clicks of machines. A request may do without it.
pub const BY_PEOPLE: Predicate = Predicate::Absent("bot_reason");

/// Clicks on links that count: on a link of a bio page, and on a short link by a person, once an
/// hour.
pub static CLICKS_OF_LINKS: Fact = Fact {
    id: "clicks_of_links",
    part_of: Some(&RECORDED_CLICKS),
    only: &[BY_PEOPLE, Predicate::False("is_duplicate")],
    ..RECORDED_CLICKS
};

/// Conversions that count: pending or approved ones. Each has copies of its click's dimensions, if
/// its click is known.
pub static CONVERSIONS: Fact = Fact {
    id: "conversions",
    table: "conversions",
    part_of: None,
    only: &[Predicate::True("is_counted")],
    time: "occurred_at",
    visit: Visit::ByClick {
        id: "click_id",
        at: "clicked_at",
    },
};

/// Sums of beacons that were not counted.
pub static REFUSALS: Fact = Fact {
    id: "refused",
    table: "refusals",
    part_of: None,
    only: &[],
    time: "occurred_at",
    visit: Visit::Without,
};

/// Every fact.
pub static FACTS: [&Fact; 7] = [
    &VISITS,
    &PAGE_VIEWS,
    &LINK_CLICKS,
    &RECORDED_CLICKS,
    &CLICKS_OF_LINKS,
    &CONVERSIONS,
    &REFUSALS,
];

impl Fact {
    /// The whole that it is a part of, or itself.
    #[must_use]
    pub fn whole(&'static self) -> &'static Self {
        self.part_of.map_or(self, Self::whole)
    }

    /// True if `other` is the fact itself or a fact that it is a part of.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self == other || self.part_of.is_some_and(|whole| whole.is_within(other))
    }

    /// The conditions that select its rows from those of `other`, or of its table if `other` is
    /// `None`.
    #[must_use]
    pub fn predicates_within(&self, other: Option<&Self>) -> Vec<Predicate> {
        if other == Some(self) {
            return Vec::new();
        }
        let mut all = self
            .part_of
            .map_or_else(Vec::new, |whole| whole.predicates_within(other));
        all.extend(self.only);
        all
    }

    /// The smallest fact that contains all of these; `None` when there is none.
    #[must_use]
    pub fn holding(facts: impl IntoIterator<Item = &'static Self>) -> Option<&'static Self> {
        let mut facts = facts.into_iter();
        let first = facts.next()?;
        facts.try_fold(first, |holder, fact| {
            let mut wider = Some(holder);
            while let Some(holder) = wider {
                if fact.is_within(holder) {
                    return Some(holder);
                }
                wider = holder.part_of;
            }
            None
        })
    }
}

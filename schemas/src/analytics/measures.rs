//! Measures: the aggregates over the rows of a fact.

use super::facts::{
    BY_PEOPLE, CLICKS_OF_LINKS, CONVERSIONS, Fact, LINK_CLICKS, PAGE_VIEWS, Predicate,
    RECORDED_CLICKS, REFUSALS, VISITS,
};

/// A named aggregate over the rows of one fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Unique name, also within statements.
    pub id: &'static str,
    /// Its meaning, in one line.
    pub about: &'static str,
    /// The fact whose rows it aggregates.
    pub fact: &'static Fact,
    /// The condition on these rows; all rows without one.
    pub only: Option<Predicate>,
    /// How the rows become one number.
    pub aggregate: Aggregate,
}

/// How rows become one number; zero if there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// The number of rows.
    Count,
    /// The sum of a column. Rows without a value add nothing.
    Sum(&'static str, Stored),
    /// The number of distinct values of a column. Rows without a value add none.
    Distinct(&'static str),
    /// The latest value of a column of times, in microseconds since 1970.
    Latest(&'static str),
    /// The sum of what the campaigns of the rows charge for them, in millionths of a dollar. Rows of
    /// other campaigns, and of none, add nothing.
    Cost(Charge),
}

/// What a campaign charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// For each row, which is a click.
    Click,
    /// For each row, which is an approved conversion.
    Approval,
    /// A share of the column, which has the revenue in millionths of a dollar.
    Share(&'static str),
}

/// How the numbers of a column are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// As whole numbers.
    Whole,
    /// As doubles. They are summed as decimals, because a sum of doubles depends on the order of
    /// the rows.
    Double,
}

impl Aggregate {
    /// True when the numbers of two sets of rows add up to the number of both.
    #[must_use]
    pub const fn is_additive(self) -> bool {
        match self {
            Self::Count | Self::Sum(..) | Self::Cost(_) => true,
            Self::Distinct(_) | Self::Latest(_) => false,
        }
    }
}

/// Views of pages.
pub static VIEWS: Measure = Measure {
    id: "views",
    about: "Views, clicks included.",
    fact: &PAGE_VIEWS,
    only: None,
    aggregate: Aggregate::Count,
};

/// Views that are clicks.
pub static CLICKS: Measure = Measure {
    id: "clicks",
    about: "Views that are clicks.",
    fact: &LINK_CLICKS,
    only: None,
    aggregate: Aggregate::Count,
};

/// Clicks on links that count.
pub static COUNTED_CLICKS: Measure = Measure {
    id: "counted_clicks",
    about: "Clicks on links.",
    fact: &CLICKS_OF_LINKS,
    only: None,
    aggregate: Aggregate::Count,
};

/// The visitors who clicked.
pub static UNIQUE_CLICKERS: Measure = Measure {
    id: "unique_clickers",
    about: "Visitors who clicked a link.",
    fact: &CLICKS_OF_LINKS,
    only: None,
    aggregate: Aggregate::Distinct("visitor_hash"),
};

/// When a link was last clicked.
pub static LAST_CLICK: Measure = Measure {
    id: "last_click",
    about: "When it was last clicked.",
    fact: &CLICKS_OF_LINKS,
    only: None,
    aggregate: Aggregate::Latest("occurred_at"),
};

/// Clicks by a scan of a QR code.
pub static QR_SCANS: Measure = Measure {
    id: "qr_scans",
    about: "Clicks by a scan of a QR code.",
    fact: &CLICKS_OF_LINKS,
    only: Some(Predicate::Is("trigger", "qr")),
    aggregate: Aggregate::Count,
};

/// Clicks of machines.
pub static BOT_CLICKS: Measure = Measure {
    id: "bot_clicks",
    about: "Clicks of machines, which no other number includes.",
    fact: &RECORDED_CLICKS,
    only: Some(Predicate::Present("bot_reason")),
    aggregate: Aggregate::Count,
};

/// Clicks through a redirect of ours.
pub static REDIRECTS: Measure = Measure {
    id: "redirects",
    about: "Clicks on short URLs.",
    fact: &CLICKS_OF_LINKS,
    only: Some(Predicate::Present("redirect_micros")),
    aggregate: Aggregate::Count,
};

/// How long these redirects took, in microseconds.
pub static REDIRECT_MICROS: Measure = Measure {
    id: "redirect_micros_sum",
    about: "Total duration of the redirects, in microseconds.",
    fact: &CLICKS_OF_LINKS,
    only: None,
    aggregate: Aggregate::Sum("redirect_micros", Stored::Whole),
};

/// Visits.
pub static VISIT_COUNT: Measure = Measure {
    id: "sessions",
    about: "Visits.",
    fact: &VISITS,
    only: None,
    aggregate: Aggregate::Count,
};

/// Visitors of visits that started in the window.
pub static UNIQUE_VISITORS: Measure = Measure {
    id: "unique_visitors",
    about: "Visitors of the visits.",
    fact: &VISITS,
    only: None,
    aggregate: Aggregate::Distinct("visitor_hash"),
};

/// Visits of fewer than two views.
pub static BOUNCES: Measure = Measure {
    id: "bounces",
    about: "Visits with fewer than two views.",
    fact: &VISITS,
    only: Some(Predicate::True("bounced")),
    aggregate: Aggregate::Count,
};

/// Views, added up from the counts in visits.
pub static VIEWS_OF_VISITS: Measure = Measure {
    id: "views_of_visits",
    about: "Views of the visits.",
    fact: &VISITS,
    only: None,
    aggregate: Aggregate::Sum("page_views", Stored::Whole),
};

/// Visits whose duration is known.
pub static TIMED_VISITS: Measure = Measure {
    id: "timed_visits",
    about: "Visits with a known duration.",
    fact: &VISITS,
    only: Some(Predicate::Positive("duration_seconds")),
    aggregate: Aggregate::Count,
};

/// The duration of these visits, in seconds.
pub static SECONDS: Measure = Measure {
    id: "seconds",
    about: "Total duration of the visits.",
    fact: &VISITS,
    only: Some(Predicate::Positive("duration_seconds")),
    aggregate: Aggregate::Sum("duration_seconds", Stored::Double),
};

/// Conversions of every class.
pub static CONVERSION_COUNT: Measure = Measure {
    id: "conversion_count",
    about: "Conversions: leads, sales and other milestones.",
    fact: &CONVERSIONS,
    only: None,
    aggregate: Aggregate::Count,
};

/// Conversions that are leads.
pub static LEADS: Measure = Measure {
    id: "leads",
    about: "Leads.",
    fact: &CONVERSIONS,
    only: Some(Predicate::True("is_lead")),
    aggregate: Aggregate::Count,
};

/// Conversions that are sales.
pub static SALES: Measure = Measure {
    id: "sales",
    about: "Sales.",
    fact: &CONVERSIONS,
    only: Some(Predicate::True("is_sale")),
    aggregate: Aggregate::Count,
};

/// What conversions earned, in millionths of a dollar, without what was refunded.
pub static REVENUE: Measure = Measure {
    id: "revenue",
    about: "Revenue in millionths of a US dollar, without refunds.",
    fact: &CONVERSIONS,
    only: None,
    aggregate: Aggregate::Sum("revenue_usd_micros", Stored::Whole),
};

/// Conversions whose amount has no known rate, and so is not in the revenue.
pub static UNCONVERTED: Measure = Measure {
    id: "unconverted",
    about: "Conversions with an amount in a currency without a known rate.",
    fact: &CONVERSIONS,
    only: Some(Predicate::True("is_unconverted")),
    aggregate: Aggregate::Count,
};

/// What campaigns charge for clicks. Clicks of machines cost nothing, also in a report that counts them.
pub static COST_OF_CLICKS: Measure = Measure {
    id: "cost_of_clicks",
    about: "What campaigns charge for clicks, in millionths of a US dollar.",
    fact: &CLICKS_OF_LINKS,
    only: Some(BY_PEOPLE),
    aggregate: Aggregate::Cost(Charge::Click),
};

/// What campaigns charge for approved conversions.
pub static COST_OF_APPROVALS: Measure = Measure {
    id: "cost_of_approvals",
    about: "What campaigns charge for approved conversions, in millionths of a US dollar.",
    fact: &CONVERSIONS,
    only: Some(Predicate::Is("status", "approved")),
    aggregate: Aggregate::Cost(Charge::Approval),
};

/// The share of the revenue that campaigns charge.
pub static COST_OF_REVENUE: Measure = Measure {
    id: "cost_of_revenue",
    about: "The share of the revenue that campaigns charge, in millionths of a US dollar.",
    fact: &CONVERSIONS,
    only: None,
    aggregate: Aggregate::Cost(Charge::Share("revenue_usd_micros")),
};

/// All that campaigns charge.
pub static COSTS: &[&Measure] = &[&COST_OF_CLICKS, &COST_OF_APPROVALS, &COST_OF_REVENUE];

/// Beacons that were answered but not counted.
pub static REFUSED: Measure = Measure {
    id: "refused_beacons",
    about: "Beacons that were answered but not counted.",
    fact: &REFUSALS,
    only: None,
    aggregate: Aggregate::Sum("refusal_count", Stored::Whole),
};

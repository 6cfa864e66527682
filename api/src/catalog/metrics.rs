//! What is said about facts: aggregates, and ratios of them rounded as JavaScript rounds.

use super::facts::{Fact, PAGE_VIEWS, REFUSALS, SESSIONS};
use crate::number::round_half_up;

/// An aggregate over the rows of one fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Name within statements; unique.
    pub id: &'static str,
    /// What it counts, in one line.
    pub about: &'static str,
    /// What it aggregates.
    pub fact: &'static Fact,
    /// The aggregate, as `float8`: what JSON's numbers are.
    pub sql: &'static str,
}

/// A number of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// The aggregate itself.
    Plain(&'static Measure),
    /// One aggregate over another.
    Ratio(Ratio),
}

impl Metric {
    /// What it tells, in one line.
    #[must_use]
    pub const fn about(&self) -> &'static str {
        match self {
            Self::Plain(measure) => measure.about,
            Self::Ratio(ratio) => ratio.about,
        }
    }
}

/// `round(numerator / denominator * scale) / unit`, and 0 when the denominator is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// What it tells, in one line.
    pub about: &'static str,
    /// Of the row.
    pub numerator: &'static Measure,
    /// Of what `over` says.
    pub denominator: &'static Measure,
    /// What the denominator is taken over.
    pub over: Over,
    /// How it is rounded.
    pub rounding: Rounding,
}

/// What a ratio's denominator is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The whole scope and window, whatever rows are returned.
    Scope,
    /// The sum over the rows that are returned, so that a limit changes it.
    ReturnedRows,
}

/// Where a ratio is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounding {
    scale: f64,
    unit: f64,
}

impl Rounding {
    /// `Math.round(x * 100)`: 35
    pub const WHOLE_PERCENT: Self = Self {
        scale: 100.0,
        unit: 1.0,
    };
    /// `Math.round(x)`: 145
    pub const WHOLE: Self = Self {
        scale: 1.0,
        unit: 1.0,
    };
    /// `Math.round(x * 10) / 10`: 1.8
    pub const ONE_DECIMAL: Self = Self {
        scale: 10.0,
        unit: 10.0,
    };
    /// `Math.round(x * 10000) / 100`: 7.62
    pub const PERCENT_2: Self = Self {
        scale: 10_000.0,
        unit: 100.0,
    };

    /// True when what it gives is whole.
    #[must_use]
    pub fn is_whole(self) -> bool {
        // The constants above are exact.
        self.unit.total_cmp(&1.0).is_eq()
    }

    /// The rounded ratio, in doubles and in this order of operations, as JavaScript computes it.
    #[must_use]
    pub fn apply(self, numerator: f64, denominator: f64) -> f64 {
        if denominator == 0.0 {
            return 0.0;
        }
        round_half_up(numerator / denominator * self.scale) / self.unit
    }
}

/// Views of pages.
pub static VIEWS: Measure = Measure {
    id: "views",
    about: "Views, clicks included.",
    fact: &PAGE_VIEWS,
    sql: "count(*)::float8",
};
/// Views that are clicks.
pub static CLICKS: Measure = Measure {
    id: "clicks",
    about: "Views that are clicks.",
    fact: &PAGE_VIEWS,
    sql: "count(link_id)::float8",
};
/// Visits.
pub static VISITS: Measure = Measure {
    id: "sessions",
    about: "Visits.",
    fact: &SESSIONS,
    sql: "count(*)::float8",
};
/// Visitors of visits that started in the window.
pub static UNIQUE_VISITORS: Measure = Measure {
    id: "unique_visitors",
    about: "Visitors of the visits.",
    fact: &SESSIONS,
    sql: "count(DISTINCT visitor_hash)::float8",
};

/// Visits of fewer than two views.
pub static BOUNCES: Measure = Measure {
    id: "bounces",
    about: "Visits of fewer than two views.",
    fact: &SESSIONS,
    sql: "(count(*) FILTER (WHERE bounced))::float8",
};

/// Views, by the count that each visit carries.
pub static VIEWS_OF_VISITS: Measure = Measure {
    id: "views_of_visits",
    about: "Views of the visits.",
    fact: &SESSIONS,
    sql: "coalesce(sum(page_views), 0)::float8",
};

/// Visits whose duration is known.
pub static TIMED_VISITS: Measure = Measure {
    id: "timed_visits",
    about: "Visits whose duration is known.",
    fact: &SESSIONS,
    sql: "(count(*) FILTER (WHERE duration_seconds > 0))::float8",
};

/// How long they took, in seconds. Summed as decimals: a sum of doubles depends on the order of its rows.
pub static SECONDS: Measure = Measure {
    id: "seconds",
    about: "How long the visits took.",
    fact: &SESSIONS,
    sql: "coalesce(sum(duration_seconds::numeric) FILTER (WHERE duration_seconds > 0), 0)::float8",
};

/// Beacons that were answered and not counted.
pub static REFUSED: Measure = Measure {
    id: "refused_beacons",
    about: "Beacons that were answered and not counted.",
    fact: &REFUSALS,
    sql: "coalesce(sum(refusal_count), 0)::float8",
};

/// Visits of fewer than two views per hundred.
pub static BOUNCE_RATE: Metric = Metric::Ratio(Ratio {
    about: "Visits of fewer than two views, of a hundred visits.",
    numerator: &BOUNCES,
    denominator: &VISITS,
    over: Over::Scope,
    rounding: Rounding::WHOLE_PERCENT,
});

/// Seconds of a visit whose duration is known.
pub static AVERAGE_DURATION: Metric = Metric::Ratio(Ratio {
    about: "Seconds of a visit, of those whose duration is known.",
    numerator: &SECONDS,
    denominator: &TIMED_VISITS,
    over: Over::Scope,
    rounding: Rounding::WHOLE,
});

/// Views of a visit, of all visits.
pub static PAGES_PER_VISIT: Metric = Metric::Ratio(Ratio {
    about: "Views of a visit, of all visits.",
    numerator: &VIEWS_OF_VISITS,
    denominator: &VISITS,
    over: Over::Scope,
    rounding: Rounding::ONE_DECIMAL,
});

/// Clicks per hundred views of the whole scope.
pub static CLICK_THROUGH: Metric = Metric::Ratio(Ratio {
    about: "Clicks, of a hundred views of the page.",
    numerator: &CLICKS,
    denominator: &VIEWS,
    over: Over::Scope,
    rounding: Rounding::PERCENT_2,
});
/// A row's part of the visits of all returned rows.
pub static SHARE_OF_RETURNED_VISITS: Metric = Metric::Ratio(Ratio {
    about: "The row's part of the visits of all rows returned, in percent.",
    numerator: &VISITS,
    denominator: &VISITS,
    over: Over::ReturnedRows,
    rounding: Rounding::WHOLE_PERCENT,
});

//! Metrics: the numbers of an answer, each a measure or a rounded ratio of two.

use super::{
    measures::{
        BOT_CLICKS, BOUNCES, CLICKS, CONVERSION_COUNT, COSTS, COUNTED_CLICKS, LAST_CLICK, LEADS,
        Measure, QR_SCANS, REDIRECT_MICROS, REDIRECTS, REFUSED, REVENUE, SALES, SECONDS,
        TIMED_VISITS, UNCONVERTED, UNIQUE_CLICKERS, UNIQUE_VISITORS, VIEWS, VIEWS_OF_VISITS,
        VISIT_COUNT,
    },
    rounding::Rounding,
};

/// A number of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// The measure itself.
    Plain(&'static Measure),
    /// The measure as an instant; null for 0.
    Moment(&'static Measure),
    /// One measure over another.
    Ratio(Ratio),
    /// An amount of money, in the currency of the answer.
    Amount(Amount),
    /// What an amount of money yields, in percent of what it cost.
    Yield(Yield),
}

impl Metric {
    /// Its meaning, in one line.
    #[must_use]
    pub const fn about(&self) -> &'static str {
        match self {
            Self::Plain(measure) | Self::Moment(measure) => measure.about,
            Self::Ratio(ratio) => ratio.about,
            Self::Amount(amount) => amount.about,
            Self::Yield(of) => of.about,
        }
    }

    /// The measures that each row needs for this metric.
    #[must_use]
    pub fn of_row(&self) -> Vec<&'static Measure> {
        match self {
            Self::Plain(measure) | Self::Moment(measure) => vec![measure],
            Self::Ratio(ratio) => match ratio.over {
                Over::Scope => vec![ratio.numerator],
                Over::ReturnedRows => vec![ratio.numerator, ratio.denominator],
            },
            Self::Amount(amount) => {
                let sums = amount.plus.iter().chain(amount.minus);
                sums.copied().chain(amount.per).collect()
            }
            Self::Yield(of) => of.earned.iter().chain(of.cost).copied().collect(),
        }
    }

    /// The measure of the whole scope and window that this metric needs, if any.
    #[must_use]
    pub fn of_scope(&self) -> Option<&'static Measure> {
        match self {
            Self::Ratio(ratio) if ratio.over == Over::Scope => Some(ratio.denominator),
            Self::Plain(_)
            | Self::Moment(_)
            | Self::Ratio(_)
            | Self::Amount(_)
            | Self::Yield(_) => None,
        }
    }
}

/// A sum of dollars, or what each of some rows adds to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount {
    /// Its meaning, in one line.
    pub about: &'static str,
    /// The sums that make it up, in millionths of a US dollar.
    pub plus: &'static [&'static Measure],
    /// The sums that are taken from it.
    pub minus: &'static [&'static Measure],
    /// The rows that it is divided by.
    pub per: Option<&'static Measure>,
    /// What it is without such rows.
    pub without: Without,
}

/// What a number is where there is nothing to divide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// It is 0.
    Zero,
    /// It is null.
    Null,
}

/// `round((earned - cost) / cost * scale) / unit`, and null if the cost is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Yield {
    /// Its meaning, in one line.
    pub about: &'static str,
    /// The sums that were earned, in millionths of a US dollar.
    pub earned: &'static [&'static Measure],
    /// The sums that they cost.
    pub cost: &'static [&'static Measure],
    /// The rounding.
    pub rounding: Rounding,
}

/// `round(numerator / denominator * scale) / unit`, and 0 if the denominator is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Its meaning, in one line.
    pub about: &'static str,
    /// The measure of the row.
    pub numerator: &'static Measure,
    /// The measure of the rows in `over`.
    pub denominator: &'static Measure,
    /// The rows of the denominator.
    pub over: Over,
    /// The rounding.
    pub rounding: Rounding,
}

/// The rows over which a ratio takes its denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The whole scope and window, regardless of the returned rows.
    Scope,
    /// The returned rows, so that a limit changes the sum.
    ReturnedRows,
}

/// Views of pages.
pub static COUNT_OF_VIEWS: Metric = Metric::Plain(&VIEWS);
/// Views that are clicks.
pub static COUNT_OF_CLICKS: Metric = Metric::Plain(&CLICKS);
/// Clicks on links that count.
pub static COUNT_OF_COUNTED_CLICKS: Metric = Metric::Plain(&COUNTED_CLICKS);
/// The visitors who clicked.
pub static COUNT_OF_CLICKERS: Metric = Metric::Plain(&UNIQUE_CLICKERS);
/// When a link was last clicked.
pub static TIME_OF_LAST_CLICK: Metric = Metric::Moment(&LAST_CLICK);
/// Conversions of every class.
pub static COUNT_OF_CONVERSIONS: Metric = Metric::Plain(&CONVERSION_COUNT);
/// Leads.
pub static COUNT_OF_LEADS: Metric = Metric::Plain(&LEADS);
/// Sales.
pub static COUNT_OF_SALES: Metric = Metric::Plain(&SALES);
/// What conversions earned.
pub static SUM_OF_REVENUE: Metric = Metric::Amount(Amount {
    about: "What conversions earned, without refunds.",
    plus: &[&REVENUE],
    minus: &[],
    per: None,
    without: Without::Zero,
});
/// What a click earned.
pub static EARNINGS_PER_CLICK: Metric = Metric::Amount(Amount {
    about: "Revenue per click.",
    plus: &[&REVENUE],
    minus: &[],
    per: Some(&COUNTED_CLICKS),
    without: Without::Zero,
});
/// What campaigns charge.
pub static SUM_OF_COST: Metric = Metric::Amount(Amount {
    about: "What campaigns charge, by their cost models.",
    plus: COSTS,
    minus: &[],
    per: None,
    without: Without::Zero,
});
/// What is left of the revenue.
pub static PROFIT: Metric = Metric::Amount(Amount {
    about: "Revenue without cost.",
    plus: &[&REVENUE],
    minus: COSTS,
    per: None,
    without: Without::Zero,
});
/// What a conversion costs.
pub static COST_PER_CONVERSION: Metric = Metric::Amount(Amount {
    about: "Cost per conversion; null without conversions.",
    plus: COSTS,
    minus: &[],
    per: Some(&CONVERSION_COUNT),
    without: Without::Null,
});
/// What a dollar of cost yields.
pub static RETURN_ON_INVESTMENT: Metric = Metric::Yield(Yield {
    about: "Profit in percent of the cost; null without cost.",
    earned: &[&REVENUE],
    cost: COSTS,
    rounding: Rounding::PERCENT_1,
});
/// Clicks by a scan of a QR code.
pub static COUNT_OF_QR_SCANS: Metric = Metric::Plain(&QR_SCANS);
/// Clicks of machines.
pub static COUNT_OF_BOT_CLICKS: Metric = Metric::Plain(&BOT_CLICKS);
/// Conversions that are not in the revenue for want of a rate.
pub static COUNT_OF_UNCONVERTED: Metric = Metric::Plain(&UNCONVERTED);
/// Visits.
pub static COUNT_OF_VISITS: Metric = Metric::Plain(&VISIT_COUNT);
/// Visitors of the visits.
pub static COUNT_OF_VISITORS: Metric = Metric::Plain(&UNIQUE_VISITORS);
/// Beacons that were not counted.
pub static COUNT_OF_REFUSALS: Metric = Metric::Plain(&REFUSED);

/// Visits of fewer than two views per hundred.
pub static BOUNCE_RATE: Metric = Metric::Ratio(Ratio {
    about: "Visits with fewer than two views, in percent.",
    numerator: &BOUNCES,
    denominator: &VISIT_COUNT,
    over: Over::Scope,
    rounding: Rounding::WHOLE_PERCENT,
});

/// Seconds of a visit whose duration is known.
pub static AVERAGE_DURATION: Metric = Metric::Ratio(Ratio {
    about: "Average duration in seconds, of visits with a known duration.",
    numerator: &SECONDS,
    denominator: &TIMED_VISITS,
    over: Over::Scope,
    rounding: Rounding::WHOLE,
});

/// Views of a visit, of all visits.
pub static PAGES_PER_VISIT: Metric = Metric::Ratio(Ratio {
    about: "Average number of views per visit.",
    numerator: &VIEWS_OF_VISITS,
    denominator: &VISIT_COUNT,
    over: Over::Scope,
    rounding: Rounding::ONE_DECIMAL,
});

/// Clicks per hundred views of the whole scope.
pub static CLICK_THROUGH: Metric = Metric::Ratio(Ratio {
    about: "Clicks in percent of the page's views.",
    numerator: &CLICKS,
    denominator: &VIEWS,
    over: Over::Scope,
    rounding: Rounding::PERCENT_2,
});

/// Conversions per hundred clicks.
pub static CONVERSION_RATE: Metric = Metric::Ratio(Ratio {
    about: "Conversions in percent of the clicks.",
    numerator: &CONVERSION_COUNT,
    denominator: &COUNTED_CLICKS,
    over: Over::Scope,
    rounding: Rounding::PERCENT_2,
});

/// Milliseconds of a redirect.
pub static AVERAGE_REDIRECT_MS: Metric = Metric::Ratio(Ratio {
    about: "Average time until a short URL was answered, in milliseconds.",
    numerator: &REDIRECT_MICROS,
    denominator: &REDIRECTS,
    over: Over::Scope,
    rounding: Rounding::MICROS_AS_MS,
});

/// A row's part of all clicks.
pub static SHARE_OF_CLICKS: Metric = Metric::Ratio(Ratio {
    about: "The row's share of all clicks, in percent.",
    numerator: &COUNTED_CLICKS,
    denominator: &COUNTED_CLICKS,
    over: Over::Scope,
    rounding: Rounding::PERCENT_1,
});

/// A row's part of the visits of all returned rows.
pub static SHARE_OF_RETURNED_VISITS: Metric = Metric::Ratio(Ratio {
    about: "The row's share of the visits in all returned rows, in percent.",
    numerator: &VISIT_COUNT,
    denominator: &VISIT_COUNT,
    over: Over::ReturnedRows,
    rounding: Rounding::WHOLE_PERCENT,
});

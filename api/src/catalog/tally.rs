//! Tallies: numbers of all time about each of several things, for answers that list these things.
//!
//! The one rule: their numbers are metrics of the reports, so a list and a report never differ.

use schemas::analytics::{
    Dimension, Metric,
    dimensions::{LINK, QR},
    metrics::{
        COUNT_OF_CLICKERS, COUNT_OF_CONVERSIONS, COUNT_OF_COUNTED_CLICKS, COUNT_OF_LEADS,
        COUNT_OF_SALES, SUM_OF_REVENUE, TIME_OF_LAST_CLICK,
    },
};

/// Numbers of all time about each of several things.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// Its unique name in metrics and logs.
    pub id: &'static str,
    /// The dimension whose values are the ids of the things.
    pub dimension: &'static Dimension,
    /// The numbers. The first one is a count.
    pub metrics: &'static [&'static Metric],
}

/// What links have had.
pub static OF_LINKS: Tally = Tally {
    id: "links.counts",
    dimension: &LINK,
    metrics: &[
        &COUNT_OF_COUNTED_CLICKS,
        &COUNT_OF_CLICKERS,
        &COUNT_OF_CONVERSIONS,
        &COUNT_OF_LEADS,
        &COUNT_OF_SALES,
        &SUM_OF_REVENUE,
        &TIME_OF_LAST_CLICK,
    ],
};

/// How often QR codes were scanned.
pub static OF_QR_CODES: Tally = Tally {
    id: "qr.counts",
    dimension: &QR,
    metrics: &[&COUNT_OF_COUNTED_CLICKS],
};

/// Every tally.
pub static TALLIES: [&Tally; 2] = [&OF_LINKS, &OF_QR_CODES];

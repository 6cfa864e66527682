//! Evaluates words of the vocabulary on rows in memory.

use crate::raw::Row;
use api::catalog::Dimension;
use jiff::Timestamp;
use schemas::analytics::{Aggregate, Charge, Measure, Metric, Over, Predicate};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What a campaign charges.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    /// The campaign.
    pub campaign: Uuid,
    /// `cpc`, `cpm`, `cpa` or `revshare`.
    pub model: &'static str,
    /// In dollars, or in percent of the revenue.
    pub rate: f64,
}

/// What a campaign charges for a row, in millionths of a dollar.
fn charged(price: &Price, charge: Charge, row: &Row) -> f64 {
    match (charge, price.model) {
        (Charge::Click, "cpc") | (Charge::Approval, "cpa") => price.rate * 1e6,
        (Charge::Click, "cpm") => price.rate * 1e3,
        (Charge::Share(column), "revshare") => {
            row.get(column).as_f64().unwrap() * price.rate / 100.0
        }
        _ => 0.0,
    }
}

/// The measures whose rows make up a number.
pub(crate) fn of_row(metric: &Metric) -> Vec<&'static Measure> {
    match metric {
        Metric::Plain(measure) | Metric::Moment(measure) => vec![measure],
        Metric::Ratio(ratio) if ratio.over == Over::ReturnedRows => {
            vec![ratio.numerator, ratio.denominator]
        }
        Metric::Ratio(ratio) => vec![ratio.numerator],
        Metric::Amount(amount) => {
            let sums = amount.plus.iter().chain(amount.minus).copied();
            sums.chain(amount.per).collect()
        }
        Metric::Yield(of) => of.earned.iter().chain(of.cost).copied().collect(),
    }
}

pub(crate) fn holds(predicate: Predicate, row: &Row) -> bool {
    match predicate {
        Predicate::Present(column) => !row.get(column).is_null(),
        Predicate::True(column) => row.get(column).as_bool() == Some(true),
        Predicate::Positive(column) => row.get(column).as_f64() > Some(0.0),
        Predicate::Absent(column) => row.get(column).is_null(),
        Predicate::False(column) => row.get(column).as_bool() == Some(false),
        Predicate::Is(column, word) => row.get(column).as_str() == Some(word),
    }
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
pub(crate) fn aggregate(aggregate: Aggregate, rows: &[&Row], prices: &[Price]) -> f64 {
    match aggregate {
        Aggregate::Count => rows.len() as f64,
        Aggregate::Sum(column, _) => rows.iter().filter_map(|row| row.get(column).as_f64()).sum(),
        Aggregate::Cost(charge) => {
            let charged = rows.iter().map(|row| {
                let campaign = row.text("campaign_id");
                let price = prices
                    .iter()
                    .find(|price| Some(price.campaign.to_string()) == campaign);
                price.map_or(0.0, |price| charged(price, charge, row))
            });
            charged.sum()
        }
        Aggregate::Latest(column) => {
            let times = rows.iter().filter_map(|row| row.text(column));
            let times = times.map(|text| text.parse::<Timestamp>().unwrap());
            times.max().map_or(0.0, |at| at.as_microsecond() as f64)
        }
        Aggregate::Distinct(column) => {
            let values: BTreeSet<String> = rows.iter().filter_map(|row| row.text(column)).collect();
            values.len() as f64
        }
    }
}

/// The value that a filter's element means: without backslashes, and the null label for an empty
/// one.
pub(crate) fn meant(filter: &Dimension, element: &str) -> String {
    let mut chars = element.chars();
    let mut plain = String::new();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => chars.next().unwrap_or(char),
            _ => char,
        });
    }
    if plain.is_empty() {
        filter.null_label.to_owned()
    } else {
        plain
    }
}

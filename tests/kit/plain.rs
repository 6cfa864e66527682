//! Evaluates words of the vocabulary on rows in memory.

use crate::raw::Row;
use api::catalog::Dimension;
use jiff::Timestamp;
use schemas::analytics::{Aggregate, Measure, Metric, Over, Predicate};
use std::collections::BTreeSet;

/// The measures whose rows make up a number.
pub(crate) fn of_row(metric: &Metric) -> Vec<&'static Measure> {
    match metric {
        Metric::Plain(measure) | Metric::Moment(measure) => vec![measure],
        Metric::Ratio(ratio) if ratio.over == Over::ReturnedRows => {
            vec![ratio.numerator, ratio.denominator]
        }
        Metric::Ratio(ratio) => vec![ratio.numerator],
        Metric::Amount(amount) => [amount.usd_micros].into_iter().chain(amount.per).collect(),
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
pub(crate) fn aggregate(aggregate: Aggregate, rows: &[&Row]) -> f64 {
    match aggregate {
        Aggregate::Count => rows.len() as f64,
        Aggregate::Sum(column, _) => rows.iter().filter_map(|row| row.get(column).as_f64()).sum(),
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

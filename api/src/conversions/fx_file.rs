//! Reads rates from a CSV file, and loads them into the main database.
//!
//! The columns are `day,currency,usd_per_unit`. The bundled file has the last day of each month from
//! the reference rates of the European Central Bank, so that a new installation converts the common
//! currencies roughly until its owner loads better rates.

use super::convert::convert;
use crate::store::{self, fx::Rate};
use jiff::civil::Date;
use runtime::{Clock, IdSource};
use schemas::money::{Currency, read_rate};
use sqlx::PgPool;
use std::collections::BTreeMap;
use thiserror::Error;

const BUNDLED: &str = include_str!("../../rates.csv");

/// Most rates that one statement writes.
const CHUNK: usize = 5_000;

/// Why rates were not loaded.
#[derive(Debug, Error)]
pub enum FxError {
    /// A line breaks a rule.
    #[error("line {line}: {what}")]
    Line {
        /// Its number in the file.
        line: u64,
        /// The rule.
        what: String,
    },
    /// The database refused or did not answer.
    #[error("the main database: {}", runtime::database::message(.0))]
    Database(#[from] sqlx::Error),
}

/// What a load did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedRates {
    /// Rates written.
    pub rates: usize,
    /// Conversions that have dollars now.
    pub converted: u64,
}

/// Reads all rates of a file, or names its first wrong line.
fn read(text: &str) -> Result<Vec<Rate>, FxError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut rates = BTreeMap::new();
    for (number, record) in (1..).zip(reader.records()) {
        let wrong = |what: String| FxError::Line { line: number, what };
        let record = record.map_err(|error| wrong(error.to_string()))?;
        let fields: Vec<&str> = record.iter().collect();
        let [day, code, rate] = fields.as_slice() else {
            return Err(wrong("give day,currency,usd_per_unit".to_owned()));
        };
        if number == 1 && *day == "day" {
            continue;
        }
        let day: Date = day
            .parse()
            .map_err(|_| wrong(format!("{day:?} is not a day such as 2026-02-20")))?;
        let currency = Currency::from_code(code)
            .ok_or_else(|| wrong(format!("{code:?} is not a currency of ISO 4217")))?;
        let rate = read_rate(rate)
            .map_err(|_| wrong(format!("{rate:?} is not a decimal number above 0")))?;
        // The last line of a day counts, and one statement cannot write a row twice.
        rates.insert((currency, day), rate);
    }
    let rates = rates.into_iter();
    Ok(rates
        .map(|((currency, day), rate)| (currency, day, rate))
        .collect())
}

/// Loads the rates of a CSV file, all or none, and converts what waited for them.
///
/// # Errors
/// [`FxError`] names the wrong line or the database's error.
pub async fn load_rates(
    pool: &PgPool,
    (clock, ids): (&dyn Clock, &dyn IdSource),
    text: &str,
) -> Result<LoadedRates, FxError> {
    let rates = read(text)?;
    let mut tx = pool.begin().await?;
    for chunk in rates.chunks(CHUNK) {
        store::fx::save(&mut tx, chunk).await?;
    }
    tx.commit().await?;
    Ok(LoadedRates {
        rates: rates.len(),
        converted: convert(pool, clock, ids).await?,
    })
}

/// Loads the bundled rates into a database that has none.
pub(crate) async fn load_bundled(
    pool: &PgPool,
    time: (&dyn Clock, &dyn IdSource),
) -> Result<(), FxError> {
    if store::fx::is_empty(pool).await? {
        load_rates(pool, time, BUNDLED).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_rates_are_readable_and_near_what_money_is_worth() {
        let rates = read(BUNDLED).unwrap();
        assert!(rates.len() > 300, "{}", rates.len());
        let newest = |code: &str| {
            let currency = Currency::from_code(code).unwrap();
            let of = rates.iter().filter(|(known, ..)| *known == currency);
            let (_, _, rate) = of.max_by_key(|(_, day, _)| *day).unwrap();
            currency
                .usd_micros(10_i64.pow(currency.digits()) * 100, *rate)
                .unwrap()
        };
        for (code, least, most) in [("EUR", 100, 130), ("JPY", 0, 2), ("GBP", 110, 160)] {
            let dollars = newest(code) / 1_000_000;
            assert!((least..=most).contains(&dollars), "{code}: {dollars}");
        }
    }

    #[test]
    fn a_wrong_line_is_named_and_the_last_line_of_a_day_counts() {
        let text = "day,currency,usd_per_unit\n2026-02-20,EUR,1.08\n2026-02-20, eur ,1.09\n";
        let rates = read(text).unwrap();
        assert_eq!(
            rates.iter().map(|rate| rate.2).collect::<Vec<_>>(),
            [1_090_000_000_000]
        );
        for (text, line) in [
            ("day,currency,usd_per_unit\n2026-02-30,EUR,1.08\n", 2),
            ("2026-02-20,XYZ,1.08\n", 1),
            ("2026-02-20,EUR,0\n", 1),
            ("2026-02-20,EUR\n", 1),
            ("2026-02-20,EUR,1\nDate,USD,JPY,BGN\n", 2),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.starts_with(&format!("line {line}: ")), "{said}");
        }
    }
}

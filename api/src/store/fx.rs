//! Rates of currencies by day.

use super::{Statement, Tx, statements};
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use schemas::money::{Currency, PICO};
use sqlx::{PgExecutor, Row};

pub(super) const STATEMENTS: &[Statement] = statements![RATE, SAVE, IS_EMPTY];

// The last day with a rate on or before that day: weekends and holidays have none.
pub(super) const RATE: &str = "\
SELECT day, usd_pico
FROM fx_rates
WHERE currency = $1
  AND day <= $2
ORDER BY day DESC
LIMIT 1";

pub(super) const SAVE: &str = "\
INSERT INTO fx_rates (currency, day, usd_pico)
SELECT *
FROM unnest($1::text[], $2::date[], $3::int8[])
ON CONFLICT (currency, day) DO UPDATE
SET usd_pico = excluded.usd_pico";

pub(super) const IS_EMPTY: &str = "SELECT NOT EXISTS (SELECT FROM fx_rates)";

/// A rate of a currency on a day, in [`PICO`] dollars for one unit.
pub(crate) type Rate = (Currency, Date, i64);

/// The rate that applies to a currency on a day, with its own day; `None` when there is none.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    currency: Currency,
    day: Date,
) -> sqlx::Result<Option<(Date, i64)>> {
    if currency == Currency::USD {
        return Ok(Some((day, PICO)));
    }
    let row = sqlx::query(RATE)
        .bind(currency.code())
        .bind(day.to_sqlx())
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|row| {
        let day: jiff_sqlx::Date = row.try_get("day")?;
        Ok((day.to_jiff(), row.try_get("usd_pico")?))
    })
    .transpose()
}

/// Writes rates, each once per currency and day; a later rate of a day replaces the former one.
pub(crate) async fn save(tx: &mut Tx<'_>, rates: &[Rate]) -> sqlx::Result<()> {
    let currencies = rates.iter().map(|(currency, ..)| currency.code());
    let days = rates.iter().map(|(_, day, _)| day.to_sqlx());
    let picos = rates.iter().map(|(.., pico)| *pico);
    sqlx::query(SAVE)
        .bind(currencies.collect::<Vec<&str>>())
        .bind(days.collect::<Vec<_>>())
        .bind(picos.collect::<Vec<i64>>())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// True when no rate is known at all.
pub(crate) async fn is_empty(executor: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar(IS_EMPTY).fetch_one(executor).await
}

//! What campaigns charge, by their cost models, in dollars.
//!
//! The one rule: a price is an exact decimal, so the order in which rows are added up does not
//! matter.

use crate::{
    sources::Price,
    store::{
        campaigns::{self, Terms},
        fx,
    },
};
use jiff::civil::Date;
use runtime::http::ApiError;
use schemas::money::Currency;
use sqlx::PgPool;
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};
use uuid::Uuid;

/// Millionths of a price, which a campaign's terms are in.
const MICROS: u32 = 6;

/// The prices of a workspace's campaigns at the rates of a day, and how many campaigns charge in a
/// currency without a rate. A campaign without a currency charges in that of the workspace.
pub(super) async fn read(
    main: &PgPool,
    workspace_id: Uuid,
    own: Currency,
    day: Date,
) -> Result<(Arc<[Price]>, u32), ApiError> {
    let found = campaigns::priced(main, workspace_id).await?;
    if found.is_empty() {
        return Ok((Arc::default(), 0));
    }
    let mut tx = main.begin().await?;
    let (mut prices, mut unpriced) = (Vec::new(), 0);
    let mut rates = HashMap::new();
    for (campaign_id, terms) in found {
        let currency = match terms.currency.as_deref() {
            // A share of a revenue in dollars needs no rate.
            _ if terms.cost_model.as_deref() == Some("revshare") => Some(Currency::USD),
            None => Some(own),
            Some(code) => Currency::from_code(code),
        };
        let rate = match currency {
            None => None,
            Some(currency) => {
                if let Entry::Vacant(unknown) = rates.entry(currency) {
                    let found = fx::find(&mut tx, currency, day).await?;
                    unknown.insert(found.map(|(_, rate)| rate));
                }
                rates.get(&currency).copied().flatten()
            }
        };
        match rate {
            Some(rate) => prices.push(price(campaign_id, &terms, rate)),
            None => unpriced += 1,
        }
    }
    tx.commit().await?;
    Ok((prices.into(), unpriced))
}

/// The prices of a campaign, at a rate in `PICO` dollars for one unit of its currency.
fn price(campaign_id: Uuid, terms: &Terms, rate: i64) -> Price {
    let none = || "0".to_owned();
    // Millionths of a unit, times millionths of a millionth of a dollar for a unit, are millionths
    // of a dollar with twelve decimals.
    let micros = i128::from(terms.cost_rate_micros.unwrap_or_default());
    let charged = |decimals: u32| decimal(micros.saturating_mul(i128::from(rate)), decimals);
    let model = terms.cost_model.as_deref();
    let percent = terms.revshare_pct.filter(|_| model == Some("revshare"));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a campaign's terms have from 0 to 100 percent"
    )]
    let share = percent.map(|percent| (percent * 1e6).round() as i128);
    Price {
        campaign_id,
        click: match model {
            Some("cpc") => charged(12),
            Some("cpm") => charged(15),
            _ => none(),
        },
        approval: match model {
            Some("cpa") => charged(12),
            _ => none(),
        },
        share: share.map_or_else(none, |share| decimal(share, MICROS + 2)),
    }
}

/// A number that is not negative, with the point so many digits from its end.
fn decimal(number: i128, decimals: u32) -> String {
    let width = usize::try_from(decimals).unwrap_or_default() + 1;
    let text = format!("{:0>width$}", number.max(0));
    let (whole, fraction) = text.split_at(text.len().saturating_sub(width - 1));
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::money::PICO;

    fn of(model: &str, rate: i64) -> [String; 3] {
        let terms = Terms {
            cost_model: Some(model.to_owned()),
            cost_rate_micros: Some(250_000),
            revshare_pct: Some(12.5),
            ..Terms::default()
        };
        let price = price(Uuid::nil(), &terms, rate);
        [price.click, price.approval, price.share]
    }

    #[test]
    fn each_model_charges_for_one_thing() {
        let euro = PICO / 4 * 5;
        let click = "312500.000000000000".to_owned();
        for (model, prices) in [
            ("cpc", [&*click, "0", "0"]),
            ("cpm", ["312.500000000000000", "0", "0"]),
            ("cpa", ["0", &click, "0"]),
            ("revshare", ["0", "0", "0.12500000"]),
            ("none", ["0", "0", "0"]),
        ] {
            assert_eq!(of(model, euro), prices.map(str::to_owned), "{model}");
        }
        assert_eq!(of("cpc", 1)[0], "0.000000250000");
    }
}

//! Conversions in the answers of routes.

use super::record::Recorded;
use crate::{instant::iso_micros, number::Number, store::conversions::Conversion};
use schemars::JsonSchema;
use schemas::money::Currency;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// An amount as a number with the decimals of its currency. Up to 15 digits are exact.
pub(crate) fn decimal(minor: i64, currency: Currency) -> Number {
    Number(currency.write(minor).parse().unwrap_or_default())
}

/// What a call has recorded.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "TrackedConversion",
    description = "A conversion as it was recorded."
)]
pub(crate) struct WireTracked {
    conversion_id: Uuid,
    click_id: Option<Uuid>,
    event: String,
    #[serde(rename = "type")]
    class: &'static str,
    #[schemars(with = "Option<f64>")]
    value: Option<Number>,
    currency: Option<&'static str>,
    order_id: Option<String>,
    tracked: bool,
    /// Whether an earlier call had recorded it. Then these are its values.
    duplicate: bool,
    timestamp: String,
}

impl WireTracked {
    /// The result of a call that named that click. The values of a first call for another click are
    /// not shown: both clicks are public, and who has one must not read the other's order.
    pub(crate) fn new(recorded: &Recorded, named: Option<Uuid>) -> Self {
        let first = &recorded.conversion;
        let is_own = !recorded.is_duplicate || named.is_none() || named == first.click_id;
        let currency = first.currency().filter(|_| is_own);
        let value = first.amount_minor.zip(currency);
        Self {
            conversion_id: first.id,
            click_id: if is_own { first.click_id } else { named },
            event: first.event_name.clone(),
            class: first.class().name(),
            value: value.map(|(minor, currency)| decimal(minor, currency)),
            currency: currency.map(Currency::code),
            order_id: first.order_id.clone().filter(|_| is_own),
            tracked: true,
            duplicate: recorded.is_duplicate,
            timestamp: iso_micros(first.occurred_at()),
        }
    }
}

/// What a postback has recorded.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "PostedConversion",
    description = "A conversion that a postback reported."
)]
pub(crate) struct WirePosted {
    pub(crate) conversion_id: Uuid,
    pub(crate) click_id: Uuid,
    pub(crate) tracked: bool,
    /// Whether an earlier call had recorded it.
    pub(crate) duplicate: bool,
}

/// What a call from server to server has recorded.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "AttributedConversion",
    description = "A conversion from server to server; without an id if it belongs to no click."
)]
pub(crate) struct WireAttributed {
    pub(crate) conversion_id: Option<Uuid>,
    pub(crate) attributed: bool,
    /// The link of the click; null until the click is in the tables.
    pub(crate) link_id: Option<Uuid>,
    /// The campaign of the click.
    pub(crate) campaign_id: Option<Uuid>,
    /// Whether an earlier call had recorded it.
    pub(crate) duplicate: bool,
}

/// A conversion for its workspace.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Conversion", description = "A conversion.")]
pub(crate) struct WireConversion {
    conversion_id: Uuid,
    #[serde(rename = "type")]
    class: &'static str,
    event_name: String,
    status: &'static str,
    source: &'static str,
    timestamp: String,
    click_id: Option<Uuid>,
    /// Whether the call named the click, or a customer whose first click it is.
    attributed_by: &'static str,
    customer_id: Option<Uuid>,
    sale_type: Option<&'static str>,
    #[schemars(with = "Option<f64>")]
    amount: Option<Number>,
    currency: Option<&'static str>,
    /// In dollars, at the rate of its day; null while none is known.
    #[schemars(with = "Option<f64>")]
    usd: Option<Number>,
    /// The day of that rate.
    rate_day: Option<String>,
    /// What was given back, in its currency.
    #[schemars(with = "Option<f64>")]
    refunded: Option<Number>,
    order_id: Option<String>,
    #[schemars(with = "Map<String, Value>")]
    metadata: Value,
}

impl From<Conversion> for WireConversion {
    fn from(from: Conversion) -> Self {
        let currency = from.currency();
        let in_currency = |minor: Option<i64>| {
            let (minor, currency) = minor.zip(currency)?;
            Some(decimal(minor, currency))
        };
        // A report rounds to cents; a single amount does too.
        let cents = from
            .usd_micros
            .map(|micros| micros.saturating_add(5_000) / 10_000);
        Self {
            conversion_id: from.id,
            class: from.class().name(),
            status: from.status().name(),
            source: from.source().name(),
            timestamp: iso_micros(from.occurred_at()),
            click_id: from.click_id,
            attributed_by: from.attributed_by().name(),
            customer_id: from.customer_id,
            sale_type: from.sale_type().map(schemas::events::SaleType::name),
            amount: in_currency(from.amount_minor),
            currency: currency.map(Currency::code),
            usd: cents.map(|cents| decimal(cents, Currency::USD)),
            rate_day: from.rate_day().map(|day| day.to_string()),
            refunded: in_currency(from.amount_minor.map(|_| from.refunded())),
            event_name: from.event_name,
            order_id: from.order_id,
            metadata: from.metadata,
        }
    }
}

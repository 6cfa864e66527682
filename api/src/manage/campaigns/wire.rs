//! A campaign in answers.

use crate::{
    instant::iso_micros,
    store::campaigns::{Campaign, Terms},
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// Millionths of a unit, in which amounts are kept.
pub(super) const MICROS: f64 = 1_000_000.0;

/// A campaign.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Campaign", description = "A group of links.")]
pub(crate) struct WireCampaign {
    id: Uuid,
    name: String,
    /// `active`, `paused` or `archived`.
    status: String,
    /// `none`, `cpc`, `cpm`, `cpa` or `revshare`.
    cost_model: String,
    /// The cost of a click, of a thousand clicks or of a conversion, in `currency`.
    cost_rate: Option<f64>,
    /// The share of revenue, in percent.
    revshare_pct: Option<f64>,
    currency: Option<String>,
    daily_budget: Option<f64>,
    total_budget: Option<f64>,
    /// Shares of the budget at which the owner gets a message.
    alert_thresholds: Vec<f64>,
    #[schemars(extend("format" = "date-time"))]
    starts_at: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    ends_at: Option<String>,
    /// How many links belong to it.
    links: i64,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    #[schemars(extend("format" = "date-time"))]
    deleted_at: Option<String>,
}

impl From<Campaign> for WireCampaign {
    fn from(campaign: Campaign) -> Self {
        let time = |at: jiff_sqlx::Timestamp| iso_micros(at.to_jiff());
        let Terms {
            cost_model,
            cost_rate_micros,
            revshare_pct,
            currency,
            daily_budget_micros,
            total_budget_micros,
            alert_thresholds,
            starts_at,
            ends_at,
        } = campaign.terms.0;
        Self {
            id: campaign.id,
            name: campaign.name,
            status: campaign.status,
            cost_model: cost_model.unwrap_or_else(|| "none".to_owned()),
            cost_rate: cost_rate_micros.map(units),
            revshare_pct,
            currency,
            daily_budget: daily_budget_micros.map(units),
            total_budget: total_budget_micros.map(units),
            alert_thresholds,
            starts_at: starts_at.map(iso_micros),
            ends_at: ends_at.map(iso_micros),
            links: campaign.links,
            created_at: time(campaign.created_at),
            updated_at: time(campaign.updated_at),
            deleted_at: campaign.deleted_at.map(time),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the largest amount has fewer digits than a double holds"
)]
fn units(micros: i64) -> f64 {
    micros as f64 / MICROS
}

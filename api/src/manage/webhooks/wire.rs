//! Webhooks in the answers of routes.

use crate::{
    instant::iso_micros,
    store::webhooks::Webhook,
    webhooks::{Secret, TYPES},
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// A webhook, without its secret.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Webhook", description = "A webhook, without its secret.")]
pub(super) struct WireWebhook {
    id: Uuid,
    url: String,
    #[schemars(with = "Vec<String>", extend("items" = {"type": "string", "enum": TYPES}))]
    events: Vec<String>,
    /// Only events of this link.
    link_id: Option<Uuid>,
    /// Only events whose click had this campaign.
    campaign_id: Option<Uuid>,
    description: Option<String>,
    enabled: bool,
    /// When it was switched off because every attempt failed for days.
    #[schemars(extend("format" = "date-time"))]
    disabled_at: Option<String>,
    /// Why.
    disabled_reason: Option<String>,
    /// Since when every attempt fails; null after a success.
    #[schemars(extend("format" = "date-time"))]
    failing_since: Option<String>,
    /// Until when the secret before the last rotation signs too.
    #[schemars(extend("format" = "date-time"))]
    former_secret_until: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

/// A webhook with its secret. Not `Debug`, so that no log line can contain one.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "WebhookWithSecret",
    description = "A webhook with its new secret."
)]
pub(super) struct WireSecretWebhook {
    #[serde(flatten)]
    webhook: WireWebhook,
    /// The secret that signs, `whsec_` and base64. No other answer shows it.
    secret: String,
}

impl WireSecretWebhook {
    pub(super) fn new(webhook: WireWebhook, secret: &Secret) -> Self {
        Self {
            webhook,
            secret: secret.reveal(),
        }
    }
}

impl From<Webhook> for WireWebhook {
    fn from(webhook: Webhook) -> Self {
        let iso = |at: jiff_sqlx::Timestamp| iso_micros(at.to_jiff());
        Self {
            id: webhook.id,
            url: webhook.url,
            events: webhook.events,
            link_id: webhook.link_id,
            campaign_id: webhook.campaign_id,
            description: webhook.description,
            enabled: webhook.enabled,
            disabled_at: webhook.disabled_at.map(iso),
            disabled_reason: webhook.disabled_reason,
            failing_since: webhook.failing_since.map(iso),
            former_secret_until: webhook.former_until.map(iso),
            created_at: iso(webhook.created_at),
            updated_at: iso(webhook.updated_at),
        }
    }
}

//! Webhooks in the answers of routes.

use crate::{
    instant::iso_micros,
    store::{webhook_deliveries::Delivery, webhooks::Webhook},
    webhooks::{Secret, TEST, TYPES, message_id},
};
use runtime::http::ApiError;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The types of deliveries.
const DELIVERED_TYPES: [&str; TYPES.len() + 1] = {
    let [click, qr_scan, lead, sale, custom] = TYPES;
    [click, qr_scan, lead, sale, custom, TEST]
};

/// A webhook, without its secret.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Webhook", description = "A webhook, without its secret.")]
pub(crate) struct WireWebhook {
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

/// A delivery.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "WebhookDelivery",
    description = "An event on its way to a webhook, or sent to it."
)]
pub(super) struct WireDelivery {
    id: Uuid,
    webhook_id: Uuid,
    /// The value of the header `webhook-id`, the same at every attempt.
    message_id: String,
    #[serde(rename = "type")]
    #[schemars(extend("enum" = DELIVERED_TYPES))]
    kind: String,
    #[schemars(extend("enum" = ["waiting", "delivered", "failed"]))]
    state: String,
    attempts: i32,
    /// While it waits.
    #[schemars(extend("format" = "date-time"))]
    next_attempt_at: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    last_attempt_at: Option<String>,
    /// The status of the last answer.
    last_status: Option<i32>,
    /// What was wrong at the last attempt.
    last_error: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    finished_at: Option<String>,
    /// The body.
    #[schemars(with = "Map<String, Value>")]
    payload: Value,
}

impl TryFrom<Delivery> for WireDelivery {
    type Error = ApiError;

    fn try_from(delivery: Delivery) -> Result<Self, ApiError> {
        let iso = |at: jiff_sqlx::Timestamp| iso_micros(at.to_jiff());
        Ok(Self {
            id: delivery.id,
            webhook_id: delivery.webhook_id,
            message_id: message_id(delivery.id),
            kind: delivery.event_type,
            state: delivery.state,
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at.map(iso),
            last_attempt_at: delivery.last_attempt_at.map(iso),
            last_status: delivery.last_status,
            last_error: delivery.last_error,
            created_at: iso(delivery.created_at),
            finished_at: delivery.finished_at.map(iso),
            payload: serde_json::from_str(&delivery.payload).map_err(ApiError::internal)?,
        })
    }
}

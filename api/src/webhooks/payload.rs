//! The bodies of deliveries.
//!
//! A click has the fields of the events API, a conversion those of its route. The one rule: no body
//! has a visitor's hash or address.

use crate::{
    conversions::wire::WireConversion,
    events::{Codes, Event, event_id_text},
    instant::iso_micros,
    store::{conversions::Conversion, followed_conversions, webhook_feeds::NewDelivery},
};
use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

/// The type of a message that its owner asks for.
pub(crate) const TEST: &str = "test";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<D> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    occurred_at: String,
    workspace_id: Uuid,
    data: D,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClickData<'r> {
    link_id: Uuid,
    campaign_id: Option<Uuid>,
    qr_id: Option<Uuid>,
    click_id: Option<Uuid>,
    #[serde(flatten)]
    event: Event<'r>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConversionData {
    link_id: Option<Uuid>,
    campaign_id: Option<Uuid>,
    short_code: Option<String>,
    #[serde(flatten)]
    conversion: WireConversion,
}

#[derive(Debug, Serialize)]
struct TestData {
    message: &'static str,
}

/// The id of a delivery. It follows from the webhook and the event, so it is the same whenever the event
/// is read again.
pub(super) fn delivery_id(webhook_id: Uuid, event_id: Uuid) -> Uuid {
    let mut digest = Context::new(&SHA256);
    digest.update(b"footfall webhook delivery");
    digest.update(webhook_id.as_bytes());
    digest.update(event_id.as_bytes());
    let mut bytes = [0; 16];
    for (byte, digest) in bytes.iter_mut().zip(digest.finish().as_ref()) {
        *byte = *digest;
    }
    Uuid::new_v8(bytes)
}

/// The value of `webhook-id`.
pub(crate) fn message_id(delivery_id: Uuid) -> String {
    format!("msg_{delivery_id}")
}

/// The delivery of a click.
pub(super) fn click(
    row: &PgRow,
    codes: &Codes,
    (webhook_id, workspace_id): (Uuid, Uuid),
) -> sqlx::Result<NewDelivery> {
    let (event_id, at): (Uuid, jiff_sqlx::Timestamp) = (row.try_get(0)?, row.try_get(1)?);
    let trigger: Option<&str> = row.try_get(4)?;
    let kind = match trigger {
        Some("qr") => "qr_scan",
        _ => "click",
    };
    let payload = Payload {
        kind,
        id: event_id_text(event_id),
        occurred_at: iso_micros(at.to_jiff()),
        workspace_id,
        data: ClickData {
            link_id: row.try_get(2)?,
            campaign_id: row.try_get("campaign_id")?,
            qr_id: row.try_get("qr_id")?,
            click_id: row.try_get("click_id")?,
            event: Event::of(row, codes)?,
        },
    };
    delivery(webhook_id, event_id, &payload)
}

/// The delivery of a conversion.
pub(super) fn conversion(
    found: &followed_conversions::Found,
    conversion: Conversion,
    (webhook_id, workspace_id): (Uuid, Uuid),
) -> sqlx::Result<NewDelivery> {
    let event_id = conversion.id;
    let payload = Payload {
        kind: conversion.class().name(),
        id: event_id.to_string(),
        occurred_at: iso_micros(conversion.occurred_at()),
        workspace_id,
        data: ConversionData {
            link_id: found.link_id,
            campaign_id: found.campaign_id,
            short_code: found.short_code.clone(),
            conversion: WireConversion::from(conversion),
        },
    };
    delivery(webhook_id, event_id, &payload)
}

/// The delivery of a message that the owner asks for.
pub(crate) fn test(
    event_id: Uuid,
    at: Timestamp,
    (webhook_id, workspace_id): (Uuid, Uuid),
) -> sqlx::Result<NewDelivery> {
    let payload = Payload {
        kind: TEST,
        id: event_id_text(event_id),
        occurred_at: iso_micros(at),
        workspace_id,
        data: TestData {
            message: "A test of this webhook.",
        },
    };
    delivery(webhook_id, event_id, &payload)
}

fn delivery<D: Serialize>(
    webhook_id: Uuid,
    event_id: Uuid,
    payload: &Payload<D>,
) -> sqlx::Result<NewDelivery> {
    let text = serde_json::to_string(payload).map_err(|error| sqlx::Error::Encode(error.into()))?;
    Ok(NewDelivery {
        id: delivery_id(webhook_id, event_id),
        event_id,
        event_type: payload.kind,
        payload: text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_delivery_follows_from_its_webhook_and_its_event() {
        let [one, other] = [1, 2].map(Uuid::from_u128);
        assert_eq!(delivery_id(one, other), delivery_id(one, other));
        assert_ne!(delivery_id(one, other), delivery_id(other, one));
        assert_ne!(delivery_id(one, other), delivery_id(one, one));
    }
}

//! The events that say in the log what was written.

use super::Tenant;
use crate::store::conversions::Conversion;
use jiff::Timestamp;
use schemas::{
    Body, ClickId, ConversionId, ConversionRecorded, ConversionStatusChanged, CustomerId, Event,
    EventId,
    events::{Amount, Dollars, Refund},
};
use uuid::Uuid;

/// The name of this program in the log.
const PRODUCER: &str = concat!("api/", env!("CARGO_PKG_VERSION"));

/// Says that a conversion happened.
pub(super) fn recorded(
    tenant: Tenant,
    conversion: &Conversion,
    event_id: Uuid,
    now: Timestamp,
) -> Event {
    let metadata = conversion.metadata.as_object();
    let body = Body::ConversionRecorded(ConversionRecorded {
        conversion_id: ConversionId(conversion.id),
        class: conversion.class(),
        event_name: conversion.event_name.clone(),
        click_id: conversion.click_id.map(ClickId),
        attributed_by: conversion.attributed_by(),
        customer_id: conversion.customer_id.map(CustomerId),
        amount: amount(conversion),
        usd: dollars(conversion),
        order_id: conversion.order_id.clone(),
        status: conversion.status(),
        sale_type: conversion.sale_type(),
        source: conversion.source(),
        metadata: metadata.cloned().unwrap_or_default(),
    });
    event(tenant, event_id, (conversion.occurred_at(), now), body)
}

/// Says that a conversion changed, with everything that may have.
pub(super) fn changed(
    tenant: Tenant,
    conversion: &Conversion,
    refund: Option<Refund>,
    event_id: Uuid,
    now: Timestamp,
) -> Event {
    let body = Body::ConversionStatusChanged(ConversionStatusChanged {
        conversion_id: ConversionId(conversion.id),
        converted_at: conversion.occurred_at(),
        version: conversion.version.unsigned_abs(),
        status: conversion.status(),
        refunded_minor: conversion.refunded_minor,
        usd: dollars(conversion),
        refund,
    });
    event(tenant, event_id, (now, now), body)
}

fn event(
    tenant: Tenant,
    event_id: Uuid,
    (occurred_at, received_at): (Timestamp, Timestamp),
    body: Body,
) -> Event {
    Event {
        event_id: EventId(event_id),
        occurred_at,
        received_at,
        workspace_id: tenant.workspace_id(),
        workspace_no: tenant.no,
        producer: PRODUCER.to_owned(),
        enrichment: None,
        visitor: None,
        body,
    }
}

fn amount(conversion: &Conversion) -> Option<Amount> {
    Some(Amount {
        minor: conversion.amount_minor?,
        currency: conversion.currency()?.code().to_owned(),
    })
}

fn dollars(conversion: &Conversion) -> Option<Dollars> {
    Some(Dollars {
        micros: conversion.usd_micros?,
        rate_day: conversion.rate_day()?,
    })
}

//! Changes a conversion later: its status, and refunds.

use super::{Tenant, event, refusals};
use crate::{
    app::App,
    store::{self, conversions::Conversion, event_outbox, refunds},
};
use jiff::civil::Date;
use runtime::http::ApiError;
use schemas::{
    events::{ConversionClass, ConversionStatus, Refund},
    money::Currency,
};
use serde_json::json;
use uuid::Uuid;

/// Most refunds of a conversion.
const MOST_REFUNDS: i64 = 100;

/// What a caller gives back.
#[derive(Clone, Debug)]
pub(crate) struct Refunding {
    pub(crate) refund_id: String,
    /// As decimal text; `None` means all that is left.
    pub(crate) amount: Option<String>,
    pub(crate) reason: Option<String>,
}

/// The result of a refund.
#[derive(Clone, Debug)]
pub(crate) struct Refunded {
    pub(crate) conversion: Conversion,
    pub(crate) refund: refunds::RefundRow,
    /// True when an earlier call had made it.
    pub(crate) is_duplicate: bool,
}

/// Sets the status of a conversion. Setting the same one again changes nothing.
///
/// # Errors
/// 404 for a conversion of another tenant.
pub(crate) async fn set_status(
    app: &App,
    (tenant, actor): (Tenant, &str),
    id: Uuid,
    status: ConversionStatus,
) -> Result<Conversion, ApiError> {
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let before = store::conversions::lock(&mut tx, tenant.id, id)
        .await?
        .ok_or_else(refusals::not_found)?;
    if before.status() == status {
        return Ok(before);
    }
    let kept = (before.refunded_minor, usd(&before));
    let after = store::conversions::update(&mut tx, id, status, kept.0, kept.1).await?;
    let event = event::changed(tenant, &after, None, app.ids.uuid_v7(now), now);
    event_outbox::insert(&mut tx, &event, now).await?;
    let audit = store::audit::Entry {
        workspace_id: tenant.id,
        actor,
        action: "conversion.status_changed",
        subject: id,
        at: now,
        detail: json!({ "from": before.status().name(), "to": status.name() }),
    };
    store::audit::insert(&mut tx, audit).await?;
    tx.commit().await?;
    app.events_waiting.notify_one();
    Ok(after)
}

/// Gives back a part of the amount, or all that is left of it. Then the conversion is refunded.
///
/// # Errors
/// 404 for a conversion of another tenant, 400 for more than is left.
pub(crate) async fn refund(
    app: &App,
    (tenant, actor): (Tenant, &str),
    id: Uuid,
    refunding: &Refunding,
) -> Result<Refunded, ApiError> {
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let before = store::conversions::lock(&mut tx, tenant.id, id)
        .await?
        .ok_or_else(refusals::not_found)?;
    let known = refunds::find(&mut tx, id, &refunding.refund_id).await?;
    if let Some(refund) = known {
        return Ok(Refunded {
            conversion: before,
            refund,
            is_duplicate: true,
        });
    }
    let (paid, currency) = payment(&before).ok_or_else(refusals::nothing_to_refund)?;
    let left = paid - before.refunded();
    if left <= 0 || refunds::count(&mut tx, id).await? >= MOST_REFUNDS {
        return Err(refusals::nothing_to_refund());
    }
    let amount_minor = match &refunding.amount {
        None => left,
        Some(text) => currency
            .read(text.trim())
            .map_err(|error| ApiError::validation(vec![format!("amount {error}")]))?,
    };
    if amount_minor == 0 {
        let rule = "amount must be above 0".to_owned();
        return Err(ApiError::validation(vec![rule]));
    }
    if amount_minor > left {
        return Err(refusals::refund_too_large());
    }
    let refund = refunds::RefundRow {
        refund_id: refunding.refund_id.clone(),
        amount_minor,
        reason: refunding.reason.clone(),
    };
    refunds::insert(&mut tx, id, &refund, now).await?;
    let status = if amount_minor == left {
        ConversionStatus::Refunded
    } else {
        before.status()
    };
    let sum = before.refunded_minor + amount_minor;
    let after = store::conversions::update(&mut tx, id, status, sum, usd(&before)).await?;
    let said = Refund {
        refund_id: refund.refund_id.clone(),
        amount_minor,
    };
    let event = event::changed(tenant, &after, Some(said), app.ids.uuid_v7(now), now);
    event_outbox::insert(&mut tx, &event, now).await?;
    let audit = store::audit::Entry {
        workspace_id: tenant.id,
        actor,
        action: "conversion.refunded",
        subject: id,
        at: now,
        detail: json!({ "refundId": refund.refund_id, "amountMinor": amount_minor }),
    };
    store::audit::insert(&mut tx, audit).await?;
    tx.commit().await?;
    app.events_waiting.notify_one();
    Ok(Refunded {
        conversion: after,
        refund,
        is_duplicate: false,
    })
}

/// What was paid. A lead's value is an estimate that no one paid.
fn payment(conversion: &Conversion) -> Option<(i64, Currency)> {
    let amount = (conversion.amount_minor?, conversion.currency()?);
    (conversion.class() != ConversionClass::Lead).then_some(amount)
}

fn usd(conversion: &Conversion) -> Option<(i64, Date)> {
    Some((conversion.usd_micros?, conversion.rate_day()?))
}

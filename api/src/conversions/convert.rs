//! Converts amounts to dollars that were recorded before their rate was known, each once.

use super::{Tenant, event, record::in_dollars};
use crate::store::{
    conversions::{self, Conversion},
    creators::workspace_no,
    event_outbox,
};
use runtime::{Clock, IdSource};
use sqlx::PgPool;
use uuid::Uuid;

/// How many one transaction converts.
const BITE: i64 = 200;

/// Converts what can be converted by now. Returns how many that were. The caller wakes the
/// publisher.
///
/// # Errors
/// When the database refuses or does not answer. What was converted before stays.
pub(crate) async fn convert(
    pool: &PgPool,
    clock: &dyn Clock,
    ids: &dyn IdSource,
) -> sqlx::Result<u64> {
    let (mut count, mut last) = (0, Uuid::nil());
    loop {
        let now = clock.now();
        let mut tx = pool.begin().await?;
        let waiting = conversions::lock_unconverted(&mut tx, BITE, last).await?;
        for (conversion, no) in &waiting {
            let Some(amount) = amount(conversion) else {
                continue;
            };
            let usd = in_dollars(&mut tx, Some(amount), conversion.occurred_at()).await?;
            if usd.is_none() {
                continue;
            }
            let kept = (conversion.status(), conversion.refunded_minor);
            let after = conversions::update(&mut tx, conversion.id, kept.0, kept.1, usd).await?;
            let tenant = Tenant {
                id: conversion.workspace_id,
                no: workspace_no(*no),
            };
            let event = event::changed(tenant, &after, None, ids.uuid_v7(now), now);
            event_outbox::insert(&mut tx, &event, now).await?;
            count += 1;
        }
        tx.commit().await?;
        // Amounts beyond the range stay as they are, so the next bite begins behind this one.
        match waiting.last() {
            Some((conversion, _)) => last = conversion.id,
            None => return Ok(count),
        }
    }
}

fn amount(conversion: &Conversion) -> Option<(i64, schemas::money::Currency)> {
    Some((conversion.amount_minor?, conversion.currency()?))
}

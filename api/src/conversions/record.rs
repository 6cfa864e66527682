//! Records a conversion once: finds its click or its customer, and whether it was reported before.
//!
//! The one rule: what decides about repeats is read under a lock that every instance respects. The
//! click's lock comes before the customer's row, and the order's unique key last, so no two calls
//! wait for each other.

use super::{Tenant, call::Call, event, refusals};
use crate::{
    app::App,
    store::{
        self, Tx,
        conversions::{Conversion, New},
        customers::Customer,
        event_outbox,
    },
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use runtime::{Clock, IdSource, http::ApiError};
use schemas::{
    ClickId, ConversionId, EventId,
    events::{AttributedBy, ConversionClass, ConversionSource, SaleType, is_attributable},
    money::Currency,
    routed::click_time,
};
use sqlx::PgPool;

/// Within this time, a person's leads with one name count once.
const SAME_LEAD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Within this time, equal pixels of a click without an order count once.
const SAME_PIXEL: SignedDuration = SignedDuration::from_hours(24);
/// How long before its click a conversion may seem to happen.
const SLOW_CLOCK: SignedDuration = SignedDuration::from_mins(5);
/// Most conversions that name one click. Its id is public, so anyone can report them. What a customer
/// pays later without a click has no bound.
const MOST_OF_CLICK: i64 = 100;

/// The result of a call.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) conversion: Conversion,
    /// True when an earlier call had recorded it.
    pub(crate) is_duplicate: bool,
}

/// The tenant of a click id of ours; `None` for every other id, and when the workspace is gone.
pub(crate) async fn tenant_of(app: &App, click: ClickId) -> Result<Option<Tenant>, ApiError> {
    let Some((no, _)) = app.clicks.verify_click(click) else {
        return Ok(None);
    };
    let Some(stored) = no.as_int4() else {
        return Ok(None);
    };
    let id = store::conversions::find_workspace(app.main.pool()?, stored).await?;
    Ok(id.map(|id| Tenant { id, no }))
}

/// What recording needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) pool: &'a PgPool,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) ids: &'a dyn IdSource,
    /// The identity of the conversion and of its event, when the caller has one.
    pub(crate) fixed: Option<EventId>,
}

/// Records a call of a tenant, and wakes the publisher.
///
/// # Errors
/// As [`record`].
pub(crate) async fn record_now(
    app: &App,
    tenant: Tenant,
    call: &Call,
) -> Result<Recorded, ApiError> {
    let desk = Desk {
        pool: app.main.pool()?,
        clock: &*app.clock,
        ids: &*app.ids,
        fixed: None,
    };
    let recorded = record(desk, tenant, call).await?;
    if !recorded.is_duplicate {
        app.events_waiting.notify_one();
    }
    Ok(recorded)
}

/// Records a call of a tenant, whose click must be the tenant's own.
///
/// # Errors
/// 400 when it belongs to no click, or to one with too many conversions, or when the workspace is
/// deleted.
pub(crate) async fn record(
    desk: Desk<'_>,
    tenant: Tenant,
    call: &Call,
) -> Result<Recorded, ApiError> {
    let now = desk.clock.now();
    let mut tx = desk.pool.begin().await?;
    // Asked again, because a call may have waited for its turn since its tenant was found.
    if !store::workspaces::is_open(&mut tx, tenant.id).await? {
        return Err(refusals::invalid_click());
    }
    if let Some(EventId(fixed)) = desk.fixed {
        store::conversions::lock_click(&mut tx, ClickId(fixed)).await?;
        if let Some(conversion) = store::conversions::find(&mut *tx, tenant.id, fixed).await? {
            return Ok(Recorded {
                conversion,
                is_duplicate: true,
            });
        }
    }
    if let Some(click) = call.click {
        store::conversions::lock_click(&mut tx, click).await?;
    }
    let customer = match &call.customer {
        Some(person) => {
            let ids = (desk.ids.uuid_v7(now), tenant.id);
            Some(store::customers::find_or_insert(&mut tx, ids, person, now).await?)
        }
        None => None,
    };
    let (click, attributed_by, occurred_at) = attribute(call, customer.as_ref())?;
    let fixed = desk.fixed.map(|id| id.0);
    let fresh = || desk.ids.uuid_v7(now);
    let id = ConversionId(fixed.unwrap_or_else(fresh));
    let mut new = New {
        id,
        workspace_id: tenant.id,
        class: call.class,
        event_name: &call.event_name,
        click: Some(click),
        attributed_by,
        customer_id: customer.as_ref().map(|customer| customer.id),
        sale_type: sale_type(call.class, attributed_by, customer.as_ref()),
        source: call.source,
        amount: call.amount,
        usd: None,
        order_id: call.order_id.as_deref(),
        metadata: &call.metadata,
        occurred_at,
    };
    if let Some(conversion) = find_first(&mut tx, &new).await? {
        // Dropping the transaction forgets what the repeat would have added.
        return Ok(Recorded {
            conversion,
            is_duplicate: true,
        });
    }
    if attributed_by == AttributedBy::Click
        && store::conversions::count_of_click(&mut tx, click).await? >= MOST_OF_CLICK
    {
        return Err(refusals::too_many());
    }
    new.usd = in_dollars(&mut tx, new.amount, new.occurred_at).await?;
    let Some(conversion) = store::conversions::insert(&mut tx, &new, now).await? else {
        return another(tx, &new).await;
    };
    if let Some(customer) = &customer {
        let added = match call.class {
            ConversionClass::Lead => (1, 0),
            ConversionClass::Sale => (0, 1),
            ConversionClass::Custom => (0, 0),
        };
        store::customers::note_conversion(&mut tx, customer.id, Some(click), added).await?;
    }
    let event = event::recorded(tenant, &conversion, fixed.unwrap_or_else(fresh), now);
    event_outbox::insert(&mut tx, &event, now).await?;
    tx.commit().await?;
    Ok(Recorded {
        conversion,
        is_duplicate: false,
    })
}

/// The click of a call and when it happened: the click that it names, if it is in the window, else its
/// customer's first.
fn attribute(
    call: &Call,
    customer: Option<&Customer>,
) -> Result<(ClickId, AttributedBy, Timestamp), ApiError> {
    if let Some(click) = call.click
        && let Some(clicked_at) = click_time(click)
    {
        let at = not_before(clicked_at, call.occurred_at);
        if is_attributable(clicked_at, at) {
            return Ok((click, AttributedBy::Click, at));
        }
    }
    let first = customer.and_then(|customer| customer.first_click_id);
    let Some(first) = first.map(ClickId) else {
        return Err(match call.click {
            Some(_) => refusals::click_expired(),
            None => refusals::no_click(),
        });
    };
    let clicked_at = click_time(first).unwrap_or(call.occurred_at);
    let at = not_before(clicked_at, call.occurred_at);
    if at < clicked_at {
        return Err(refusals::click_expired());
    }
    Ok((first, AttributedBy::Customer, at))
}

/// When a conversion happened. A caller whose clock is a little slow, or who sends whole seconds, may
/// say a time just before the click; it is taken as the click's.
fn not_before(clicked_at: Timestamp, at: Timestamp) -> Timestamp {
    let is_close = clicked_at.duration_since(at) <= SLOW_CLOCK;
    if at < clicked_at && is_close {
        clicked_at
    } else {
        at
    }
}

/// A sale is new when it names its click and is its customer's first one. What a customer pays later
/// without a new click recurs, also after a trial that cost nothing.
fn sale_type(
    class: ConversionClass,
    attributed_by: AttributedBy,
    customer: Option<&Customer>,
) -> Option<SaleType> {
    let is_known = attributed_by == AttributedBy::Customer
        || customer.is_some_and(|customer| customer.sales > 0);
    match class {
        ConversionClass::Sale if is_known => Some(SaleType::Recurring),
        ConversionClass::Sale => Some(SaleType::New),
        ConversionClass::Lead | ConversionClass::Custom => None,
    }
}

/// The conversion that this one would repeat.
async fn find_first(tx: &mut Tx<'_>, new: &New<'_>) -> sqlx::Result<Option<Conversion>> {
    if let Some(order_id) = new.order_id {
        let first =
            store::conversions::find_order(tx, new.workspace_id, new.class, order_id).await?;
        if first.is_some() {
            return Ok(first);
        }
    }
    if new.class == ConversionClass::Lead {
        let first = store::conversions::find_same_lead(tx, new, SAME_LEAD).await?;
        if first.is_some() {
            return Ok(first);
        }
    }
    if new.source == ConversionSource::Pixel && new.order_id.is_none() {
        return store::conversions::find_same_pixel(tx, new, SAME_PIXEL).await;
    }
    Ok(None)
}

/// The conversion that another call wrote for the same order while this one was on its way.
async fn another(mut tx: Tx<'_>, new: &New<'_>) -> Result<Recorded, ApiError> {
    let first = find_first(&mut tx, new).await?;
    let conversion = first.ok_or_else(|| ApiError::internal("an order is taken and not found"))?;
    Ok(Recorded {
        conversion,
        is_duplicate: true,
    })
}

/// An amount in millionths of a dollar, with the day of its rate; `None` while no rate is known.
pub(super) async fn in_dollars(
    tx: &mut Tx<'_>,
    amount: Option<(i64, Currency)>,
    occurred_at: Timestamp,
) -> sqlx::Result<Option<(i64, Date)>> {
    let Some((minor, currency)) = amount else {
        return Ok(None);
    };
    let day = occurred_at.to_zoned(TimeZone::UTC).date();
    let rate = store::fx::find(tx, currency, day).await?;
    Ok(rate.and_then(|(day, rate)| Some((currency.usd_micros(minor, rate)?, day))))
}

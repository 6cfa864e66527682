//! The routes that need no credential but a click's id: `track`, `postback`, `s2s` and the pixel.
//!
//! Any page may call them. They are limited per address by the guard, and per click here. The one
//! rule: every call ends in one outcome of `api_conversions_total`, also the pixel's, whose answer
//! is always the same picture.

mod openapi;
mod pixel;
mod postback;
mod s2s;
mod track;

pub(crate) use openapi::describe;

use super::{
    Tenant,
    call::{Call, Given},
    record::{self, Recorded},
    refusals,
};
use crate::{
    app::App,
    auth::{self, Allowance, Callers, Permission, Routes, Sharer, Terms, guarded},
    extract::Query,
};
use axum::{
    Router,
    middleware::from_fn,
    routing::{get, post},
};
use runtime::{
    http::{ApiError, cors},
    throttle::Limit,
};
use schemas::{ClickId, events::ConversionSource};
use std::sync::Arc;

/// The id of a route, and its limit for each client address. A shop's server calls for all its
/// customers.
type Limited = (&'static str, Allowance);

const TRACK: Limited = ("conversions.track", Allowance::a_minute(600));
const POSTBACK: Limited = ("conversions.postback", Allowance::a_minute(600));
const S2S: Limited = ("conversions.s2s", Allowance::a_minute(600));
const PIXEL: Limited = ("conversions.pixel", Allowance::a_minute(600));

/// How often a click may be named: its id is public, and one click has one visitor.
const OF_CLICK: Limit = Limit {
    route: "conversions.click",
    count: 60,
    seconds: 60,
};

/// The limits of these routes, as published.
pub(crate) fn limits() -> impl Iterator<Item = Limit> {
    let routes = [TRACK, POSTBACK, S2S, PIXEL].into_iter();
    let routes = routes.filter_map(|(id, allowance)| allowance.limit(id));
    routes.chain([OF_CLICK])
}

/// The routes.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let open = |(id, _): Limited, routes: Routes| {
        let terms = Terms {
            id,
            permission: Permission::PUBLIC,
            callers: Callers::Everyone,
            takes_turn: false,
        };
        guarded(app, terms, routes).layer(from_fn(cors::beacons))
    };
    Router::new()
        .route(
            "/api/conversions/track",
            open(TRACK, post(track::track_conversion)),
        )
        .route(
            "/api/conversions/postback",
            open(POSTBACK, get(postback::post_back)),
        )
        .route("/conversions/s2s", open(S2S, post(s2s::report_conversion)))
        .route(
            "/api/conversions/pixel.gif",
            open(PIXEL, get(pixel::send_pixel)).route_layer(from_fn(pixel::as_picture)),
        )
}

/// Reads a call, finds the tenant of its click and records it.
async fn receive(
    app: &App,
    source: ConversionSource,
    given: Given,
    token: Option<&str>,
) -> Result<Recorded, ApiError> {
    let result = judge(app, source, given, token).await;
    observe(source, &result);
    result
}

/// Counts the outcome of a call.
pub(crate) fn observe(source: ConversionSource, result: &Result<Recorded, ApiError>) {
    let outcome = match result {
        Ok(recorded) if recorded.is_duplicate => "duplicate",
        Ok(_) => "recorded",
        Err(error) => outcome(error),
    };
    count(source, outcome);
}

async fn judge(
    app: &App,
    source: ConversionSource,
    given: Given,
    token: Option<&str>,
) -> Result<Recorded, ApiError> {
    let call = given.read(source, app.clock.now())?;
    let click = call.click.ok_or_else(refusals::no_click)?;
    let tenant = find_tenant(app, click).await?;
    if source == ConversionSource::Postback || source == ConversionSource::Pixel {
        postback::check_token(app, tenant, source, token).await?;
    }
    record_call(app, tenant, &call, click).await
}

async fn find_tenant(app: &App, click: ClickId) -> Result<Tenant, ApiError> {
    let tenant = record::tenant_of(app, click).await?;
    tenant.ok_or_else(refusals::invalid_click)
}

async fn record_call(
    app: &App,
    tenant: Tenant,
    call: &Call,
    click: ClickId,
) -> Result<Recorded, ApiError> {
    // After the id is verified, so that made-up ids fill no memory.
    app.throttles
        .spend(OF_CLICK.route, click)
        .map_err(|standing| ApiError::rate_limited(standing.retry_after_seconds))?;
    // The caller is anonymous, so the guard could not take the workspace's turn.
    let turn = auth::turn(app, Some(Sharer::Workspace(tenant.id))).await?;
    let recorded = record::record_now(app, tenant, call).await;
    drop(turn);
    recorded
}

/// The outcome of a refused call, for the metric.
fn outcome(error: &ApiError) -> &'static str {
    match error.code {
        "conversions.placeholder" => "placeholder",
        "conversions.invalid_click" => "invalid_click",
        "conversions.click_expired" => "click_expired",
        "conversions.no_click" => "no_click",
        "conversions.limit_reached" => "limit_reached",
        "conversions.token" => "wrong_token",
        "error.rate_limited" => "throttled",
        _ if error.status.is_client_error() => "invalid",
        _ => "failed",
    }
}

/// Every outcome of a call.
pub(crate) const OUTCOMES: [&str; 11] = [
    "recorded",
    "duplicate",
    "placeholder",
    "invalid_click",
    "click_expired",
    "no_click",
    "limit_reached",
    "wrong_token",
    "throttled",
    "invalid",
    "failed",
];

fn count(source: ConversionSource, outcome: &'static str) {
    let labels = [("source", source.name()), ("outcome", outcome)];
    metrics::counter!("api_conversions_total", &labels).increment(1);
}

/// Reads a call from a query, whose names networks have in their templates.
fn of_query(query: &Query) -> Given {
    let mut metadata = serde_json::Map::new();
    if let Some(payout) = query.first("payout") {
        metadata.insert("payout".to_owned(), payout.into());
    }
    Given {
        click: query.first("lw_cid"),
        event: query.first("event"),
        class: query.first("type"),
        value: query.first("amount").or_else(|| query.first("value")),
        currency: query.first("currency"),
        order_id: query.first("orderId"),
        customer: query.first("customerExternalId"),
        metadata,
        ..Given::default()
    }
}

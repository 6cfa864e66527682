//! The HTTP routes of beacons.
//!
//! Owns the HTTP around [`Intake`]: methods, bodies, tokens, statuses. The one rule: every request
//! to a beacon's route with a beacon's method holds a ticket before anything can fail.

use crate::{
    accept::{Answer, Beacon, BeaconKind, Form},
    batch, body,
    intake::{
        Intake,
        judge::Group,
        passage::{Fate, Passage},
    },
    limits,
    request::{Declined, Seen},
};
use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::HeaderMap,
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on, post},
};
use runtime::http::{ApiError, cors, ok};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Largest body of a single beacon.
pub const MAX_BEACON_BYTES: usize = 64 * 1024;

type PathId = Result<Path<String>, PathRejection>;

/// Builds the routes of beacons, open to every origin.
pub fn router(intake: Arc<Intake>) -> Router {
    // `navigator.sendBeacon` can only POST.
    let patch_or_post = MethodFilter::PATCH.or(MethodFilter::POST);
    let open = |methods: MethodRouter<Arc<Intake>>| methods.layer(from_fn(cors::beacons));
    Router::new()
        .route("/api/v1/analytics/track", open(post(track_event)))
        .route("/api/v1/analytics/session", open(post(create_session)))
        .route(
            "/api/v1/analytics/session/{id}/heartbeat",
            open(on(patch_or_post, beat_session)),
        )
        .route(
            "/api/v1/analytics/session/{id}/identify",
            open(on(patch_or_post, identify_session)),
        )
        .route("/api/v1/analytics/pageview", open(post(record_pageview)))
        .route(
            "/api/v1/analytics/pageview/{id}/leave",
            open(on(patch_or_post, leave_pageview)),
        )
        .route("/api/v1/analytics/events", open(post(batch::record_events)))
        .with_state(intake)
}

async fn track_event(State(intake): State<Arc<Intake>>, request: Request) -> Response {
    answer(take(&intake, BeaconKind::Track, None, request).await)
}

async fn create_session(State(intake): State<Arc<Intake>>, request: Request) -> Response {
    answer(take(&intake, BeaconKind::Session, None, request).await)
}

async fn record_pageview(State(intake): State<Arc<Intake>>, request: Request) -> Response {
    answer(take(&intake, BeaconKind::Pageview, None, request).await)
}

async fn beat_session(State(intake): State<Arc<Intake>>, id: PathId, request: Request) -> Response {
    answer(take(&intake, BeaconKind::Heartbeat, Some(text(&id)), request).await)
}

async fn identify_session(
    State(intake): State<Arc<Intake>>,
    id: PathId,
    request: Request,
) -> Response {
    answer(take(&intake, BeaconKind::Identify, Some(text(&id)), request).await)
}

async fn leave_pageview(
    State(intake): State<Arc<Intake>>,
    id: PathId,
    request: Request,
) -> Response {
    answer(take(&intake, BeaconKind::Leave, Some(text(&id)), request).await)
}

/// The id in a path. Any text is allowed; a path that is not valid text cannot be one of our ids.
fn text(id: &PathId) -> &str {
    id.as_ref().map_or("", |Path(id)| id.as_str())
}

fn answer(taken: Result<Answer, Declined>) -> Response {
    taken.map_or_else(IntoResponse::into_response, |data| ok(data).into_response())
}

/// Takes the beacon of a request through the pipeline.
async fn take(
    intake: &Intake,
    kind: BeaconKind,
    id: Option<&str>,
    request: Request,
) -> Result<Answer, Declined> {
    let ticket = intake.outcomes().ticket(kind.into());
    let (parts, body) = request.into_parts();
    let now = intake.now();
    let seen = Seen::of(intake, &parts);
    let user = match admit(intake, kind, &seen, &parts.headers) {
        Ok(user) => user,
        Err(declined) => {
            ticket.settle(declined.outcome());
            return Err(declined);
        }
    };
    // From here on an early return drops the ticket, which counts the beacon as invalid.
    let object = read_object(kind, &parts.headers, body).await?;
    let max_data_bytes = intake.rules().max_event_data_bytes;
    let beacon =
        Beacon::read(kind, Form::Alone(id), &object, max_data_bytes).map_err(ApiError::from)?;
    let facts = seen.facts(user.as_deref(), now, now);
    let mut alone = [Passage::live(beacon, facts, ticket)];
    intake.take(&mut alone, Group::default()).await;
    let [Passage { fate, .. }] = alone;
    conclude(fate)
}

/// Spends the address's limit, and returns the user if this kind of beacon needs one.
fn admit(
    intake: &Intake,
    kind: BeaconKind,
    seen: &Seen<'_>,
    headers: &HeaderMap,
) -> Result<Option<String>, Declined> {
    limits::spend_address(intake.throttles(), limits::FLOOD, seen.address)?;
    if !kind.needs_user() {
        return Ok(None);
    }
    Ok(Some(intake.user(headers, seen.address)?))
}

fn conclude(fate: Fate) -> Result<Answer, Declined> {
    let unavailable = |why: &str| Err(ApiError::unavailable(why).into());
    match fate {
        Fate::Kept(answer) | Fate::Forged(answer) => Ok(answer),
        Fate::Refused(refusal) => Ok(refusal.answer),
        Fate::Throttled(spent) => Err(spent.into()),
        Fate::Lost(why) => unavailable(&why.0),
        Fate::Unknown(_) => unavailable("the page or workspace is not in the directory yet"),
        // Unreachable: `Intake::take` runs all stages.
        Fate::Open | Fate::Accepted(..) => unavailable("a stage of the pipeline was skipped"),
    }
}

async fn read_object(
    kind: BeaconKind,
    headers: &HeaderMap,
    body: axum::body::Body,
) -> Result<Map<String, Value>, ApiError> {
    // An empty body needs no `Content-Type`, so for these kinds the check waits for the bytes.
    if !kind.takes_empty_body() {
        body::check_type(headers)?;
    }
    let bytes = body::read(headers, body, MAX_BEACON_BYTES).await?;
    if kind.takes_empty_body() {
        if body::is_blank(&bytes) {
            return Ok(Map::new());
        }
        body::check_type(headers)?;
    }
    body::object(&bytes)
}

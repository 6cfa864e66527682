//! The routes of beacons: requests in, answers out.
//!
//! Owns HTTP around [`Service`]: methods, bodies, tokens, statuses. The one rule: every request that
//! names a beacon's route with a beacon's method holds a ticket before anything can go wrong.

use crate::{
    accept::{Acceptor, Answer, Beacon, BeaconKind, Facts, Form, Verdict},
    batch, body,
    limits::{self, Spent},
    outcome::{Outcome, Ticket},
    request::{Declined, Seen},
    service::{Ruling, Service},
};
use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::HeaderMap,
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on, post},
};
use jiff::Timestamp;
use runtime::{
    http::{ApiError, cors, ok},
    jwt::Refused,
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Largest body of a single beacon.
pub const MAX_BEACON_BYTES: usize = 64 * 1024;

type PathId = Result<Path<String>, PathRejection>;

/// The routes of beacons, for every origin.
pub fn router(service: Arc<Service>) -> Router {
    // `navigator.sendBeacon` can only POST.
    let patch_or_post = MethodFilter::PATCH.or(MethodFilter::POST);
    let open = |methods: MethodRouter<Arc<Service>>| methods.layer(from_fn(cors::beacons));
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
        .with_state(service)
}

async fn track_event(State(service): State<Arc<Service>>, request: Request) -> Response {
    answer(take(&service, BeaconKind::Track, None, request).await)
}

async fn create_session(State(service): State<Arc<Service>>, request: Request) -> Response {
    answer(take(&service, BeaconKind::Session, None, request).await)
}

async fn record_pageview(State(service): State<Arc<Service>>, request: Request) -> Response {
    answer(take(&service, BeaconKind::Pageview, None, request).await)
}

async fn beat_session(
    State(service): State<Arc<Service>>,
    id: PathId,
    request: Request,
) -> Response {
    answer(take(&service, BeaconKind::Heartbeat, Some(text(&id)), request).await)
}

async fn identify_session(
    State(service): State<Arc<Service>>,
    id: PathId,
    request: Request,
) -> Response {
    answer(take(&service, BeaconKind::Identify, Some(text(&id)), request).await)
}

async fn leave_pageview(
    State(service): State<Arc<Service>>,
    id: PathId,
    request: Request,
) -> Response {
    answer(take(&service, BeaconKind::Leave, Some(text(&id)), request).await)
}

/// Any text may stand in the path; one that is not even text is no id of ours either.
fn text(id: &PathId) -> &str {
    id.as_ref().map_or("", |Path(id)| id.as_str())
}

fn answer(taken: Result<Answer, Declined>) -> Response {
    taken.map_or_else(IntoResponse::into_response, |data| ok(data).into_response())
}

/// One beacon of one request.
async fn take(
    service: &Service,
    kind: BeaconKind,
    id: Option<&str>,
    request: Request,
) -> Result<Answer, Declined> {
    let mut ticket = service.outcomes().ticket(kind.into());
    let (parts, body) = request.into_parts();
    let now = service.now();
    let seen = Seen::of(service, &parts);
    if let Err(spent) = limits::spend_address(service.throttles(), limits::FLOOD, seen.address) {
        ticket.settle(Outcome::Throttled);
        return Err(spent.into());
    }
    let admitted = kind
        .needs_user()
        .then(|| service.user(&parts.headers, seen.address));
    let user = match admitted.transpose() {
        Ok(user) => user,
        Err(Refused::Unauthorized) => {
            ticket.settle(Outcome::Unauthorized);
            return Err(ApiError::unauthorized().into());
        }
        Err(Refused::Throttled(standing)) => {
            ticket.settle(Outcome::Throttled);
            return Err(Spent::bad_tokens(standing).into());
        }
    };
    // Until here an early return settles the ticket itself; from here it counts as invalid.
    let object = read_object(kind, &parts.headers, body).await?;
    let max_data_bytes = service.rules().max_event_data_bytes;
    let beacon =
        Beacon::read(kind, Form::Alone(id), &object, max_data_bytes).map_err(ApiError::from)?;
    // The outcome if the client hangs up before the answer: the beacon was not taken.
    ticket.otherwise(Outcome::UnknownPage);
    let facts = seen.facts(user.as_deref(), now, now);
    let acceptor = service.acceptor();
    let verdict = match rule_in_time(service, &acceptor, &beacon, &facts).await {
        Ruling::Judged(verdict) => verdict,
        Ruling::Throttled(spent) => {
            ticket.settle(Outcome::Throttled);
            return Err(spent.into());
        }
    };
    conclude(service, verdict, ticket, now).await
}

async fn rule_in_time(
    service: &Service,
    acceptor: &Acceptor,
    beacon: &Beacon<'_>,
    facts: &Facts<'_>,
) -> Ruling {
    let ruling = service.rule(acceptor, beacon, facts, false);
    let Ruling::Judged(Verdict::Unknown(missing)) = ruling else {
        return ruling;
    };
    service.await_known(&[missing]).await;
    service.rule(acceptor, beacon, facts, true)
}

async fn conclude(
    service: &Service,
    verdict: Verdict,
    ticket: Ticket,
    now: Timestamp,
) -> Result<Answer, Declined> {
    match verdict {
        Verdict::Accept(event, answer) => {
            match service.deliver(vec![(event, ticket)]).await.pop() {
                Some(Ok(())) => Ok(answer),
                Some(Err(error)) => Err(ApiError::unavailable(error).into()),
                None => Err(ApiError::unavailable("the sink gave no result").into()),
            }
        }
        Verdict::Refuse(refusal) => {
            service.refuse(&refusal, ticket, now);
            Ok(refusal.answer)
        }
        Verdict::Forged(answer) => {
            ticket.settle(Outcome::Forged);
            Ok(answer)
        }
        Verdict::Unknown(_) => {
            ticket.settle(Outcome::UnknownPage);
            Err(
                ApiError::unavailable("the directory does not know the page or workspace yet")
                    .into(),
            )
        }
    }
}

async fn read_object(
    kind: BeaconKind,
    headers: &HeaderMap,
    body: axum::body::Body,
) -> Result<Map<String, Value>, ApiError> {
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

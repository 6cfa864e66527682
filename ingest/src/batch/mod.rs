//! `POST /api/v1/analytics/events`: many beacons in one request, a verdict for each.
//!
//! Owns the members' order and verdicts; each is judged as it would be alone. The one rule: members that
//! name a visit of the same batch are judged after it and share its refusal.

mod reading;
mod verdicts;

use crate::{
    accept::Missing,
    body, limits,
    outcome::{BeaconType, Outcome},
    request::{Declined, Seen},
    service::Service,
};
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use runtime::http::ApiError;
use serde_json::{Map, Value};
use std::sync::Arc;
use verdicts::Batch;

pub(crate) use reading::MAX_AGE_MS;
pub(crate) use verdicts::Results;

/// Largest body of a batch.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// Most members of a batch.
pub const MAX_MEMBERS: usize = 500;

/// Answers a batch.
pub(crate) async fn record_events(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Response {
    record(&service, request)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

async fn record(service: &Service, request: Request) -> Result<Response, Declined> {
    let whole = service.outcomes().ticket(BeaconType::Batch);
    let (parts, body) = request.into_parts();
    let seen = Seen::of(service, &parts);
    if let Err(spent) = limits::spend_address(service.throttles(), limits::BATCH, seen.address) {
        whole.settle(Outcome::Throttled);
        return Err(spent.into());
    }
    // From here on the batch itself counts as invalid, unless it turns out to have members.
    body::check_type(&parts.headers)?;
    let bytes = body::read(&parts.headers, body, MAX_BATCH_BYTES).await?;
    let object = body::object(&bytes)?;
    let members = members(&object)?;
    whole.dissolve();

    let acceptor = service.acceptor();
    let mut batch = Batch::new(service, &acceptor, &parts, &seen, members.len());
    let queue = batch.read(members);
    let unknown = batch.judge(queue, false);
    if !unknown.is_empty() {
        let missing: Vec<Missing> = unknown.iter().filter_map(|entry| entry.missing).collect();
        service.await_known(&missing).await;
        let still_unknown = batch.judge(unknown, true);
        batch.give_up(still_unknown);
    }
    Ok(batch.publish().await)
}

fn members(object: &Map<String, Value>) -> Result<&[Value], Declined> {
    let count = |members: &&[Value]| (1..=MAX_MEMBERS).contains(&members.len());
    object
        .get("events")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .filter(count)
        .ok_or_else(|| {
            ApiError::validation(vec![format!(
                "events must be an array of 1 to {MAX_MEMBERS} members"
            )])
            .into()
        })
}

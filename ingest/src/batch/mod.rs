//! `POST /api/v1/analytics/events`: takes many beacons in one request and answers a verdict for
//! each.
//!
//! Owns the order and the verdicts of the members. Each member is judged as it would be alone. The
//! one rule: visits are judged first, because other members of the batch may name them.

mod reading;
mod verdicts;

use crate::{
    body,
    intake::{Intake, passage::Passage},
    limits,
    outcome::{BeaconType, Outcome},
    request::{Declined, Seen},
};
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use reading::Reading;
use runtime::http::ApiError;
use serde_json::{Map, Value};
use std::sync::Arc;
use verdicts::Verdicts;

pub(crate) use verdicts::Results;

/// Largest body of a batch.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// The maximum number of members in a batch.
pub const MAX_MEMBERS: usize = 500;

/// Answers a batch.
pub(crate) async fn record_events(State(intake): State<Arc<Intake>>, request: Request) -> Response {
    record(&intake, request)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

async fn record(intake: &Intake, request: Request) -> Result<Response, Declined> {
    let whole = intake.outcomes().ticket(BeaconType::Batch);
    let (parts, body) = request.into_parts();
    let seen = Seen::of(intake, &parts);
    if let Err(spent) = limits::spend_address(intake.throttles(), limits::BATCH, seen.address) {
        whole.settle(Outcome::Throttled);
        return Err(spent.into());
    }
    // The batch itself counts as invalid if one of these steps fails.
    body::check_type(&parts.headers)?;
    let bytes = body::read(&parts.headers, body, MAX_BATCH_BYTES).await?;
    let object = body::object(&bytes)?;
    let members = members(&object)?;
    // From here on each member has its own ticket. Counting the batch too would break the sum.
    whole.dissolve();

    let now = intake.now();
    let mut verdicts = Verdicts::of(members.len());
    let mut reading = Reading::new(intake, &parts.headers, seen.address, now, &mut verdicts);
    let entries = reading.read(members);
    let (user, group) = reading.end();
    let (places, mut passages): (Vec<usize>, Vec<Passage<'_>>) = entries
        .into_iter()
        .map(|entry| {
            let facts = seen.facts(user.as_deref(), entry.occurred_at, now);
            let passage = Passage::live(entry.beacon, facts, entry.ticket);
            (entry.index, passage)
        })
        .unzip();
    intake.take(&mut passages, group).await;
    for (index, passage) in places.into_iter().zip(&passages) {
        verdicts.conclude(index, &passage.fate);
    }
    Ok(verdicts.into_response())
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

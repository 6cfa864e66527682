//! Collects the verdict on each member of a batch and writes the answer.

use crate::{intake::passage::Fate, limits::Spent};
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use runtime::http::ok;
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;
use uuid::Uuid;

/// `Retry-After` for members that failed because ingest was unavailable.
const RETRY_AFTER_SECONDS: u64 = 2;

/// The verdict in one word.
#[derive(Clone, Copy, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Status {
    Ok,
    Dropped,
    Invalid,
    Retry,
}

/// The verdict on a member.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "BatchVerdict")]
struct Told {
    /// Its place in the batch, from 0.
    index: usize,
    /// `ok`: in the log; `dropped`: does not count; `invalid`: breaks a rule; `retry`: send it again.
    status: Status,
    /// The id of the visit or view.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Uuid")]
    id: Option<Uuid>,
    /// Why it is not `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    reason: Option<Cow<'static, str>>,
}

/// Verdicts, one for each member.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "BatchVerdicts")]
pub(crate) struct Results {
    /// In the order of the members.
    results: Vec<Told>,
}

/// Collects verdicts in any order.
pub(super) struct Verdicts {
    told: Vec<Told>,
    retry_after_seconds: Option<u64>,
}

impl Verdicts {
    /// Makes an empty list for a batch of this size.
    pub(super) fn of(members: usize) -> Self {
        Self {
            told: Vec::with_capacity(members),
            retry_after_seconds: None,
        }
    }

    /// Records the verdict on a member that has passed the pipeline.
    pub(super) fn conclude(&mut self, index: usize, fate: &Fate) {
        match fate {
            Fate::Kept(answer) => self.push(index, Status::Ok, answer.id(), None),
            Fate::Refused(refusal) => {
                let reason = Some(refusal.reason.name().into());
                self.push(index, Status::Dropped, refusal.answer.id(), reason);
            }
            Fate::Forged(_) => self.tell(index, Status::Dropped, "forged"),
            Fate::Throttled(spent) => self.throttled(index, *spent),
            // Open and accepted members have missed a stage. They are not known to be in the log,
            // so a retry is right.
            Fate::Unknown(_) | Fate::Lost(_) | Fate::Open | Fate::Accepted(..) => {
                self.retry(index, "unavailable", RETRY_AFTER_SECONDS);
            }
        }
    }

    pub(super) fn throttled(&mut self, index: usize, spent: Spent) {
        metrics::counter!("http_throttled_total", "route" => spent.route).increment(1);
        let after_seconds = u64::from(spent.standing.retry_after_seconds);
        self.retry(index, "throttled", after_seconds);
    }

    pub(super) fn tell(
        &mut self,
        index: usize,
        status: Status,
        reason: impl Into<Cow<'static, str>>,
    ) {
        self.push(index, status, None, Some(reason.into()));
    }

    fn retry(&mut self, index: usize, reason: &'static str, after_seconds: u64) {
        // The response has one header for all members: the longest wait lets all of them pass.
        let after = self.retry_after_seconds.unwrap_or(0).max(after_seconds);
        self.retry_after_seconds = Some(after);
        self.tell(index, Status::Retry, reason);
    }

    fn push(
        &mut self,
        index: usize,
        status: Status,
        id: Option<Uuid>,
        reason: Option<Cow<'static, str>>,
    ) {
        self.told.push(Told {
            index,
            status,
            id,
            reason,
        });
    }
}

impl IntoResponse for Verdicts {
    fn into_response(mut self) -> Response {
        self.told.sort_by_key(|told| told.index);
        let results = self.told;
        let mut response = ok(Results { results }).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

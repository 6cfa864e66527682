//! A batch's members, judged, published in one go and told what became of them.

use crate::{
    accept::{Acceptor, Answer, Beacon, Content, Facts, Missing, Name, Verdict},
    limits::Spent,
    outcome::{Outcome, Ticket},
    request::Seen,
    service::{Ruling, Service},
};
use axum::{
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use runtime::{http::ok, jwt::Refused};
use schemars::JsonSchema;
use schemas::{Event, RefusalReason};
use serde::Serialize;
use std::{borrow::Cow, collections::HashMap};
use uuid::Uuid;

/// Seconds after which a member that found us unavailable makes sense again.
const RETRY_AFTER_SECONDS: u64 = 2;

/// A member that keeps the rules.
pub(super) struct Entry<'a> {
    pub(super) index: usize,
    pub(super) ticket: Ticket,
    pub(super) beacon: Beacon<'a>,
    pub(super) occurred_at: Timestamp,
    /// What the directory did not know of it.
    pub(super) missing: Option<Missing>,
}

/// What became of a member.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "BatchVerdict")]
struct Told {
    /// Its place in the batch, from 0.
    index: usize,
    /// `ok`: in the log for good; `dropped`: it must not count; `invalid`: it breaks a rule; `retry`: send
    /// it again.
    #[schemars(extend("enum" = ["ok", "dropped", "invalid", "retry"]))]
    status: &'static str,
    /// Of a visit or view.
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

pub(super) struct Batch<'a> {
    pub(super) service: &'a Service,
    acceptor: &'a Acceptor,
    pub(super) headers: &'a HeaderMap,
    pub(super) seen: &'a Seen<'a>,
    /// The subject of the request's token, which is verified when the first member needs it.
    pub(super) user: Option<Result<String, Refused>>,
    pub(super) now: Timestamp,
    told: Vec<Told>,
    accepted: Vec<(usize, Answer, Box<Event>, Ticket)>,
    /// Visits of this batch that leave no record, with the reason.
    pub(super) dropped: HashMap<Name, RefusalReason>,
    /// Visits and views of this batch that were accepted, and when their page was proven.
    proven: HashMap<Name, Timestamp>,
    retry_after_seconds: Option<u64>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        service: &'a Service,
        acceptor: &'a Acceptor,
        parts: &'a Parts,
        seen: &'a Seen<'a>,
        members: usize,
    ) -> Self {
        let now = service.now();
        Self {
            service,
            acceptor,
            headers: &parts.headers,
            seen,
            user: None,
            now,
            told: Vec::with_capacity(members),
            accepted: Vec::with_capacity(members),
            dropped: HashMap::new(),
            proven: HashMap::new(),
            retry_after_seconds: None,
        }
    }

    /// Judges members; those come back that name what the directory does not know.
    pub(super) fn judge<'b>(&mut self, entries: Vec<Entry<'b>>, again: bool) -> Vec<Entry<'b>> {
        let mut unknown = Vec::new();
        for mut entry in entries {
            let named = entry.beacon.named();
            let dropped = named.and_then(|name| self.dropped.get(&name));
            if let Some(reason) = dropped.copied() {
                entry.ticket.refuse(reason);
                self.tell(entry.index, "dropped", None, Some(reason.name().into()));
                continue;
            }
            let user = self.user.as_ref().and_then(|user| user.as_deref().ok());
            let facts: Facts<'_> = self.seen.facts(user, entry.occurred_at, self.now);
            if let (Some(name), Some(proof)) = (named, &mut entry.beacon.proof) {
                proof.named_at = self.proven.get(&name).copied();
            }
            // A name of an unknown page gave no id whose limit could be spent the first time, but for a user's.
            let had_no_id = named.is_some() && matches!(entry.missing, Some(Missing::Page(_)));
            let spent = again && (!had_no_id || entry.beacon.kind().needs_user());
            match self
                .service
                .rule(self.acceptor, &entry.beacon, &facts, spent)
            {
                Ruling::Throttled(spent) => {
                    entry.ticket.settle(Outcome::Throttled);
                    self.retry_throttled(entry.index, spent);
                }
                Ruling::Judged(Verdict::Unknown(missing)) => {
                    entry.missing = Some(missing);
                    unknown.push(entry);
                }
                Ruling::Judged(Verdict::Accept(event, answer)) => {
                    if let Some((name, at)) = proven(&entry) {
                        self.proven.insert(name, at);
                    }
                    self.accepted
                        .push((entry.index, answer, event, entry.ticket));
                }
                Ruling::Judged(Verdict::Forged(_)) => {
                    entry.ticket.settle(Outcome::Forged);
                    self.tell(entry.index, "dropped", None, Some("forged".into()));
                }
                Ruling::Judged(Verdict::Refuse(refusal)) => {
                    let reason = refusal.reason;
                    if let (Content::Session(session), Some(event_id)) =
                        (&entry.beacon.content, entry.beacon.event_id)
                        && let Some(page) = session.page
                    {
                        self.dropped.insert(Name { page, event_id }, reason);
                    }
                    self.service.refuse(&refusal, entry.ticket, self.now);
                    let id = refusal.answer.id();
                    self.tell(entry.index, "dropped", id, Some(reason.name().into()));
                }
            }
        }
        unknown
    }

    pub(super) fn give_up(&mut self, entries: Vec<Entry<'_>>) {
        for entry in entries {
            entry.ticket.settle(Outcome::UnknownPage);
            self.retry(entry.index, "unavailable", RETRY_AFTER_SECONDS);
        }
    }

    /// Publishes what was accepted, and answers.
    pub(super) async fn publish(mut self) -> Response {
        let accepted = std::mem::take(&mut self.accepted);
        let (answers, events): (Vec<_>, Vec<_>) = accepted
            .into_iter()
            .map(|(index, answer, event, ticket)| ((index, answer), (event, ticket)))
            .unzip();
        let mut results = self.service.deliver(events).await.into_iter();
        for (index, answer) in answers {
            // A member without a result is not known to be kept.
            if let Some(Ok(())) = results.next() {
                self.tell(index, "ok", answer.id(), None);
            } else {
                self.retry(index, "unavailable", RETRY_AFTER_SECONDS);
            }
        }
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

    pub(super) fn retry_throttled(&mut self, index: usize, spent: Spent) {
        metrics::counter!("http_throttled_total", "route" => spent.route).increment(1);
        let after_seconds = u64::from(spent.standing.retry_after_seconds);
        self.retry(index, "throttled", after_seconds);
    }

    fn retry(&mut self, index: usize, reason: &'static str, after_seconds: u64) {
        let after = self.retry_after_seconds.unwrap_or(0).max(after_seconds);
        self.retry_after_seconds = Some(after);
        self.tell(index, "retry", None, Some(reason.into()));
    }

    pub(super) fn tell(
        &mut self,
        index: usize,
        status: &'static str,
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

/// The name of an accepted visit or view, for what refers to it by that, and when its page was proven.
fn proven(entry: &Entry<'_>) -> Option<(Name, Timestamp)> {
    let event_id = entry.beacon.event_id?;
    let proof = entry.beacon.proof;
    let at = proof.and_then(|proof| proof.named_at);
    let page = match &entry.beacon.content {
        Content::Session(session) => session.page?,
        Content::Pageview(_) => entry.beacon.named()?.page,
        _ => return None,
    };
    Some((Name { page, event_id }, at.unwrap_or(entry.occurred_at)))
}

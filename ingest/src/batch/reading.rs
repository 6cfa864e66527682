//! Reads the members of a batch: checks rules, tokens and the address's limit before any judgement.

use super::verdicts::{Status, Verdicts};
use crate::{
    accept::{Beacon, BeaconKind, Form, Name, members::AGE_MS},
    intake::{Intake, judge::Group},
    limits,
    outcome::{BeaconType, Ticket},
    request::Declined,
};
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use runtime::{http::Fields, jwt::Refused};
use schemas::{PageId, RefusalReason};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// A valid member.
pub(super) struct Entry<'a> {
    pub(super) index: usize,
    pub(super) ticket: Ticket,
    pub(super) beacon: Beacon<'a>,
    pub(super) occurred_at: Timestamp,
}

/// Reads the members of one batch.
pub(super) struct Reading<'a> {
    intake: &'a Intake,
    headers: &'a HeaderMap,
    address: IpAddr,
    now: Timestamp,
    verdicts: &'a mut Verdicts,
    /// The subject of the request's token, verified when the first member needs it.
    user: Option<Result<String, Refused>>,
    group: Group,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        intake: &'a Intake,
        headers: &'a HeaderMap,
        address: IpAddr,
        now: Timestamp,
        verdicts: &'a mut Verdicts,
    ) -> Self {
        Self {
            intake,
            headers,
            address,
            now,
            verdicts,
            user: None,
            group: Group::default(),
        }
    }

    /// Reads the members and returns the valid ones, visits first.
    pub(super) fn read<'b>(&mut self, members: &'b [Value]) -> Vec<Entry<'b>> {
        let kinds = members.iter().map(kind_of);
        // Every member gets its ticket before the first is read, so a panic in between loses no
        // outcome.
        let tickets: Vec<(Option<BeaconKind>, Ticket)> = kinds
            .map(|kind| {
                let counted = kind.map_or(BeaconType::Unknown, BeaconType::from);
                (kind, self.intake.outcomes().ticket(counted))
            })
            .collect();
        let mut entries = Vec::with_capacity(members.len());
        for (index, (member, (kind, ticket))) in members.iter().zip(tickets).enumerate() {
            entries.extend(self.read_member(index, member, kind, ticket));
        }
        // A stable sort: members of each group keep their order.
        entries.sort_by_key(|entry| entry.beacon.kind() != BeaconKind::Session);
        entries
    }

    /// Returns the user, if a member needed one, and the visits that no member may wait for.
    pub(super) fn end(self) -> (Option<String>, Group) {
        (self.user.and_then(Result::ok), self.group)
    }

    fn read_member<'b>(
        &mut self,
        index: usize,
        member: &'b Value,
        kind: Option<BeaconKind>,
        ticket: Ticket,
    ) -> Option<Entry<'b>> {
        let intake = self.intake;
        // A member costs as much as a single beacon, so a batch does not bypass the limit.
        let spent = limits::spend_address(intake.throttles(), limits::FLOOD, self.address);
        if let Err(spent) = spent {
            self.decline(index, ticket, &spent.into());
            return None;
        }
        let (Some(object), Some(kind)) = (member.as_object(), kind) else {
            let rule = if member.is_object() {
                "type must be session, pageview, heartbeat, leave or track"
            } else {
                "a member must be a JSON object"
            };
            self.verdicts.tell(index, Status::Invalid, rule);
            return None;
        };
        if let Some(refused) = kind.needs_user().then(|| self.refused_user()).flatten() {
            self.decline(index, ticket, &refused.into());
            return None;
        }
        let max_data_bytes = intake.rules().max_event_data_bytes;
        match Beacon::read(kind, Form::Member, object, max_data_bytes) {
            Ok(beacon) => Some(Entry {
                index,
                ticket,
                beacon,
                occurred_at: self.now.saturating_sub(age(object)).unwrap_or(self.now),
            }),
            Err(invalid) => {
                self.drop_visit(kind, object);
                let problems: Vec<&str> = invalid.lines().collect();
                self.verdicts
                    .tell(index, Status::Invalid, problems.join("; "));
                None
            }
        }
    }

    fn decline(&mut self, index: usize, ticket: Ticket, declined: &Declined) {
        ticket.settle(declined.outcome());
        match declined {
            Declined::Throttled(spent) => self.verdicts.throttled(index, *spent),
            Declined::Unauthorized | Declined::Error(_) => {
                self.verdicts.tell(index, Status::Invalid, "unauthorized");
            }
        }
    }

    /// Marks an invalid visit as dropped. Otherwise members that name it could be accepted, and
    /// their events would wait in the tables for a visit that never comes.
    fn drop_visit(&mut self, kind: BeaconKind, object: &Map<String, Value>) {
        let mut fields = Fields::new(object);
        let name = fields.uuid("bioPageId").zip(fields.uuid("eventId"));
        if let (BeaconKind::Session, Some((page, event_id))) = (kind, name) {
            let page = PageId(page);
            self.group
                .drop_visit(Name { page, event_id }, RefusalReason::NoSession);
        }
    }

    /// Why the request's token is refused. The token is checked once per batch, so a bad one counts
    /// once against the address.
    fn refused_user(&mut self) -> Option<Refused> {
        let (intake, headers, address) = (self.intake, self.headers, self.address);
        let user = self
            .user
            .get_or_insert_with(|| intake.user(headers, address));
        user.as_ref().err().copied()
    }
}

/// How long ago a member happened, by its own statement.
fn age(object: &Map<String, Value>) -> SignedDuration {
    let age_ms = AGE_MS.read(&mut Fields::new(object));
    SignedDuration::from_millis(age_ms.unwrap_or_default())
}

fn kind_of(member: &Value) -> Option<BeaconKind> {
    BeaconKind::from_member_type(member.get("type")?.as_str()?)
}

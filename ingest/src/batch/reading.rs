//! A batch's members, read: rules, tokens and the address's limit, before anything is judged.

use super::verdicts::{Batch, Entry};
use crate::{
    accept::{Beacon, BeaconKind, Form, Name, read},
    limits::{self, Spent},
    outcome::{BeaconType, Outcome, Ticket},
};
use jiff::SignedDuration;
use runtime::{http::Fields, jwt::Refused};
use schemas::{PageId, RefusalReason};
use serde_json::{Map, Value};

/// How long ago a member may have happened: a day.
pub(crate) const MAX_AGE_MS: i64 = 86_400_000;

impl Batch<'_> {
    /// Reads the members; those that can be judged come back, visits first.
    pub(super) fn read<'b>(&mut self, members: &'b [Value]) -> Vec<Entry<'b>> {
        let kinds = members.iter().map(kind_of);
        // All are taken in before any is dealt with, so that a crash in between loses none's outcome.
        let tickets: Vec<(Option<BeaconKind>, Ticket)> = kinds
            .map(|kind| {
                let counted = kind.map_or(BeaconType::Unknown, BeaconType::from);
                (kind, self.service.outcomes().ticket(counted))
            })
            .collect();
        let mut entries = Vec::with_capacity(members.len());
        for (index, (member, (kind, ticket))) in members.iter().zip(tickets).enumerate() {
            entries.extend(self.read_member(index, member, kind, ticket));
        }
        entries.sort_by_key(|entry| entry.beacon.kind() != BeaconKind::Session);
        entries
    }

    fn read_member<'b>(
        &mut self,
        index: usize,
        member: &'b Value,
        kind: Option<BeaconKind>,
        mut ticket: Ticket,
    ) -> Option<Entry<'b>> {
        let throttles = self.service.throttles();
        if let Err(spent) = limits::spend_address(throttles, limits::FLOOD, self.seen.address) {
            ticket.settle(Outcome::Throttled);
            self.retry_throttled(index, spent);
            return None;
        }
        let (Some(object), Some(kind)) = (member.as_object(), kind) else {
            let rule = if member.is_object() {
                "type must be session, pageview, heartbeat, leave or track"
            } else {
                "a member must be a JSON object"
            };
            self.tell(index, "invalid", None, Some(rule.into()));
            return None;
        };
        match kind.needs_user().then(|| self.refused_user()).flatten() {
            None => {}
            Some(Refused::Unauthorized) => {
                ticket.settle(Outcome::Unauthorized);
                self.tell(index, "invalid", None, Some("unauthorized".into()));
                return None;
            }
            Some(Refused::Throttled(standing)) => {
                ticket.settle(Outcome::Throttled);
                self.retry_throttled(index, Spent::bad_tokens(standing));
                return None;
            }
        }
        let max_data_bytes = self.service.rules().max_event_data_bytes;
        match Beacon::read(kind, Form::Member, object, max_data_bytes) {
            Ok(beacon) => {
                // The outcome if the client hangs up before the answer: the beacon was not taken.
                ticket.otherwise(Outcome::UnknownPage);
                Some(Entry {
                    index,
                    ticket,
                    beacon,
                    occurred_at: self.now.saturating_sub(age(object)).unwrap_or(self.now),
                    missing: None,
                })
            }
            Err(invalid) => {
                self.drop_visit(kind, object);
                let problems: Vec<&str> = invalid.lines().collect();
                self.tell(index, "invalid", None, Some(problems.join("; ").into()));
                None
            }
        }
    }

    /// Members that name an invalid visit would wait for it in vain.
    fn drop_visit(&mut self, kind: BeaconKind, object: &Map<String, Value>) {
        let mut fields = Fields::new(object);
        let name = fields.uuid("bioPageId").zip(fields.uuid("eventId"));
        if let (BeaconKind::Session, Some((page, event_id))) = (kind, name) {
            let page = PageId(page);
            self.dropped
                .insert(Name { page, event_id }, RefusalReason::NoSession);
        }
    }

    /// Why the request's token is refused; it is checked once.
    fn refused_user(&mut self) -> Option<Refused> {
        let (service, headers, address) = (self.service, self.headers, self.seen.address);
        let user = self
            .user
            .get_or_insert_with(|| service.user(headers, address));
        user.as_ref().err().copied()
    }
}

/// How long ago a member says that it happened. It only describes, so it is rounded and clamped: clients
/// subtract clocks that have fractions and step back.
fn age(object: &Map<String, Value>) -> SignedDuration {
    let age_ms = read::number(&Fields::new(object), "ageMs").unwrap_or_default();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast saturates, and the range is small"
    )]
    let whole = read::round(age_ms) as i64;
    SignedDuration::from_millis(whole.clamp(0, MAX_AGE_MS))
}

fn kind_of(member: &Value) -> Option<BeaconKind> {
    BeaconKind::from_member_type(member.get("type")?.as_str()?)
}

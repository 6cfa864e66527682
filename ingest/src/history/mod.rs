//! History from another system: one line in, the events of one visit out. Pure.
//!
//! Owns what a line may say (contract of the import, section 4); what becomes of the beacons in it is
//! [`crate::accept`]'s, the same as for live ones. The one rule: every id and time of an event is a
//! function of the line, so that the same line, at any time and on any instance, counts once.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod bad;
mod record;
mod visit;

pub use bad::{BadLine, Reason};

use crate::{
    accept::{Acceptor, Facts, Missing, Trust, Verdict},
    directory::Directory,
    enrich::PurposeHeaders,
    sink::Outgoing,
};
use jiff::Timestamp;
use runtime::IdSource;
use schemas::{Event, RefusalReason};
use serde_json::Value;
use visit::{Step, Visit};

/// Longest line: what a batch of beacons may have (contract, decision 4), since a line is as many
/// beacons as its visit had.
pub const MAX_LINE_BYTES: usize = crate::batch::MAX_BATCH_BYTES;

/// What becomes of a line that keeps the rules.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// A visit: its events, in the order in which they happened.
    Visit(Vec<Event>),
    /// A record that the log had before: itself, byte for byte.
    Record(Outgoing),
    /// A visit that is not counted.
    Refused(RefusalReason),
}

/// Takes lines in.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// Judges beacons.
    pub acceptor: &'a Acceptor,
    /// Pages and workspaces.
    pub directory: &'a Directory,
    /// For what has no id of its own, which nothing in a line is.
    pub ids: &'a dyn IdSource,
}

impl History<'_> {
    /// What becomes of the line.
    ///
    /// # Errors
    /// [`BadLine`] with what is wrong.
    pub fn take(&self, line: &[u8], now: Timestamp) -> Result<Taken, BadLine> {
        if let Some(record) = record::find(line)? {
            return record::check(record, self.directory).map(Taken::Record);
        }
        let value: Value =
            serde_json::from_slice(line).map_err(|error| BadLine::no_json(&error))?;
        let Value::Object(object) = &value else {
            return Err(BadLine::new(
                Reason::NotJson,
                "a line must be a JSON object",
            ));
        };
        if object.contains_key("event") {
            let what = "its event has no event_id, so it is no record of the events topic";
            return Err(BadLine::new(Reason::NotAnEvent, what));
        }
        self.judge(&Visit::read(object, now)?, now)
    }

    fn judge(&self, visit: &Visit<'_>, now: Timestamp) -> Result<Taken, BadLine> {
        let mut events = Vec::with_capacity(visit.steps.len());
        for Step { at, beacon } in &visit.steps {
            let facts = Facts {
                address: visit.address,
                user_agent: visit.user_agent,
                purpose: PurposeHeaders::default(),
                user: visit.user,
                occurred_at: *at,
                received_at: now,
                trust: Trust::History,
            };
            let origin = self.acceptor.trace(beacon, self.directory);
            match self
                .acceptor
                .judge(beacon, origin, &facts, self.directory, self.ids)
            {
                Verdict::Accept(event, _) => events.push(*event),
                // The visit comes first, and what refuses it refuses all of it.
                Verdict::Refuse(refusal) => return Ok(Taken::Refused(refusal.reason)),
                Verdict::Unknown(Missing::Page(page)) => {
                    return Err(BadLine::unknown_page(page));
                }
                Verdict::Unknown(Missing::Workspace(no)) => {
                    return Err(BadLine::unknown_workspace(no));
                }
                Verdict::Forged(_) => return Ok(Taken::Refused(RefusalReason::NoSession)),
            }
        }
        Ok(Taken::Visit(events))
    }
}

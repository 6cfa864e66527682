//! History from another system: one line in, the events of one visit out. Pure.
//!
//! Owns what a line may say; what becomes of the beacons in it is
//! [`crate::accept`]'s, the same as for live ones. The one rule: every id and time of an event is a
//! function of the line, so that the same line, at any time and on any instance, counts once.

mod bad;
mod record;
mod visit;

pub use bad::{BadLine, Reason};
pub use record::TakenRecord;

use crate::{
    accept::{Acceptor, Facts, Missing, Trust, json},
    directory::Directory,
    enrich::PurposeHeaders,
    intake::{
        judge::{Group, Judge},
        passage::{Fate, Passage},
    },
};
use jiff::Timestamp;
use runtime::IdSource;
use schemas::{Event, RefusalReason};
use serde_json::Value;
use visit::{Step, Visit};

/// Longest line: the limit of a batch of beacons, since a line is as many beacons as its visit had.
pub const MAX_LINE_BYTES: usize = crate::batch::MAX_BATCH_BYTES;

/// What becomes of a line that keeps the rules.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// A visit.
    Visit(TakenVisit),
    /// A record that the log had before: itself, byte for byte.
    Record(TakenRecord),
    /// A visit that is not counted.
    Refused(RefusalReason),
}

/// A visit that counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TakenVisit {
    /// Its events, in the order in which they happened.
    pub events: Vec<Event>,
    /// Views, leaves and heartbeats beyond what a session may have, which are left out.
    pub over: u64,
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
        // Readers of our own types would also take an array for an object.
        if !line.starts_with(b"{") {
            return Err(BadLine::not_an_object(line));
        }
        if let Some(record) = record::find(line) {
            return record::check(record, self.directory).map(Taken::Record);
        }
        // As a beacon's body is read: one odd value costs no other one.
        let object = match json::parse(line) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(BadLine::not_an_object(line)),
            Err(error) => return Err(BadLine::unreadable(line, &error)),
        };
        if object.get("event").is_some_and(|event| !event.is_null()) {
            let what = "its event has no event_id, so it is not a record of the events topic";
            return Err(BadLine::new(Reason::NotAnEvent, what));
        }
        self.judge(Visit::read(&object, now)?, now)
    }

    fn judge(&self, visit: Visit<'_>, now: Timestamp) -> Result<Taken, BadLine> {
        let to_passage = |Step { at, beacon }| {
            let facts = Facts {
                address: visit.address,
                user_agent: visit.user_agent,
                purpose: PurposeHeaders::default(),
                user: visit.user,
                occurred_at: at,
                received_at: now,
                trust: Trust::History,
            };
            Passage::of_history(beacon, facts)
        };
        let mut passages: Vec<_> = visit.steps.into_iter().map(to_passage).collect();
        let mut judge = Judge {
            acceptor: self.acceptor,
            directory: self.directory,
            ids: self.ids,
            limits: None,
            group: Group::default(),
        };
        judge.pass(&mut passages);
        let mut events = Vec::with_capacity(passages.len());
        for passage in passages {
            match passage.fate {
                Fate::Accepted(event, _) => events.push(*event),
                // The visit comes first, and what refuses it refuses all of it.
                Fate::Refused(refusal) => return Ok(Taken::Refused(refusal.reason)),
                Fate::Unknown(Missing::Page(_)) => return Err(BadLine::unknown_page()),
                Fate::Unknown(Missing::Workspace(_)) => return Err(BadLine::unknown_workspace()),
                Fate::Forged(_) => return Ok(Taken::Refused(RefusalReason::NoSession)),
                // Only stages that history leaves out end so.
                Fate::Open | Fate::Kept(_) | Fate::Lost(_) | Fate::Throttled(_) => {}
            }
        }
        let over = visit.over;
        Ok(Taken::Visit(TakenVisit { events, over }))
    }
}

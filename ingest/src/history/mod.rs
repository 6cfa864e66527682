//! Converts a line of history from another system into the events of a visit, a click, or a
//! conversion. Pure.
//!
//! Owns the format of a line; [`crate::accept`] judges its beacons like live ones. The one rule:
//! every id and time of an event is a function of the line. So the same line counts once, at any
//! time and on any instance.

mod bad;
mod click;
mod conversion;
mod record;
mod visit;

pub use bad::{BadLine, Reason};
pub use conversion::TakenConversion;
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
use visit::{MAX_AHEAD, Step, Visit};

/// Longest line. The limit is that of a batch, because a line holds all beacons of a visit.
pub const MAX_LINE_BYTES: usize = crate::batch::MAX_BATCH_BYTES;

/// The result of a valid line.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// A visit that counts.
    Visit(TakenVisit),
    /// A click on a short link. A machine's is one too, and does not count.
    Click(Box<TakenClick>),
    /// A conversion, which the main database decides about.
    Conversion(TakenConversion),
    /// A record from a log, unchanged byte for byte.
    Record(TakenRecord),
    /// A visit that is not counted.
    Refused(RefusalReason),
}

/// A visit that counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TakenVisit {
    /// Its events, in time order.
    pub events: Vec<Event>,
    /// The number of views, leaves and heartbeats beyond the bounds of a session, which are
    /// dropped.
    pub over: u64,
}

/// A click on a short link.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenClick {
    /// Its event.
    pub event: Event,
}

/// Converts lines.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// Judges beacons.
    pub acceptor: &'a Acceptor,
    /// Pages and workspaces.
    pub directory: &'a Directory,
    /// Makes ids for beacons without an `eventId`. A line has none of those.
    pub ids: &'a dyn IdSource,
}

impl History<'_> {
    /// Converts a line.
    ///
    /// # Errors
    /// [`BadLine`] with the reason.
    pub fn take(&self, line: &[u8], now: Timestamp) -> Result<Taken, BadLine> {
        // Deserializers of our own types would also accept an array for an object.
        if !line.starts_with(b"{") {
            return Err(BadLine::not_an_object(line));
        }
        if let Some(record) = record::find(line) {
            return record::check(record, self.directory).map(Taken::Record);
        }
        // Read like a beacon's body, so one bad value does not cost the others.
        let object = match json::parse(line) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(BadLine::not_an_object(line)),
            Err(error) => return Err(BadLine::unreadable(line, &error)),
        };
        let kind = object.get("kind").filter(|kind| !kind.is_null());
        // The `event` of a conversion is its name.
        if kind.is_none() && object.get("event").is_some_and(|event| !event.is_null()) {
            let what = "the event has no event_id, so the line is not a record of the events topic";
            return Err(BadLine::new(Reason::NotAnEvent, what));
        }
        let latest = now.saturating_add(MAX_AHEAD).unwrap_or(now);
        match kind.map(Value::as_str) {
            None | Some(Some("visit")) => self.judge(Visit::read(&object, now)?, now),
            Some(Some("click")) => {
                let parts = (self.acceptor, self.directory, self.ids);
                click::read(&object, parts, (now, latest))
                    .map(Box::new)
                    .map(Taken::Click)
            }
            Some(Some("conversion")) => {
                let parts = (self.acceptor, self.directory);
                conversion::read(&object, parts, latest).map(Taken::Conversion)
            }
            Some(_) => {
                let what = "kind must be visit, click or conversion; without it a line is a visit";
                Err(BadLine::new(Reason::Invalid, what))
            }
        }
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
                // The visit is judged first, and its refusal applies to all its beacons.
                Fate::Refused(refusal) => return Ok(Taken::Refused(refusal.reason)),
                Fate::Unknown(Missing::Page(_)) => return Err(BadLine::unknown_page()),
                Fate::Unknown(Missing::Workspace(_)) => return Err(BadLine::unknown_workspace()),
                Fate::Forged(_) => return Ok(Taken::Refused(RefusalReason::NoSession)),
                // Only stages that history skips give these fates.
                Fate::Open | Fate::Kept(_) | Fate::Lost(_) | Fate::Throttled(_) => {}
            }
        }
        let over = visit.over;
        Ok(Taken::Visit(TakenVisit { events, over }))
    }
}

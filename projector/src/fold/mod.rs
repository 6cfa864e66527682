//! Computes the changes that events make, as pure functions: no clock, no database, no order.
//!
//! The one rule: the result is a function of the *set* of events. An event that counts becomes a
//! row of its table and a change of one session's state. States consist of sums, minima and maxima,
//! so changes may arrive in any order and in any batches. Repeated events are removed earlier, by
//! `event_id`.

mod click;
mod conversion;
mod dimensions;
pub mod duration;
pub mod limits;
mod page;
mod session;
pub mod state;
mod summary;
pub mod text;

pub use state::{Identified, SessionState, Started};
pub use summary::{Left, Summary};

use crate::rows::Rows;
use schemas::{Body, Event, PageId, SessionId, WorkspaceNo};

/// A session within its tenant.
pub type SessionKey = (WorkspaceNo, SessionId);

/// The position from which an event counts, and its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The highest of its own seq and those of the events it waited for.
    pub visible_seq: i64,
    /// Its page, which is the page of its session. A click on a short link has none.
    pub page_id: Option<PageId>,
}

/// How one type of event is folded.
trait Fold {
    /// Adds the ids and measures that counting needs.
    fn summarize(&self, summary: &mut Summary);

    /// The session that the event starts, if any.
    fn starts(&self, _event: &Event, _seq: i64) -> Option<Started> {
        None
    }

    /// Adds the rows of an event that counts.
    fn add_rows(&self, _event: &Event, _seq: i64, _counted: Counted, _rows: &mut Rows) {}
}

/// Maps a type of event to its fold. A new type does not compile until it is listed here.
fn of(body: &Body) -> &dyn Fold {
    match body {
        Body::SessionStarted(body) => body,
        Body::SessionHeartbeat(body) => body,
        Body::SessionIdentified(body) => body,
        Body::PageViewed(body) => body,
        Body::PageLeft(body) => body,
        Body::CustomTracked(body) => body,
        Body::BeaconRefused(body) => body,
        Body::LinkClicked(body) => body,
        Body::ConversionRecorded(body) => body,
        Body::ConversionStatusChanged(body) => body,
    }
}

/// Summarizes an event for counting.
#[must_use]
pub fn summarize(event: &Event, seq: i64) -> Summary {
    let mut summary = Summary::of(event, seq);
    of(&event.body).summarize(&mut summary);
    summary
}

/// The session that an event starts, if any.
#[must_use]
pub fn starts(event: &Event, seq: i64) -> Option<Started> {
    of(&event.body).starts(event, seq)
}

/// Adds the rows of an event that counts to their tables.
pub fn add_rows(event: &Event, seq: i64, counted: Counted, rows: &mut Rows) {
    of(&event.body).add_rows(event, seq, counted, rows);
}

#[cfg(test)]
mod tests;

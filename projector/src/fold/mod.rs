//! What events change, as pure functions: no clock, no database, no order.
//!
//! The one rule: the result is a function of the *set* of events. Each event becomes a row and a
//! change of one session's state; changes are absorbed by sums, minima and maxima, so they may come
//! late, early and in any batches. What must not be repeated is told apart before, by `event_id`.

pub mod duration;
mod page;
mod row;
mod session;
pub mod state;
pub mod text;

pub use row::EventRow;
pub use state::{Dimensions, Identified, SessionState, Started};

use schemas::{Body, Event, PageviewId, SessionId, WorkspaceNo};

/// A session within its tenant.
pub type SessionKey = (WorkspaceNo, SessionId);

/// What one event changes.
#[derive(Clone, Debug)]
pub struct Change {
    /// The row it leaves in `events`.
    pub row: EventRow,
    /// What it does to a session that it names.
    pub session: Option<(SessionKey, SessionState)>,
    /// The view it ends; the view knows the session.
    pub leaves: Option<PageviewId>,
}

/// The table: type of event to what it changes. A new type does not compile until it stands here.
#[must_use]
pub fn fold(event: &Event, seq: i64) -> Change {
    let row = EventRow::of(event, seq);
    match &event.body {
        Body::SessionStarted(body) => session::started(event, body, row),
        Body::SessionHeartbeat(body) => session::heartbeat(event, body, row),
        Body::SessionIdentified(body) => session::identified(event, body, row),
        Body::PageViewed(body) => page::viewed(event, body, row),
        Body::PageLeft(body) => page::left(body, row),
        Body::CustomTracked(body) => session::tracked(event, body, row),
        Body::BeaconRefused(body) => page::refused(body, row),
    }
}

#[cfg(test)]
mod tests;

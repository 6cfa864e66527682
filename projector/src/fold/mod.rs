//! What events change, as pure functions: no clock, no database, no order.
//!
//! The one rule: the result is a function of the *set* of events. Each event becomes a row and a
//! change of one session's state; changes are absorbed by sums, minima and maxima, so they may come
//! late, early and in any batches. What must not be repeated is told apart before, by `event_id`.

pub mod duration;
pub mod limits;
mod page;
mod row;
mod session;
pub mod state;
pub mod text;

pub use row::{EventRow, Summary};
pub use state::{Dimensions, Identified, SessionState, Started};

use schemas::{Body, Event, SessionId, WorkspaceNo};

/// A session within its tenant.
pub type SessionKey = (WorkspaceNo, SessionId);

/// What one event leaves.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its row in `events`. What it does to its session follows from it, see [`SessionState::of`].
    pub row: EventRow,
    /// The session that it starts.
    pub started: Option<Started>,
}

/// The table: type of event to what it leaves. A new type does not compile until it is listed here.
#[must_use]
pub fn fold(event: &Event, seq: i64) -> Change {
    let mut row = EventRow::of(event, seq);
    let mut started = None;
    match &event.body {
        Body::SessionStarted(body) => started = Some(session::started(event, body, &mut row)),
        Body::SessionHeartbeat(body) => row.session_id = Some(body.session_id),
        Body::SessionIdentified(body) => row.session_id = Some(body.session_id),
        Body::PageViewed(body) => page::viewed(body, &mut row),
        Body::PageLeft(body) => page::left(body, &mut row),
        Body::CustomTracked(body) => session::tracked(body, &mut row),
        Body::BeaconRefused(body) => page::refused(body, &mut row),
    }
    Change { row, started }
}

#[cfg(test)]
mod tests;

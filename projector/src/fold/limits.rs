//! Decides which events of a session count, from the event and the session's start.
//!
//! The one rule: only times in the log decide. So it does not matter which of the two arrived
//! first, or when rows that do not count are deleted.

use super::{Started, Summary};
use jiff::{SignedDuration, Timestamp};

/// Longest session. Views and heartbeats that occur this long after its start, or later, do not
/// count.
pub const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(24);

/// How long an event waits for its session or view, by the times at which ingest received both.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// True when an event counts in a session with this start.
#[must_use]
pub fn counts(event: &Summary, start: &Started) -> bool {
    let is_over = event.kind.extends_session()
        && event.occurred_at.duration_since(start.at) >= LONGEST_SESSION;
    !is_over && has_waited_in_time(event.received_at, start.received_at)
}

/// True when the session or view of an event was received early enough for the event to count.
#[must_use]
pub fn has_waited_in_time(event_received_at: Timestamp, awaited_received_at: Timestamp) -> bool {
    awaited_received_at.duration_since(event_received_at) <= LONGEST_WAIT
}

//! The state of a session, and how to merge two parts of it.
//!
//! [`SessionState::absorb`] is commutative and associative, and the empty state is its neutral
//! element. So any order and split of a session's events gives the same state.

use super::{
    Summary,
    duration::{self, Viewed},
};
use crate::rows::Dimensions;
use jiff::Timestamp;
use schemas::{EventId, Kind, PageId, UserHash};

/// The state of a session from all its events, or from some of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionState {
    /// Its start; `None` in the state of other events.
    pub started: Option<Started>,
    /// Its latest binding to a user.
    pub identified: Option<Identified>,
    /// The time of its latest event.
    pub last_activity_at: Option<Timestamp>,
    /// Heartbeats.
    pub heartbeats: i32,
    /// Views, clicks included.
    pub page_views: i32,
    /// The number of views that were left, and the sum of all views' durations. An event's effect
    /// on them depends on the neighbours of its view, see [`duration::change`].
    pub viewed: Viewed,
}

/// The start of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// When it happened.
    pub at: Timestamp,
    /// The event of the start.
    pub event_id: EventId,
    /// When ingest received it.
    pub received_at: Timestamp,
    /// Its seq, which is the session's.
    pub seq: i64,
    /// The page visited.
    pub page_id: PageId,
    /// The other columns; `None` for a start loaded from the table, which has them already.
    pub dimensions: Option<Box<Dimensions>>,
}

/// A binding of a session to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identified {
    /// When it happened.
    pub at: Timestamp,
    /// The event of the binding.
    pub event_id: EventId,
    /// The user.
    pub user_hash: UserHash,
}

impl SessionState {
    /// The change that an event makes to its session, without durations.
    #[must_use]
    pub fn of(event: &Summary) -> Self {
        let identified = event.user_hash.map(|user_hash| Identified {
            at: event.occurred_at,
            event_id: event.event_id,
            user_hash,
        });
        Self {
            started: None,
            identified: identified.filter(|_| event.is(Kind::SessionIdentified)),
            last_activity_at: Some(event.occurred_at),
            heartbeats: i32::from(event.is(Kind::SessionHeartbeat)),
            page_views: i32::from(event.is(Kind::PageViewed)),
            viewed: Viewed::default(),
        }
    }

    /// Adds the state of other events of the same session. No event may be in both states.
    pub fn absorb(&mut self, other: Self) {
        self.heartbeats = self.heartbeats.saturating_add(other.heartbeats);
        self.page_views = self.page_views.saturating_add(other.page_views);
        self.last_activity_at = self.last_activity_at.max(other.last_activity_at);
        self.identified = self.identified.max(other.identified);
        self.viewed.add(other.viewed);
        self.started = match (self.started.take(), other.started) {
            // We make the ids, so a session starts once. If a foreign log has two starts, the
            // earlier one counts, in any order.
            (Some(a), Some(b)) => Some(if (b.at, b.event_id) < (a.at, a.event_id) {
                b
            } else {
                a
            }),
            (a, b) => a.or(b),
        };
    }

    /// True when its start is in the batch, and was not loaded from the table.
    #[must_use]
    pub fn begins(&self) -> bool {
        let started = self.started.as_ref();
        started.is_some_and(|started| started.dimensions.is_some())
    }

    /// True until the second view.
    #[must_use]
    pub const fn bounced(&self) -> bool {
        self.page_views < 2
    }

    /// The duration in seconds, see [`duration::of_session`].
    #[must_use]
    pub fn duration_seconds(&self) -> f64 {
        duration::of_session(self.heartbeats, self.viewed)
    }
}

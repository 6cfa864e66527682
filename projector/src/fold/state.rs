//! A session's state, and how two parts of it become one.
//!
//! [`SessionState::absorb`] is commutative and associative; with the empty state as neutral element
//! any order and split of a session's events gives the same state.

use super::{
    Summary,
    duration::{self, Viewed},
};
use crate::rows::Dimensions;
use jiff::Timestamp;
use schemas::{EventId, Kind, PageId, UserHash};

/// What the events of a session, or some of them, say of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionState {
    /// Its beginning; `None` in the state of other events.
    pub started: Option<Started>,
    /// Whom it was bound to last.
    pub identified: Option<Identified>,
    /// Latest of its events.
    pub last_activity_at: Option<Timestamp>,
    /// Heartbeats.
    pub heartbeats: i32,
    /// Views, clicks included.
    pub page_views: i32,
    /// Views that were left, and the sum of all views' durations. What an event does to them depends on its
    /// view's neighbours, see [`duration::change`].
    pub viewed: Viewed,
}

/// The beginning of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// When.
    pub at: Timestamp,
    /// The event that said so.
    pub event_id: EventId,
    /// When ingest had it.
    pub received_at: Timestamp,
    /// Its seq, which is the session's.
    pub seq: i64,
    /// On which page.
    pub page_id: PageId,
    /// Everything else; `None` when it was loaded from the table, where it already stands.
    pub dimensions: Option<Box<Dimensions>>,
}

/// Who a session was bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identified {
    /// When.
    pub at: Timestamp,
    /// The event that said so.
    pub event_id: EventId,
    /// Who.
    pub user_hash: UserHash,
}

impl SessionState {
    /// What an event that counts does to its session, but for durations.
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

    /// Adds what other events of the same session say. No event may be in both.
    pub fn absorb(&mut self, other: Self) {
        self.heartbeats = self.heartbeats.saturating_add(other.heartbeats);
        self.page_views = self.page_views.saturating_add(other.page_views);
        self.last_activity_at = self.last_activity_at.max(other.last_activity_at);
        self.identified = self.identified.max(other.identified);
        self.viewed.add(other.viewed);
        self.started = match (self.started.take(), other.started) {
            // Ids are ours, so a session starts once; if it ever did twice, the first one stands.
            (Some(a), Some(b)) => Some(if (b.at, b.event_id) < (a.at, a.event_id) {
                b
            } else {
                a
            }),
            (a, b) => a.or(b),
        };
    }

    /// True when its start was folded, and not loaded from the table.
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

    /// Seconds, see [`duration::of_session`].
    #[must_use]
    pub fn duration_seconds(&self) -> f64 {
        duration::of_session(self.heartbeats, self.viewed)
    }
}

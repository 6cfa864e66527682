//! A session's state, and how two parts of it become one.
//!
//! [`SessionState::absorb`] is commutative and associative; with the empty state as neutral element
//! any order and split of a session's events gives the same state.

use super::duration;
use jiff::Timestamp;
use schemas::{EventId, PageId, UserHash, VisitorHash};

/// What the events of a session, or some of them, say of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionState {
    /// Highest seq of the events in it.
    pub seq: i64,
    /// Its beginning; `None` while only other events are there.
    pub started: Option<Started>,
    /// Whom it was bound to last.
    pub identified: Option<Identified>,
    /// Latest of its events.
    pub last_activity_at: Option<Timestamp>,
    /// Heartbeats.
    pub heartbeats: i32,
    /// Views, clicks included.
    pub page_views: i32,
    /// Views that were left. Computed from the views, not absorbed.
    pub left_views: i32,
    /// Sum of the views' durations. Computed from the views, not absorbed.
    pub viewed_seconds: f64,
}

/// The beginning of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// When.
    pub at: Timestamp,
    /// The event that said so.
    pub event_id: EventId,
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

/// The columns of `sessions` that a start fills and nothing changes later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dimensions {
    /// Who.
    pub visitor_hash: Option<VisitorHash>,
    /// Referring URL.
    pub referrer: Option<String>,
    /// Referring host or `direct`.
    pub referrer_domain: String,
    /// Kind of referrer.
    pub source_class: &'static str,
    /// Path of the landing URL.
    pub landing_path: Option<String>,
    /// `utm_source`, `utm_medium`, `utm_campaign`, `utm_term`, `utm_content`
    pub utm: [Option<String>; 5],
    /// Country, code, region, city, continent.
    pub place: [Option<String>; 5],
    /// Kind of device.
    pub device: Option<&'static str>,
    /// Browser, version, system, version, brand, model.
    pub agent: [Option<String>; 6],
    /// Language tag.
    pub language: Option<String>,
    /// IANA zone.
    pub timezone: Option<String>,
    /// Width and height of the screen.
    pub screen: Option<(i32, i32)>,
    /// Bits of the bot rules.
    pub bot_signals: u32,
}

impl SessionState {
    /// Adds what other events of the same session say. No event may be in both.
    pub fn absorb(&mut self, other: Self) {
        self.seq = self.seq.max(other.seq);
        self.heartbeats = self.heartbeats.saturating_add(other.heartbeats);
        self.page_views = self.page_views.saturating_add(other.page_views);
        self.last_activity_at = self.last_activity_at.max(other.last_activity_at);
        self.identified = self.identified.max(other.identified);
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

    /// True until the second view.
    #[must_use]
    pub const fn bounced(&self) -> bool {
        self.page_views < 2
    }

    /// Seconds, see [`duration::of_session`].
    #[must_use]
    pub fn duration_seconds(&self) -> f64 {
        duration::of_session(self.heartbeats, self.left_views, self.viewed_seconds)
    }
}

//! The time range of an answer.

use jiff::{SignedDuration, Timestamp};

/// A range of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Its first instant.
    pub(crate) since: Timestamp,
    /// The first instant after the window; `None` for one that has no end.
    pub(crate) until: Option<Timestamp>,
}

impl Window {
    /// The window from that instant on.
    pub(crate) const fn since(since: Timestamp) -> Self {
        Self { since, until: None }
    }

    /// The window of as many 24-hour days that ends where this one begins.
    pub(crate) fn before(self, days: u16) -> Self {
        let span = SignedDuration::from_hours(24 * i64::from(days));
        let since = self.since.saturating_sub(span).unwrap_or(Timestamp::MIN);
        Self {
            since,
            until: Some(self.since),
        }
    }
}

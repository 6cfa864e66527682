//! The time that an answer is about.

use jiff::{SignedDuration, Timestamp};

/// From an instant on, and until another where the window before is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Its first instant.
    pub(crate) since: Timestamp,
    /// The first instant after it. Windows up to now have none.
    pub(crate) until: Option<Timestamp>,
}

impl Window {
    /// Everything since then.
    pub(crate) const fn since(since: Timestamp) -> Self {
        Self { since, until: None }
    }

    /// The window of as many days of 24 hours that ends where this one begins.
    pub(crate) fn before(self, days: u16) -> Self {
        let span = SignedDuration::from_hours(24 * i64::from(days));
        let since = self.since.saturating_sub(span).unwrap_or(Timestamp::MIN);
        Self {
            since,
            until: Some(self.since),
        }
    }
}

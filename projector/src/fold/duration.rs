//! How long views and sessions lasted: decision 15 of the creator contract, as pure functions.

use jiff::Timestamp;
use schemas::{EventId, PageviewId};
use std::collections::BTreeMap;

/// What one heartbeat stands for.
pub const HEARTBEAT_SECONDS: f64 = 30.0;
/// A view that is followed by the next one later than this has no duration of its own.
pub const MAX_BACK_FILL_MICROS: i64 = 3_600_000_000;

/// A view, as far as durations ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// When it began.
    pub at: Timestamp,
    /// Orders views of one moment.
    pub event_id: EventId,
    /// Its id, which leaves name.
    pub pageview_id: PageviewId,
}

/// A leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leave {
    /// When it was said.
    pub at: Timestamp,
    /// Orders leaves of one moment.
    pub event_id: EventId,
    /// The view that ended.
    pub pageview_id: PageviewId,
    /// How long it had lasted.
    pub seconds: f64,
}

/// How long the views of one session lasted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Viewed {
    /// Views that were left.
    pub left_views: i32,
    /// Sum of the durations of all views.
    pub seconds: f64,
    /// Latest leave of any of them.
    pub last_left_at: Option<Timestamp>,
}

/// Sums the durations of one session's views: what its leave said (the latest, if several did), else
/// the back-fill, else nothing. The order of either list does not matter.
#[must_use]
pub fn of_views(views: &[View], leaves: &[Leave]) -> Viewed {
    let mut latest: BTreeMap<PageviewId, &Leave> = BTreeMap::new();
    for leave in leaves {
        let known = latest.entry(leave.pageview_id).or_insert(leave);
        if (leave.at, leave.event_id) > (known.at, known.event_id) {
            *known = leave;
        }
    }
    let mut ordered: Vec<&View> = views.iter().collect();
    ordered.sort_unstable_by_key(|view| (view.at, view.event_id));
    let mut viewed = Viewed::default();
    for (index, view) in ordered.iter().enumerate() {
        if let Some(leave) = latest.get(&view.pageview_id) {
            viewed.left_views = viewed.left_views.saturating_add(1);
            viewed.seconds += leave.seconds;
            viewed.last_left_at = viewed.last_left_at.max(Some(leave.at));
        } else if let Some(next) = ordered.get(index + 1) {
            viewed.seconds += back_fill(view.at, next.at).unwrap_or(0.0);
        }
    }
    viewed
}

/// Whole seconds, half up, from a view to the next one; `None` above [`MAX_BACK_FILL_MICROS`].
#[must_use]
pub fn back_fill(view: Timestamp, next: Timestamp) -> Option<f64> {
    let micros = next.as_microsecond().checked_sub(view.as_microsecond())?;
    if !(0..=MAX_BACK_FILL_MICROS).contains(&micros) {
        return None;
    }
    i32::try_from((micros + 500_000) / 1_000_000)
        .ok()
        .map(f64::from)
}

/// 30 s for each heartbeat if there were any; else, if any view was left, the sum of the views'
/// durations; else 0.
#[must_use]
pub fn of_session(heartbeats: i32, left_views: i32, viewed_seconds: f64) -> f64 {
    if heartbeats > 0 {
        HEARTBEAT_SECONDS * f64::from(heartbeats)
    } else if left_views > 0 {
        viewed_seconds
    } else {
        0.0
    }
}

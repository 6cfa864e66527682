//! How long views and sessions lasted, as pure functions.
//!
//! Durations are whole microseconds: sums of integers do not depend on the order of their parts, sums of
//! floats do. [`of_views`] is the definition; [`change`] gives the same from a view's neighbours alone.

use jiff::Timestamp;
use schemas::{EventId, PageviewId};
use std::collections::BTreeMap;

/// What one heartbeat stands for.
pub const HEARTBEAT_SECONDS: f64 = 30.0;
/// A view that is followed by the next one later than this has no duration of its own.
pub const MAX_BACK_FILL_MICROS: i64 = 3_600_000_000;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A view, as far as durations ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// When it began.
    pub at: Timestamp,
    /// Orders views of one moment.
    pub event_id: EventId,
    /// Its id, which leaves name.
    pub pageview_id: PageviewId,
}

/// Place of a view among those of its session.
pub type Place = (Timestamp, EventId);

impl View {
    /// Its place among the views of its session.
    #[must_use]
    pub const fn place(&self) -> Place {
        (self.at, self.event_id)
    }
}

/// A leave. Of several leaves of one view the greatest one stands: the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leave {
    /// When it was said.
    pub at: Timestamp,
    /// Orders leaves of one moment.
    pub event_id: EventId,
    /// How long the view had lasted.
    pub micros: i64,
}

/// How long some views of one session lasted, or by how much that changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewed {
    /// Views that were left.
    pub left_views: i32,
    /// Sum of the durations.
    pub micros: i64,
}

/// A view between its neighbours, before and after a batch.
#[derive(Clone, Copy, Debug)]
pub struct Nearby {
    /// The view.
    pub view: View,
    /// Whether it counted before the batch.
    pub counted: bool,
    /// The leave that stood before the batch.
    pub left_before: Option<Leave>,
    /// The leave that stands after it.
    pub left_after: Option<Leave>,
}

/// The duration of all views of one session: what its leave said (the latest, if several did), else the
/// back-fill, else nothing. The order of either list does not matter.
#[must_use]
pub fn of_views(views: &[View], leaves: &[(PageviewId, Leave)]) -> Viewed {
    let mut latest: BTreeMap<PageviewId, Leave> = BTreeMap::new();
    for (view, leave) in leaves {
        let known = latest.entry(*view).or_insert(*leave);
        *known = (*known).max(*leave);
    }
    let mut ordered: Vec<&View> = views.iter().collect();
    ordered.sort_unstable_by_key(|view| view.place());
    let mut viewed = Viewed::default();
    for (index, view) in ordered.iter().enumerate() {
        let next = ordered.get(index + 1).map(|next| next.at);
        let left = latest.get(&view.pageview_id).copied();
        viewed.add(of_view(view.at, left, next));
    }
    viewed
}

/// By how much a batch changes the sums of a session.
///
/// `nearby` holds, by their places, the views that begin to count with the batch, and of the others at
/// least the one before and the one after each view that begins to count, each view whose leave changes, and the
/// one after it. Views between them that are missing change nothing: none of their neighbours is new.
#[must_use]
pub fn change(nearby: &BTreeMap<Place, Nearby>) -> Viewed {
    let mut change = Viewed::default();
    let (mut next, mut next_before) = (None, None);
    for near in nearby.values().rev() {
        let at = near.view.at;
        change.add(of_view(at, near.left_after, next));
        if near.counted {
            change.subtract(of_view(at, near.left_before, next_before));
            next_before = Some(at);
        }
        next = Some(at);
    }
    change
}

fn of_view(at: Timestamp, left: Option<Leave>, next: Option<Timestamp>) -> Viewed {
    match (left, next) {
        (Some(leave), _) => Viewed {
            left_views: 1,
            micros: leave.micros,
        },
        (None, Some(next)) => Viewed {
            left_views: 0,
            micros: back_fill(at, next).unwrap_or(0),
        },
        (None, None) => Viewed::default(),
    }
}

impl Viewed {
    /// Adds the durations of other views, or a change.
    pub const fn add(&mut self, other: Self) {
        self.left_views = self.left_views.saturating_add(other.left_views);
        self.micros = self.micros.saturating_add(other.micros);
    }

    const fn subtract(&mut self, other: Self) {
        self.left_views = self.left_views.saturating_sub(other.left_views);
        self.micros = self.micros.saturating_sub(other.micros);
    }
}

/// Whole seconds, half up, from a view to the next one, in microseconds; `None` above
/// [`MAX_BACK_FILL_MICROS`].
#[must_use]
pub fn back_fill(view: Timestamp, next: Timestamp) -> Option<i64> {
    let micros = next.as_microsecond().checked_sub(view.as_microsecond())?;
    if !(0..=MAX_BACK_FILL_MICROS).contains(&micros) {
        return None;
    }
    Some((micros + MICROS_PER_SECOND / 2) / MICROS_PER_SECOND * MICROS_PER_SECOND)
}

/// Seconds as a leave says them, 0 to 3,600, in microseconds, half up.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a leave is at most an hour; a greater number saturates"
)]
pub fn micros(seconds: f64) -> i64 {
    (seconds * 1e6 + 0.5).floor() as i64
}

/// 30 s for each heartbeat if there were any; else, if any view was left, the sum of the views'
/// durations; else 0. The nearest double, whatever the order of the parts was.
#[must_use]
pub fn of_session(heartbeats: i32, viewed: Viewed) -> f64 {
    if heartbeats > 0 {
        HEARTBEAT_SECONDS * f64::from(heartbeats)
    } else if viewed.left_views > 0 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a day of microseconds is exact in a double"
        )]
        let micros = viewed.micros as f64;
        micros / 1e6
    } else {
        0.0
    }
}

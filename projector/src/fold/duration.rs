//! Computes how long views and sessions lasted. Pure.
//!
//! Durations are whole microseconds, because sums of floats depend on the order of their parts.
//! [`of_views`] is the definition; [`change`] computes the same from the neighbours of changed
//! views.

use jiff::Timestamp;
use schemas::{EventId, PageviewId};
use std::collections::BTreeMap;

/// The duration that one heartbeat adds.
pub const HEARTBEAT_SECONDS: f64 = 30.0;
/// Longest time to the next view that counts as a view's duration.
pub const MAX_BACK_FILL_MICROS: i64 = 3_600_000_000;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A view, with the members that durations need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// When it began.
    pub at: Timestamp,
    /// Orders views with the same time.
    pub event_id: EventId,
    /// Its id, which leaves name.
    pub pageview_id: PageviewId,
}

/// The position of a view among those of its session.
pub type Place = (Timestamp, EventId);

impl View {
    /// The view's position among the views of its session.
    #[must_use]
    pub const fn place(&self) -> Place {
        (self.at, self.event_id)
    }
}

/// A leave. Of several leaves of one view the greatest counts, which is the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leave {
    /// When it happened.
    pub at: Timestamp,
    /// Orders leaves with the same time.
    pub event_id: EventId,
    /// How long the view had lasted.
    pub micros: i64,
}

/// The durations of some views of a session, or the change of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewed {
    /// The number of views that were left.
    pub left_views: i32,
    /// Sum of the durations.
    pub micros: i64,
}

/// A view between its neighbours, before and after a batch.
#[derive(Clone, Copy, Debug)]
pub struct Nearby {
    /// The view.
    pub view: View,
    /// True if it counted before the batch.
    pub counted: bool,
    /// Its latest leave before the batch.
    pub left_before: Option<Leave>,
    /// Its latest leave after the batch.
    pub left_after: Option<Leave>,
}

/// The durations of all views of a session. Each view has the duration of its latest leave, else
/// the back-fill from the next view, else none. The order of either list does not matter.
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

/// The change that a batch makes to the sums of a session.
///
/// `nearby` must have these views, by position: those that begin to count with the batch, the view
/// before and the view after each of them, those whose leave changes, and the view after each of
/// these. Other views may be missing. They have no new neighbour, so their duration does not
/// change.
#[must_use]
pub fn change(nearby: &BTreeMap<Place, Nearby>) -> Viewed {
    let mut change = Viewed::default();
    // Walks backwards, so the next view is known: after the batch any view, before it only views
    // that counted then.
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
    /// Adds other durations, or a change.
    pub const fn add(&mut self, other: Self) {
        self.left_views = self.left_views.saturating_add(other.left_views);
        self.micros = self.micros.saturating_add(other.micros);
    }

    const fn subtract(&mut self, other: Self) {
        self.left_views = self.left_views.saturating_sub(other.left_views);
        self.micros = self.micros.saturating_sub(other.micros);
    }
}

/// The time from a view to the next one in microseconds, rounded half up to whole seconds; `None`
/// above [`MAX_BACK_FILL_MICROS`].
#[must_use]
pub fn back_fill(view: Timestamp, next: Timestamp) -> Option<i64> {
    let micros = next.as_microsecond().checked_sub(view.as_microsecond())?;
    if !(0..=MAX_BACK_FILL_MICROS).contains(&micros) {
        return None;
    }
    Some((micros + MICROS_PER_SECOND / 2) / MICROS_PER_SECOND * MICROS_PER_SECOND)
}

/// The seconds of a leave, 0 to 3,600, in microseconds, rounded half up.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a leave is at most an hour; a greater number saturates"
)]
pub fn micros(seconds: f64) -> i64 {
    (seconds * 1e6 + 0.5).floor() as i64
}

/// The duration of a session: 30 s per heartbeat if there were any; else, if any view was left, the
/// sum of the views' durations; else 0. The order of the parts does not affect the result.
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

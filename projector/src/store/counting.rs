//! Counts the events of a batch: which of them count, from which seq, and the new states of
//! sessions.
//!
//! The one rule: events of the batch and events from the table `waiting` are treated alike. So the
//! boundaries of batches make no difference.

use super::{
    change::Change,
    hits::ViewKey,
    sessions::{RowKey, Saved},
};
use crate::{
    fold::{
        self, Counted, Left, SessionKey, SessionState, Summary,
        duration::{self, Leave, Nearby, Place, View},
        limits::{counts, has_waited_in_time},
    },
    rows::{HitRow, LeaveColumns, ViewColumns, VisitClickRow},
};
use jiff::Timestamp;
use schemas::Within;
use std::collections::{BTreeMap, HashMap};

/// The sessions and views that a batch affects.
#[derive(Debug, Default)]
pub(super) struct Counting {
    sessions: BTreeMap<SessionKey, Session>,
    /// Views that count and may have leaves.
    views: HashMap<ViewKey, Target>,
    /// The views that begin to count with the batch.
    new_views: Vec<ViewKey>,
    /// The latest leave of each view, of the leaves that begin to count.
    leaves: HashMap<ViewKey, (Leave, Left)>,
}

/// A session that has started.
#[derive(Debug, Default)]
struct Session {
    state: SessionState,
    /// Its row in the table.
    stored: Option<RowKey>,
    /// True if any of its events begins to count.
    has_changed: bool,
    /// Its changed views and their neighbours, see [`duration::change`].
    nearby: BTreeMap<Place, Nearby>,
}

/// The new views of a batch.
#[derive(Debug, Default)]
pub(super) struct Split<'a> {
    /// Those that are no clicks.
    pub(super) views: Vec<HitRow>,
    /// Clicks of visits that start in the batch.
    pub(super) clicks: Vec<VisitClickRow<'a>>,
    /// Clicks of visits that started earlier, each with the row of its visit.
    pub(super) later_clicks: Vec<(HitRow, RowKey)>,
}

/// A view that counts, with the members that its leaves need.
#[derive(Clone, Copy, Debug)]
struct Target {
    session: SessionKey,
    received_at: Timestamp,
    /// Its row in the table; `None` while the batch adds it.
    stored: Option<RowKey>,
    /// The leave in its row.
    left: Option<Leave>,
}

impl Counting {
    /// Starts with the sessions in the table and those that start in the batch.
    pub(super) fn new(known: BTreeMap<SessionKey, SessionState>, changes: &[Change]) -> Self {
        let mut counting = Self::default();
        for (key, state) in known {
            let stored = state
                .started
                .as_ref()
                .map(|started| (started.seq, started.at));
            let session = Session {
                state,
                stored,
                ..Session::default()
            };
            counting.sessions.insert(key, session);
        }
        for change in changes {
            let event = &change.summary;
            if let (Some(key), Some(started)) =
                (event.session(), fold::starts(&change.event, event.seq))
            {
                counting
                    .sessions
                    .entry(key)
                    .or_default()
                    .absorb(SessionState {
                        started: Some(started),
                        ..SessionState::of(event)
                    });
            }
        }
        counting
    }

    /// The sessions that start in the batch.
    pub(super) fn begun(&self) -> Vec<SessionKey> {
        let begun = self.sessions.iter();
        let begun = begun.filter(|(_, session)| session.state.begins());
        begun.map(|(key, _)| *key).collect()
    }

    /// Counts the events that need no other event or only a session. Also notes the views of the
    /// table that leaves of the batch name.
    pub(super) fn count_events(&mut self, changes: &mut [Change], left: &[ViewColumns]) {
        for hit in left {
            let key = (hit.workspace_no, hit.session_id);
            if let Some(session) = self.sessions.get_mut(&key) {
                session.note(hit.view(), true, hit.leave());
                let target = Target {
                    session: key,
                    received_at: hit.received_at,
                    stored: Some((hit.seq, hit.occurred_at)),
                    left: hit.leave(),
                };
                self.views
                    .insert((hit.workspace_no, hit.pageview_id), target);
            }
        }
        for change in changes {
            change.counted = match change.summary.kind.within() {
                Within::Page | Within::Link | Within::Workspace => count_at_once(&change.summary),
                Within::Session => self.count(&change.summary),
                Within::View => None,
            };
        }
    }

    /// The views that begin to count.
    pub(super) fn new_views(&self) -> &[ViewKey] {
        &self.new_views
    }

    /// Counts leaves. Which views count is known by now.
    pub(super) fn count_leaves(&mut self, changes: &mut [Change]) {
        for change in changes {
            if change.summary.kind.within() == Within::View {
                change.counted = self.count_leave(&change.summary);
            }
        }
    }

    /// The positions whose neighbours in the table are needed.
    pub(super) fn places(&self) -> Vec<(SessionKey, Place)> {
        // A new session has no counted views in the table, so it needs no look-up.
        let known = self
            .sessions
            .iter()
            .filter(|(_, session)| session.stored.is_some());
        known
            .flat_map(|(key, session)| session.nearby.keys().map(|place| (*key, *place)))
            .collect()
    }

    /// Notes the neighbours from the table.
    pub(super) fn note_neighbours(&mut self, neighbours: &[ViewColumns]) {
        for hit in neighbours {
            let key = (hit.workspace_no, hit.session_id);
            if let Some(session) = self.sessions.get_mut(&key) {
                session.note(hit.view(), true, hit.leave());
            }
        }
    }

    /// Updates the sums of durations. The neighbours must be complete.
    pub(super) fn measure(&mut self) {
        for (key, session) in &mut self.sessions {
            for near in session.nearby.values_mut() {
                let view = (key.0, near.view.pageview_id);
                let said = self.leaves.get(&view).map(|(leave, _)| *leave);
                // The latest leave counts, in any order of arrival.
                near.left_after = near.left_before.max(said);
            }
            session.state.viewed.add(duration::change(&session.nearby));
        }
    }

    /// Writes the latest leaves into the new rows of their views.
    pub(super) fn leave(&self, hits: &mut [HitRow]) {
        for hit in hits.iter_mut().map(|hit| &mut hit.view) {
            if let Some((leave, left)) = self.leaves.get(&(hit.workspace_no, hit.pageview_id)) {
                hit.left_at = Some(leave.at);
                hit.left_by = Some(leave.event_id);
                hit.left_micros = Some(leave.micros);
                hit.scroll_depth_percent = left.scroll_depth_percent;
            }
        }
    }

    /// Separates the clicks from the other new views, with what is known of their visits.
    pub(super) fn split_clicks(&self, hits: impl Iterator<Item = HitRow>) -> Split<'_> {
        let mut split = Split::default();
        for hit in hits {
            let session = self
                .sessions
                .get(&(hit.view.workspace_no, hit.view.session_id));
            // Every view that counts has a session that has started.
            let started = session.and_then(|session| session.state.started.as_ref());
            match started.filter(|_| hit.opened.link_id.is_some()) {
                None => split.views.push(hit),
                Some(started) => match started.dimensions.as_deref() {
                    Some(visit) => split.clicks.push(VisitClickRow { hit, visit }),
                    None => split.later_clicks.push((hit, (started.seq, started.at))),
                },
            }
        }
        split
    }

    /// The changes of leaves to rows of views in the table.
    pub(super) fn left(&self) -> Vec<LeaveColumns> {
        let leaves = self.leaves.iter().filter_map(|(key, (leave, left))| {
            let target = self.views.get(key)?;
            let (seq, occurred_at) = target.stored?;
            // An older leave must not replace the one in the row.
            (target.left < Some(*leave)).then_some(LeaveColumns {
                workspace_no: key.0,
                seq,
                occurred_at,
                left_at: leave.at,
                left_by: leave.event_id,
                left_micros: leave.micros,
                scroll_depth_percent: left.scroll_depth_percent,
            })
        });
        leaves.collect()
    }

    /// The sessions that changed.
    pub(super) fn changed(&self) -> Vec<Saved<'_>> {
        let sessions = self.sessions.iter();
        let changed = sessions.filter(|(_, session)| session.has_changed);
        changed
            .map(|(key, session)| Saved {
                key: *key,
                state: &session.state,
                stored: session.stored,
            })
            .collect()
    }

    /// The position from which an event counts in its session; `None` when it does not count.
    fn count(&mut self, event: &Summary) -> Option<Counted> {
        let key = event.session()?;
        let session = self.sessions.get_mut(&key)?;
        // An event before its session's start is not counted and waits.
        let started = session.state.started.as_ref()?;
        if !counts(event, started) {
            return None;
        }
        let counted = Counted {
            visible_seq: event.seq.max(started.seq),
            page_id: Some(started.page_id),
        };
        session.absorb(SessionState::of(event));
        if let Some(view) = event.view() {
            // It did not count before, so the sums do not include it yet.
            session.note(view, false, None);
            let view = (key.0, view.pageview_id);
            let target = Target {
                session: key,
                received_at: event.received_at,
                stored: None,
                left: None,
            };
            self.views.insert(view, target);
            self.new_views.push(view);
        }
        Some(counted)
    }

    /// The position from which a leave counts; `None` when its view does not count, or when the
    /// leave came too long before it.
    fn count_leave(&mut self, event: &Summary) -> Option<Counted> {
        let (pageview, leave) = event.leave()?;
        let view = (event.workspace_no, pageview);
        // A leave before its view is not counted and waits.
        let target = self.views.get(&view)?;
        let session = self.sessions.get_mut(&target.session)?;
        let started = session.state.started.as_ref()?;
        // A leave waits for its view and for that view's session, so the later of the two decides.
        let awaited = target.received_at.max(started.received_at);
        if !has_waited_in_time(event.received_at, awaited) {
            return None;
        }
        let counted = Counted {
            visible_seq: event.seq.max(started.seq),
            page_id: Some(started.page_id),
        };
        session.absorb(SessionState::of(event));
        let said = (leave, event.left?);
        let latest = self.leaves.entry(view).or_insert(said);
        if latest.0 < leave {
            *latest = said;
        }
        Some(counted)
    }
}

/// The position of an event that needs no other event. A start has none: it becomes its session's
/// row.
fn count_at_once(event: &Summary) -> Option<Counted> {
    let counted = Counted {
        visible_seq: event.seq,
        page_id: event.page_id,
    };
    event.session_id.is_none().then_some(counted)
}

impl ViewColumns {
    fn view(&self) -> View {
        View {
            at: self.occurred_at,
            event_id: self.event_id,
            pageview_id: self.pageview_id,
        }
    }

    /// The latest leave.
    fn leave(&self) -> Option<Leave> {
        Some(Leave {
            at: self.left_at?,
            event_id: self.left_by?,
            micros: self.left_micros?,
        })
    }
}

impl Session {
    fn absorb(&mut self, state: SessionState) {
        self.state.absorb(state);
        self.has_changed = true;
    }

    fn note(&mut self, view: View, counted: bool, left_before: Option<Leave>) {
        // A view may be noted twice, as left and as a neighbour. Both come from the same row.
        self.nearby.entry(view.place()).or_insert(Nearby {
            view,
            counted,
            left_before,
            left_after: None,
        });
    }
}

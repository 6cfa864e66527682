//! Counts the events of a batch: which of them count, from which seq on, and the new state of their sessions.
//!
//! The one rule: an event of the batch and one that has waited in the table are treated alike, so it makes no
//! difference where the log is cut into batches.

use super::{
    apply::Change,
    hits::ViewKey,
    sessions::{RowKey, Saved},
};
use crate::{
    fold::{
        self, Counted, Left, SessionKey, SessionState, Summary,
        duration::{self, Leave, Nearby, Place, View},
        limits::{counts, has_waited_in_time},
    },
    rows::{HitRow, LeaveColumns},
};
use jiff::Timestamp;
use schemas::Within;
use std::collections::{BTreeMap, HashMap};

/// The sessions and views that a batch concerns.
#[derive(Debug, Default)]
pub(super) struct Counting {
    sessions: BTreeMap<SessionKey, Session>,
    /// Views that count, to which leaves may belong.
    views: HashMap<ViewKey, Target>,
    /// Those of them that begin to count.
    new_views: Vec<ViewKey>,
    /// The latest leave of a view, of those that begin to count.
    leaves: HashMap<ViewKey, (Leave, Left)>,
}

/// A session that has started.
#[derive(Debug, Default)]
struct Session {
    state: SessionState,
    /// Its row in the table.
    stored: Option<RowKey>,
    /// Whether anything of it begins to count.
    has_changed: bool,
    /// Its views around those that change, see [`duration::change`].
    nearby: BTreeMap<Place, Nearby>,
}

/// A view that counts, as far as its leaves ask.
#[derive(Clone, Copy, Debug)]
struct Target {
    session: SessionKey,
    received_at: Timestamp,
    /// Its row in the table; `None` while the batch adds it.
    stored: Option<RowKey>,
    /// The leave that its row has.
    left: Option<Leave>,
}

impl Counting {
    /// Begins with the sessions that the table knows and those that start in the batch.
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

    /// Counts what waits for nothing or for a session; and takes note of the views of the table that the
    /// batch's leaves name.
    pub(super) fn count_events(&mut self, changes: &mut [Change], left: &[HitRow]) {
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
                Within::Page => count_at_once(&change.summary),
                Within::Session => self.count(&change.summary),
                Within::View => None,
            };
        }
    }

    /// The views that begin to count.
    pub(super) fn new_views(&self) -> &[ViewKey] {
        &self.new_views
    }

    /// Counts leaves, now that it is known which views count.
    pub(super) fn count_leaves(&mut self, changes: &mut [Change]) {
        for change in changes {
            if change.summary.kind.within() == Within::View {
                change.counted = self.count_leave(&change.summary);
            }
        }
    }

    /// The places whose neighbours in the table must be known.
    pub(super) fn places(&self) -> Vec<(SessionKey, Place)> {
        // A session that begins has no view in the table that counts.
        let known = self
            .sessions
            .iter()
            .filter(|(_, session)| session.stored.is_some());
        known
            .flat_map(|(key, session)| session.nearby.keys().map(|place| (*key, *place)))
            .collect()
    }

    /// Takes note of neighbours.
    pub(super) fn note_neighbours(&mut self, neighbours: &[HitRow]) {
        for hit in neighbours {
            let key = (hit.workspace_no, hit.session_id);
            if let Some(session) = self.sessions.get_mut(&key) {
                session.note(hit.view(), true, hit.leave());
            }
        }
    }

    /// Changes the sums of durations, now that the neighbourhoods are complete.
    pub(super) fn measure(&mut self) {
        for (key, session) in &mut self.sessions {
            for near in session.nearby.values_mut() {
                let view = (key.0, near.view.pageview_id);
                let said = self.leaves.get(&view).map(|(leave, _)| *leave);
                near.left_after = near.left_before.max(said);
            }
            session.state.viewed.add(duration::change(&session.nearby));
        }
    }

    /// Puts the latest leaves into the rows of the views that they end.
    pub(super) fn leave(&self, hits: &mut [HitRow]) {
        for hit in hits {
            if let Some((leave, left)) = self.leaves.get(&(hit.workspace_no, hit.pageview_id)) {
                hit.left_at = Some(leave.at);
                hit.left_by = Some(leave.event_id);
                hit.left_micros = Some(leave.micros);
                hit.scroll_depth_percent = left.scroll_depth_percent;
            }
        }
    }

    /// What leaves change in the rows of views that are in the table.
    pub(super) fn left(&self) -> Vec<LeaveColumns> {
        let leaves = self.leaves.iter().filter_map(|(key, (leave, left))| {
            let target = self.views.get(key)?;
            let (seq, occurred_at) = target.stored?;
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

    /// The sessions that change.
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

    /// From where an event counts in its session; `None` when it does not.
    fn count(&mut self, event: &Summary) -> Option<Counted> {
        let key = event.session()?;
        let session = self.sessions.get_mut(&key)?;
        let started = session.state.started.as_ref()?;
        if !counts(event, started) {
            return None;
        }
        let counted = Counted {
            visible_seq: event.seq.max(started.seq),
            page_id: started.page_id,
        };
        session.absorb(SessionState::of(event));
        if let Some(view) = event.view() {
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

    /// From where a leave counts; `None` when its view does not, or when it came too long before.
    fn count_leave(&mut self, event: &Summary) -> Option<Counted> {
        let (pageview, leave) = event.leave()?;
        let view = (event.workspace_no, pageview);
        let target = self.views.get(&view)?;
        let session = self.sessions.get_mut(&target.session)?;
        let started = session.state.started.as_ref()?;
        let awaited = target.received_at.max(started.received_at);
        if !has_waited_in_time(event.received_at, awaited) {
            return None;
        }
        let counted = Counted {
            visible_seq: event.seq.max(started.seq),
            page_id: started.page_id,
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

/// From where an event counts that waits for nothing. A start is its session's row.
fn count_at_once(event: &Summary) -> Option<Counted> {
    let counted = Counted {
        visible_seq: event.seq,
        page_id: event.page_id?,
    };
    event.session_id.is_none().then_some(counted)
}

impl HitRow {
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
        self.nearby.entry(view.place()).or_insert(Nearby {
            view,
            counted,
            left_before,
            left_after: None,
        });
    }
}

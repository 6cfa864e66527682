//! Counts the events of a batch: which of them count, from which seq on, and the new state of their sessions.
//!
//! The one rule: an event of the batch and one that has waited in the table are treated alike, so it makes no
//! difference where the log is cut into batches.

use super::{
    events::Released,
    sessions::Saved,
    views::{CountedView, ViewKey},
};
use crate::fold::{
    Change, SessionKey, SessionState, Summary,
    duration::{self, Leave, Nearby, Place, View},
    limits::{counts, has_waited_in_time},
};
use jiff::Timestamp;
use schemas::{Kind, PageId};
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
    leaves: HashMap<ViewKey, Leave>,
    released: Vec<Released>,
}

/// A session that has started.
#[derive(Debug, Default)]
struct Session {
    state: SessionState,
    /// Whether the table has a row of it.
    is_known: bool,
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
    visible_seq: i64,
}

impl Counting {
    /// Begins with the sessions that the table knows and those that start in the batch.
    pub(super) fn new(known: BTreeMap<SessionKey, SessionState>, changes: &mut [Change]) -> Self {
        let mut counting = Self::default();
        for (key, state) in known {
            let session = Session {
                state,
                is_known: true,
                ..Session::default()
            };
            counting.sessions.insert(key, session);
        }
        for change in changes {
            let event = change.row.summary();
            if let (Some(key), Some(started)) = (event.session(), change.started.take()) {
                counting
                    .sessions
                    .entry(key)
                    .or_default()
                    .absorb(SessionState {
                        started: Some(started),
                        ..SessionState::of(&event)
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

    /// Counts what names a session, of the batch and of what had waited; and takes note of the views of the
    /// table that the batch's leaves name.
    pub(super) fn count_events(
        &mut self,
        changes: &mut [Change],
        waiting: &[Summary],
        left: &[CountedView],
    ) {
        for CountedView {
            session: key,
            view,
            received_at,
            visible_seq,
        } in left.iter().copied()
        {
            if let Some(session) = self.sessions.get_mut(&key) {
                session.note(view, true);
                let target = Target {
                    session: key,
                    received_at,
                    visible_seq,
                };
                self.views.insert((key.0, view.pageview_id), target);
            }
        }
        for change in changes {
            if let Some((visible_seq, page)) = self.count(&change.row.summary()) {
                change.row.visible_seq = Some(visible_seq);
                change.row.page_id = page;
            }
        }
        for event in waiting {
            if let Some((visible_seq, page_id)) = self.count(event) {
                self.release(event, visible_seq, page_id);
            }
        }
    }

    /// The views that begin to count.
    pub(super) fn new_views(&self) -> &[ViewKey] {
        &self.new_views
    }

    /// Counts leaves, of the batch and of what had waited.
    pub(super) fn count_leaves(&mut self, changes: &mut [Change], waiting: &[Summary]) {
        for change in changes {
            if let Some(visible_seq) = self.count_leave(&change.row.summary()) {
                change.row.visible_seq = Some(visible_seq);
            }
        }
        for leave in waiting {
            if let Some(visible_seq) = self.count_leave(leave) {
                self.release(leave, visible_seq, None);
            }
        }
    }

    /// The places whose neighbours in the table must be known.
    pub(super) fn places(&self) -> Vec<(SessionKey, Place)> {
        // A session that begins has no view in the table that counts.
        let known = self.sessions.iter().filter(|(_, session)| session.is_known);
        known
            .flat_map(|(key, session)| session.nearby.keys().map(|place| (*key, *place)))
            .collect()
    }

    /// Takes note of neighbours.
    pub(super) fn note_neighbours(&mut self, neighbours: Vec<(SessionKey, View)>) {
        for (key, view) in neighbours {
            if let Some(session) = self.sessions.get_mut(&key) {
                session.note(view, true);
            }
        }
    }

    /// The views whose leaves in the table must be known.
    pub(super) fn counted_views(&self) -> Vec<ViewKey> {
        let nearby = self
            .sessions
            .iter()
            .flat_map(|(key, session)| session.nearby.values().map(move |near| (key.0, near)));
        nearby
            .filter(|(_, near)| near.counted)
            .map(|(no, near)| (no, near.view.pageview_id))
            .collect()
    }

    /// Changes the sums of durations, now that the neighbourhoods are complete.
    pub(super) fn measure(&mut self, stored: &HashMap<ViewKey, Leave>) {
        for (key, session) in &mut self.sessions {
            for near in session.nearby.values_mut() {
                let view = (key.0, near.view.pageview_id);
                if near.counted {
                    near.left_before = stored.get(&view).copied();
                }
                near.left_after = near.left_before.max(self.leaves.get(&view).copied());
            }
            session.state.viewed.add(duration::change(&session.nearby));
        }
    }

    /// The rows that begin to count.
    pub(super) fn released(&self) -> &[Released] {
        &self.released
    }

    /// The sessions that change.
    pub(super) fn changed(&self) -> Vec<Saved<'_>> {
        let sessions = self.sessions.iter();
        let changed = sessions.filter(|(_, session)| session.has_changed);
        changed
            .map(|(key, session)| Saved {
                key: *key,
                state: &session.state,
                is_known: session.is_known,
            })
            .collect()
    }

    /// From which seq on an event counts in its session, and with which page; `None` when it does not.
    fn count(&mut self, event: &Summary) -> Option<(i64, Option<PageId>)> {
        let key = event.session()?;
        let session = self.sessions.get_mut(&key)?;
        let started = session.state.started.as_ref()?;
        if event.is(Kind::SessionStarted) || !counts(event, started) {
            return None;
        }
        let visible_seq = event.seq.max(started.seq);
        // Other rows have none: nothing counts them by page.
        let has_page = event.is(Kind::PageViewed) || event.is(Kind::CustomTracked);
        let page = has_page.then_some(started.page_id);
        session.absorb(SessionState::of(event));
        if let Some(view) = event.view() {
            session.note(view, false);
            let view = (key.0, view.pageview_id);
            let target = Target {
                session: key,
                received_at: event.received_at,
                visible_seq,
            };
            self.views.insert(view, target);
            self.new_views.push(view);
        }
        Some((visible_seq, page))
    }

    /// From which seq on a leave counts; `None` when its view does not, or when it came too long before.
    fn count_leave(&mut self, event: &Summary) -> Option<i64> {
        let (pageview, leave) = event.leave()?;
        let view = (event.workspace_no, pageview);
        let target = self.views.get(&view)?;
        let session = self.sessions.get_mut(&target.session)?;
        let started = session.state.started.as_ref()?;
        let awaited = target.received_at.max(started.received_at);
        if !has_waited_in_time(event.received_at, awaited) {
            return None;
        }
        session.absorb(SessionState::of(event));
        let latest = self.leaves.entry(view).or_insert(leave);
        *latest = (*latest).max(leave);
        Some(event.seq.max(target.visible_seq))
    }

    fn release(&mut self, event: &Summary, visible_seq: i64, page_id: Option<PageId>) {
        self.released.push(Released {
            workspace_no: event.workspace_no,
            event_id: event.event_id,
            visible_seq,
            page_id,
        });
    }
}

impl Session {
    fn absorb(&mut self, state: SessionState) {
        self.state.absorb(state);
        self.has_changed = true;
    }

    fn note(&mut self, view: View, counted: bool) {
        self.nearby.entry(view.place()).or_insert(Nearby {
            view,
            counted,
            left_before: None,
            left_after: None,
        });
    }
}

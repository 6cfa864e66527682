//! Enforces the bounds of sessions and addresses, with an in-memory record of recent sessions.
//!
//! Owns the bounds: new sessions of a page from an address, and views, heartbeats and duration of a
//! session. The one rule: only beacons that would be accepted are remembered, so every entry costs
//! its sender a proven page or id. The memory is bounded and belongs to one instance. A session
//! that several instances serve, or that was forgotten, may exceed its bounds.

use crate::{
    accept::Beacon,
    limits::{self, Spent},
};
use jiff::{SignedDuration, Timestamp};
use moka::{policy::EvictionPolicy, sync::Cache};
use runtime::throttle::Throttles;
use schemas::{Body, Event, EventId, PageviewId, RefusalReason, SessionId};
use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Most views of a session.
pub const MAX_VIEWS: usize = 1_000;
/// Most heartbeats of a session: one every 30 seconds of [`MAX_AGE`].
pub const MAX_HEARTBEATS: u32 = 2_880;
/// How long after its start a session accepts views and heartbeats.
pub const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// How long a session without beacons is remembered.
const FORGET_AFTER: Duration = Duration::from_hours(24);
/// Most bytes of all sessions: about 150,000 sessions with a few views and heartbeats each.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of a session without views and heartbeats, including the cache's overhead.
const SESSION_BYTES: usize = 320;

/// The sessions that this instance has seen recently.
pub struct Sessions(Cache<SessionId, Arc<Mutex<Seen>>>);

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sessions")
            .field(&self.0.entry_count())
            .finish()
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self::within(MAX_BYTES)
    }
}

/// The record of a session.
#[derive(Debug)]
struct Seen {
    since: Timestamp,
    heartbeats: u32,
    /// The lower halves of the views' ids, so that a retry of a view counts once.
    views: Vec<u64>,
    /// The same for heartbeats that have an id.
    beats: Vec<u64>,
}

impl Sessions {
    fn within(max_bytes: u64) -> Self {
        let weigh = |_: &SessionId, seen: &Arc<Mutex<Seen>>| {
            u32::try_from(SESSION_BYTES + lock(seen).bytes()).unwrap_or(u32::MAX)
        };
        Self(
            Cache::builder()
                .max_capacity(max_bytes)
                .weigher(weigh)
                .time_to_idle(FORGET_AFTER)
                // The default policy keeps often-used entries, so a full cache would reject new
                // sessions.
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        )
    }

    /// The record of a session. A new one starts at `at`.
    fn seen(&self, session: SessionId, at: Timestamp) -> Arc<Mutex<Seen>> {
        self.0.get_with(session, || {
            Arc::new(Mutex::new(Seen {
                since: at,
                heartbeats: 0,
                views: Vec::new(),
                beats: Vec::new(),
            }))
        })
    }

    /// Counts an event before it is published.
    ///
    /// # Errors
    /// The reason why it must not be published.
    pub fn admit(
        &self,
        event: &Event,
        beacon: &Beacon<'_>,
        address: IpAddr,
        throttles: &Throttles,
    ) -> Result<(), RefusalReason> {
        let at = event.occurred_at;
        let (session, begins) = match &event.body {
            Body::SessionStarted(body) => (body.session_id, Some(body.page_id)),
            Body::PageViewed(body) => (body.session_id, None),
            Body::SessionHeartbeat(body) => (body.session_id, None),
            Body::SessionIdentified(body) => (body.session_id, None),
            Body::CustomTracked(body) => (body.session_id, None),
            Body::PageLeft(_)
            | Body::BeaconRefused(_)
            | Body::LinkClicked(_)
            | Body::ConversionRecorded(_)
            | Body::ConversionStatusChanged(_) => return Ok(()),
        };
        // A named session may have begun on another instance, or may never begin. An invented one
        // must not be cheaper than a real start, so both spend the same limit.
        let page = begins.or_else(|| beacon.named().map(|name| name.page));
        if let Some(page) = page
            && !self.0.contains_key(&session)
        {
            let spent = limits::spend_page(throttles, address, page);
            spent.map_err(|_: Spent| RefusalReason::Flood)?;
        }
        let seen = self.seen(session, at);
        let grown = {
            let mut state = lock(&seen);
            match &event.body {
                // Beacons that name the session may arrive before its start but have happened
                // later.
                Body::SessionStarted(_) => {
                    state.since = state.since.min(at);
                    false
                }
                Body::PageViewed(body) => state.view(body.pageview_id, at)?,
                // Without the client's id each heartbeat has a fresh one, which is useless for
                // finding retries.
                Body::SessionHeartbeat(_) => {
                    state.beat(beacon.event_id.and(Some(event.event_id)), at)?
                }
                _ => false,
            }
        };
        if grown {
            // The cache weighs an entry only on insertion.
            self.0.insert(session, seen);
        }
        Ok(())
    }
}

impl Seen {
    /// Counts a view. True when the record now takes more memory.
    fn view(&mut self, view: PageviewId, at: Timestamp) -> Result<bool, RefusalReason> {
        // The upper half has the workspace and the tag, so it hardly differs within a session.
        let (_, id) = view.0.as_u64_pair();
        if self.views.contains(&id) {
            return Ok(false);
        }
        if self.is_over(at) || self.views.len() >= MAX_VIEWS {
            return Err(RefusalReason::SessionOver);
        }
        let before = self.views.capacity();
        self.views.push(id);
        Ok(self.views.capacity() != before)
    }

    /// Counts a heartbeat. True when the record now takes more memory.
    fn beat(&mut self, id: Option<EventId>, at: Timestamp) -> Result<bool, RefusalReason> {
        let id = id.map(|id| id.0.as_u64_pair().1);
        if id.is_some_and(|id| self.beats.contains(&id)) {
            return Ok(false);
        }
        if self.is_over(at) || self.heartbeats >= MAX_HEARTBEATS {
            return Err(RefusalReason::SessionOver);
        }
        self.heartbeats += 1;
        let before = self.beats.capacity();
        self.beats.extend(id);
        Ok(self.beats.capacity() != before)
    }

    /// The heap memory of the record.
    const fn bytes(&self) -> usize {
        (self.views.capacity() + self.beats.capacity()) * size_of::<u64>()
    }

    fn is_over(&self, at: Timestamp) -> bool {
        at.duration_since(self.since) >= MAX_AGE
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn memory_is_bounded_and_keeps_the_newest_sessions() {
        let max_bytes = 100 * SESSION_BYTES as u64;
        let sessions = Sessions::within(max_bytes);
        let session = |number| SessionId(Uuid::from_u128(number));
        for number in 0..1_000 {
            sessions.seen(session(number), Timestamp::UNIX_EPOCH);
        }
        sessions.0.run_pending_tasks();
        assert!(sessions.0.weighted_size() <= max_bytes);
        assert!(sessions.0.contains_key(&session(999)));
        assert!(!sessions.0.contains_key(&session(0)));
    }

    #[test]
    fn the_weight_of_a_session_includes_its_views_and_heartbeats() {
        let sessions = Sessions::default();
        let session = SessionId(Uuid::from_u128(1));
        let seen = sessions.seen(session, Timestamp::UNIX_EPOCH);
        for view in 0..MAX_VIEWS as u128 {
            let view = PageviewId(Uuid::from_u128(view));
            let grown = lock(&seen).view(view, Timestamp::UNIX_EPOCH);
            if grown.unwrap() {
                sessions.0.insert(session, Arc::clone(&seen));
            }
        }
        for beat in 0..u128::from(MAX_HEARTBEATS) {
            let id = EventId(Uuid::from_u128(beat));
            let grown = lock(&seen).beat(Some(id), Timestamp::UNIX_EPOCH);
            if grown.unwrap() {
                sessions.0.insert(session, Arc::clone(&seen));
            }
        }
        sessions.0.run_pending_tasks();
        let remembered = MAX_VIEWS + MAX_HEARTBEATS as usize;
        let bytes = (SESSION_BYTES + remembered * size_of::<u64>()) as u64;
        assert!(sessions.0.weighted_size() >= bytes);
    }
}

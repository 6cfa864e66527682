//! Bounds one session and one address, by what this instance remembers of sessions.
//!
//! Owns the bounds: new sessions of a page from an address, and views, heartbeats and time of a session.
//! The one rule: only beacons that would be accepted are remembered, so every entry costs its sender a
//! proven page or id. The memory is bounded, and each instance has its own: a session that several
//! instances serve, or one that was forgotten, may have more.

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
/// How long after its start a session takes views and heartbeats.
pub const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// How long a session is remembered without a beacon.
const FORGET_AFTER: Duration = Duration::from_hours(24);
/// Most bytes that sessions may take: some 150,000 of a few views and heartbeats each.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of a session without views and heartbeats, the cache's own included.
const SESSION_BYTES: usize = 320;

/// The sessions that this instance has seen lately.
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

/// What was seen of a session.
#[derive(Debug)]
struct Seen {
    since: Timestamp,
    heartbeats: u32,
    /// The varying halves of the ids of views: a view that is sent again counts once.
    views: Vec<u64>,
    /// The same of heartbeats that have an id.
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
                // The default keeps what was used often and would not take new sessions in.
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        )
    }

    /// What was seen of a session, which begins now if nothing was.
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

    /// Counts an event that is about to be published.
    ///
    /// # Errors
    /// Why it must not be.
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
            Body::PageLeft(_) | Body::BeaconRefused(_) => return Ok(()),
        };
        // The named session may have begun elsewhere, or may never begin. Both cost the same.
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
                // What came before it by its name may have happened later.
                Body::SessionStarted(_) => {
                    state.since = state.since.min(at);
                    false
                }
                Body::PageViewed(body) => state.view(body.pageview_id, at)?,
                // Without an id of its own it got one that no other has.
                Body::SessionHeartbeat(_) => {
                    state.beat(beacon.event_id.and(Some(event.event_id)), at)?
                }
                _ => false,
            }
        };
        if grown {
            // Weighs it again.
            self.0.insert(session, seen);
        }
        Ok(())
    }
}

impl Seen {
    /// Counts a view; true when it now takes more memory.
    fn view(&mut self, view: PageviewId, at: Timestamp) -> Result<bool, RefusalReason> {
        // The upper half holds the workspace, the tag and little else.
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

    /// Counts a heartbeat; true when it now takes more memory.
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

    /// What it takes besides itself.
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
    fn memory_is_bounded_and_the_newest_sessions_stay() {
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
    fn a_session_weighs_what_its_views_and_heartbeats_take() {
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

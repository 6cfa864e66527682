//! Consumer groups: who is a member, who reads what. In memory, in this process, because the broker is only this one.
//!
//! nisshi's own lets every join take half a session timeout (22 s by default) and writes to the file at every
//! heartbeat; committed offsets stay with it. A restart forgets members, and they join again as after a failover.
//! The rule to keep: a member learns of a new generation only by joining it; every answer in between says so.

mod coordinator;
mod group;
mod member;

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use nisshi_broker::coordinator::group::administrator::Controller;
use nisshi_sans_io::ErrorCode;
use nisshi_storage::ArcDynStorage;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use self::{
    group::Group,
    member::{Joined, Joiner},
};

/// The coordinator of all groups.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    offsets: Controller<ArcDynStorage>,
    stopping: CancellationToken,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// In every member id, so that an id from before a restart is nobody's.
    incarnation: u64,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    groups: HashMap<String, Group>,
    members_made: u64,
}

impl Groups {
    /// No groups yet; committed offsets are kept by `offsets`.
    pub(super) fn new(offsets: Controller<ArcDynStorage>, stopping: CancellationToken) -> Self {
        Self {
            offsets,
            stopping,
            shared: Arc::new(Shared {
                incarnation: RandomState::new().hash_one(0),
                state: Mutex::default(),
                changed: watch::Sender::new(()),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Groups are whole between two statements, so a panic elsewhere spoils nothing.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `step` on the group and wakes whoever waits for a change of it.
    fn with_group<T>(&self, name: &str, step: impl FnOnce(&mut Group, Instant) -> T) -> T {
        let now = Instant::now();
        let result = {
            let mut state = self.lock();
            let group = state.groups.entry(name.to_owned()).or_default();
            group.advance(now);
            let result = step(group, now);
            group.advance(now);
            result
        };
        self.shared.changed.send_replace(());
        result
    }

    /// Joins, and returns when the generation that the member belongs to has begun.
    async fn join_group(&self, name: &str, joiner: Joiner) -> Result<Joined, ErrorCode> {
        let made = {
            let mut state = self.lock();
            state.members_made += 1;
            state.members_made
        };
        let fresh_id = format!("{:x}-{made}", self.shared.incarnation);
        let mut changed = self.shared.changed.subscribe();
        let member_id = self.with_group(name, |group, now| group.join(joiner, fresh_id, now))?;
        loop {
            changed.mark_unchanged();
            let (place, wake_at) = {
                let now = Instant::now();
                let mut state = self.lock();
                let group = state.groups.entry(name.to_owned()).or_default();
                let begun = group.advance(now);
                let place = group.joined(&member_id);
                let wake_at = group.next_deadline(now);
                drop(state);
                if begun {
                    self.shared.changed.send_replace(());
                }
                (place, wake_at)
            };
            if let Some(place) = place {
                return place;
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = sleep_until(wake_at) => {}
                () = self.stopping.cancelled() => return Err(ErrorCode::CoordinatorNotAvailable),
            }
        }
    }

    /// Hands in the leader's assignments, and returns the member's own when there is one.
    async fn sync_group(
        &self,
        name: &str,
        member_id: &str,
        generation: i32,
        assignments: Vec<(String, Bytes)>,
    ) -> Result<Bytes, ErrorCode> {
        let mut changed = self.shared.changed.subscribe();
        self.with_group(name, |group, now| {
            group.check(member_id, generation, now)?;
            group.assign(member_id, assignments);
            Ok::<_, ErrorCode>(())
        })?;
        loop {
            changed.mark_unchanged();
            let (assigned, wake_at) = {
                let now = Instant::now();
                let mut state = self.lock();
                let group = state.groups.entry(name.to_owned()).or_default();
                group.advance(now);
                (
                    group.assigned(member_id, generation),
                    group.next_deadline(now),
                )
            };
            if let Some(assigned) = assigned {
                return assigned;
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = sleep_until(wake_at) => {}
                () = self.stopping.cancelled() => return Err(ErrorCode::CoordinatorNotAvailable),
            }
        }
    }

    fn beat(&self, name: &str, member_id: &str, generation: i32) -> Result<(), ErrorCode> {
        self.with_group(name, |group, now| {
            group.check(member_id, generation, now)?;
            group.settled()
        })
    }

    fn leave_group(&self, name: &str, member_id: &str) -> Result<(), ErrorCode> {
        self.with_group(name, |group, now| group.leave(member_id, now))
    }

    /// May this member, or this program outside of the group, commit offsets now?
    fn may_commit(&self, name: &str, member_id: &str, generation: i32) -> Result<(), ErrorCode> {
        self.with_group(name, |group, now| {
            if member_id.is_empty() && generation < 0 {
                return group
                    .is_empty()
                    .then_some(())
                    .ok_or(ErrorCode::UnknownMemberId);
            }
            group.check(member_id, generation, now)
        })
    }
}

/// A group that nobody asks again about is looked at once in this time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

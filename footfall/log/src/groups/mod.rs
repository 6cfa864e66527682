//! The coordinator of consumer groups: members join, share partitions, and are removed when they are silent.
//!
//! [`group`] makes the decisions. This file holds the groups, lets clients wait for their responses, and runs one clock
//! for all groups. Membership is in memory only, so clients join again after a restart. Committed offsets are in the
//! file.
//! The rule to keep: the clock sleeps until the earliest deadline. Without members it sleeps forever.

mod group;
mod member;
mod rounds;
#[cfg(test)]
mod tests;
mod view;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use kafka_protocol::ResponseError as Error;
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant as TokioInstant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use self::{
    group::SyncRequest,
    member::{Joined, Joiner, NotJoined, Synced},
    view::GroupView,
};
use self::{
    group::{Group, GroupLimits},
    member::{Reply, Ticket},
};
use crate::lock;

/// Maximum number of groups in memory.
const MAX_GROUPS: usize = 1_000;
/// Maximum number of members of one group.
const MAX_MEMBERS: usize = 1_000;
/// Bytes that all groups may hold for clients: metadata, assignments, names.
const MAX_HELD_BYTES: usize = 64 * 1024 * 1024;
/// Maximum bytes of a group's name, a static member's name, or a protocol type. Kafka limits only the whole message.
pub(crate) const MAX_NAME: usize = 1_024;
/// Maximum number of protocols of a member. Clients offer a few; each is compared with those of all other members.
const MAX_PROTOCOLS: usize = 100;
/// Characters of the client's name in a member id.
const MAX_NAME_IN_ID: usize = 200;
/// Long enough for all clients of a starting program to join, and too short to notice.
const FIRST_ROUND: Duration = Duration::from_millis(100);
/// Kafka's bounds of a session timeout.
const SESSION_MS: std::ops::RangeInclusive<u128> = 6_000..=1_800_000;

/// All groups.
#[derive(Debug)]
pub(crate) struct Groups {
    state: Mutex<State>,
    /// Wakes the clock when a deadline has become earlier.
    nearer: Notify,
    stopping: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    groups: BTreeMap<String, Group>,
    waiting: HashMap<Ticket, oneshot::Sender<Reply>>,
    next_ticket: Ticket,
    /// The time when the clock wakes.
    armed: Option<Instant>,
}

impl Groups {
    /// Starts without groups. Cancelling `stopping` ends all waiting requests.
    pub(crate) fn new(stopping: CancellationToken) -> Self {
        Self {
            state: Mutex::default(),
            nearer: Notify::new(),
            stopping,
        }
    }

    /// Removes silent members and ends rounds on time, until the broker stops.
    pub(crate) async fn run_clock(self: Arc<Self>) {
        loop {
            let deadline = self.advance_all(now());
            let sleep = async {
                match deadline {
                    Some(deadline) => sleep_until(TokioInstant::from_std(deadline)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => {}
                () = self.nearer.notified() => {}
                () = self.stopping.cancelled() => return,
            }
        }
    }

    /// Waits for a place in the next generation.
    pub(crate) async fn join(&self, group: &str, joiner: Joiner) -> Result<Joined, NotJoined> {
        let refuse = |error| NotJoined {
            error,
            member_id: joiner.member_id.clone(),
        };
        if group.is_empty() || group.len() > MAX_NAME {
            return Err(refuse(Error::InvalidGroupId));
        }
        let instance = joiner.instance.as_deref().unwrap_or_default();
        if instance.len() > MAX_NAME || joiner.protocol_type.len() > MAX_NAME {
            return Err(refuse(Error::InvalidRequest));
        }
        if joiner.protocols.len() > MAX_PROTOCOLS {
            return Err(refuse(Error::InconsistentGroupProtocol));
        }
        if !SESSION_MS.contains(&joiner.session.as_millis()) {
            return Err(refuse(Error::InvalidSessionTimeout));
        }
        let fresh_id = fresh_id(&joiner);
        let wait = {
            let mut state = self.lock();
            // The broker has restarted or forgotten the group. After this error the client joins
            // again without its id.
            if !joiner.member_id.is_empty() && !state.groups.contains_key(group) {
                return Err(refuse(Error::UnknownMemberId));
            }
            let held: usize = state.groups.values().map(Group::held_bytes).sum();
            let new = !state.groups.contains_key(group);
            if held > MAX_HELD_BYTES || (new && state.groups.len() >= MAX_GROUPS) {
                return Err(refuse(Error::GroupMaxSizeReached));
            }
            self.ask(&mut state, group, |group, ticket, now| {
                group.join(&joiner, fresh_id, ticket, now);
            })
        };
        match self.answer(wait).await {
            Some(Reply::Joined(outcome)) => outcome,
            _ => Err(refuse(Error::NotCoordinator)),
        }
    }

    /// Waits for the assignment in the current generation.
    pub(crate) async fn sync(&self, group: &str, request: SyncRequest) -> Result<Synced, Error> {
        let wait = {
            let mut state = self.lock();
            if !state.groups.contains_key(group) {
                return Err(Error::UnknownMemberId);
            }
            let size: usize = request
                .assignments
                .iter()
                .map(|(_, share)| share.len())
                .sum();
            let held: usize = state.groups.values().map(Group::held_bytes).sum();
            if held.saturating_add(size) > MAX_HELD_BYTES {
                return Err(Error::GroupMaxSizeReached);
            }
            self.ask(&mut state, group, |group, ticket, now| {
                group.sync(request, ticket, now);
            })
        };
        match self.answer(wait).await {
            Some(Reply::Synced(synced)) => synced,
            _ => Err(Error::NotCoordinator),
        }
    }

    /// Handles a member's heartbeat.
    pub(crate) fn heartbeat(
        &self,
        group: &str,
        member_id: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(), Error> {
        self.with(group, |group, now| {
            group.heartbeat(member_id, instance, generation, now)
        })
        .unwrap_or(Err(Error::UnknownMemberId))
    }

    /// Removes a member that leaves.
    pub(crate) fn leave(
        &self,
        group: &str,
        member_id: &str,
        instance: Option<&str>,
    ) -> Result<(), Error> {
        self.with(group, |group, now| group.leave(member_id, instance, now))
            .unwrap_or(Err(Error::UnknownMemberId))
    }

    /// Checks that this member, or a client outside the group, may commit offsets now.
    pub(crate) fn check_commit(
        &self,
        group: &str,
        member_id: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(), Error> {
        let checked = self.with(group, |group, now| {
            group.check_commit(member_id, instance, generation, now)
        });
        // The group has no members, so refuse only clients that claim a generation.
        checked.unwrap_or(if generation < 0 {
            Ok(())
        } else {
            Err(Error::IllegalGeneration)
        })
    }

    /// Describes a group that the coordinator knows.
    pub(crate) fn view(&self, group: &str) -> Option<GroupView> {
        self.lock().groups.get(group).map(Group::view)
    }

    /// Describes all known groups, by name.
    pub(crate) fn views(&self) -> Vec<(String, GroupView)> {
        let state = self.lock();
        let groups = state.groups.iter();
        groups
            .map(|(name, group)| (name.clone(), group.view()))
            .collect()
    }

    /// Whether a group has no members.
    pub(crate) fn is_empty(&self, group: &str) -> bool {
        self.lock().groups.get(group).is_none_or(Group::is_empty)
    }

    /// Sends a request to a group and returns the receiver of its reply. Creates the group if necessary.
    fn ask(
        &self,
        state: &mut State,
        name: &str,
        put: impl FnOnce(&mut Group, Ticket, Instant),
    ) -> oneshot::Receiver<Reply> {
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let (sender, receiver) = oneshot::channel();
        state.waiting.insert(ticket, sender);
        let limits = GroupLimits {
            members: MAX_MEMBERS,
            first_round: FIRST_ROUND,
        };
        let group = state.groups.entry(name.to_owned());
        let group = group.or_insert_with(|| Group::new(limits));
        put(group, ticket, now());
        self.settle(state, name);
        receiver
    }

    /// Applies a function to an existing group.
    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Group, Instant) -> T) -> Option<T> {
        let mut state = self.lock();
        let done = act(state.groups.get_mut(name)?, now());
        self.settle(&mut state, name);
        Some(done)
    }

    /// Sends the replies of a group, forgets it if it is unused, and wakes the clock if its next deadline is earlier.
    fn settle(&self, state: &mut State, name: &str) {
        let Some(group) = state.groups.get_mut(name) else {
            return;
        };
        let replies = group.take_replies();
        let deadline = group.next_deadline();
        if group.is_unused() {
            state.groups.remove(name);
        }
        for (ticket, reply) in replies {
            if let Some(waiting) = state.waiting.remove(&ticket) {
                // Ignore a closed connection: the session of that member will expire.
                drop(waiting.send(reply));
            }
        }
        if let Some(deadline) = deadline
            && state.armed.is_none_or(|armed| deadline < armed)
        {
            state.armed = Some(deadline);
            self.nearer.notify_one();
        }
    }

    /// Advances every group with a due deadline, and returns the next deadline.
    fn advance_all(&self, now: Instant) -> Option<Instant> {
        let mut state = self.lock();
        let due: Vec<String> = state
            .groups
            .iter()
            .filter(|(_, group)| group.next_deadline().is_some_and(|due| due <= now))
            .map(|(name, _)| name.clone())
            .collect();
        for name in due {
            if let Some(group) = state.groups.get_mut(&name) {
                group.advance(now);
            }
            self.settle(&mut state, &name);
        }
        let deadlines = state.groups.values().filter_map(Group::next_deadline);
        state.armed = deadlines.min();
        state.armed
    }

    async fn answer(&self, wait: oneshot::Receiver<Reply>) -> Option<Reply> {
        tokio::select! {
            // A reply wins over a simultaneous stop.
            biased;
            reply = wait => reply.ok(),
            () = self.stopping.cancelled() => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock::lock(&self.state)
    }
}

/// The time on the clock that the timers use, so that tests can pause it.
fn now() -> Instant {
    TokioInstant::now().into_std()
}

/// Creates a member id like Kafka's: the client's or instance's name, then a random part.
fn fresh_id(joiner: &Joiner) -> String {
    let name = joiner.instance.as_ref().unwrap_or(&joiner.client_id);
    let name: String = name.chars().take(MAX_NAME_IN_ID).collect();
    #[expect(
        clippy::disallowed_methods,
        reason = "ids of members live in memory and are never compared with anything kept"
    )]
    let unique = Uuid::new_v4();
    format!("{name}-{unique}")
}

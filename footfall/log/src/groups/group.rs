//! The state machine of one consumer group. It does no I/O: the caller passes the time in and takes the replies out.
//!
//! Follows Kafka's classic group protocol. [`super::rounds`] begins and ends the rounds of joining.
//! The rule to keep: answer every ticket exactly once.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use bytes::Bytes;
use kafka_protocol::ResponseError as Error;

use super::member::{Joined, Joiner, Member, NotJoined, Reply, Synced, Ticket};

/// The limits of a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupLimits {
    /// Maximum number of members.
    pub(crate) members: usize,
    /// How long the first round of an empty group waits for more members after each new one. Members that start
    /// together then share the first generation.
    pub(crate) first_round: Duration,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Empty,
    /// Members send their protocols and metadata.
    Joining,
    /// The group waits for the leader's assignments.
    Assigning,
    Stable,
}

/// A round of joining.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) ends: Instant,
    /// The latest possible value of `ends`.
    pub(super) ends_at_most: Instant,
    /// Whether the group was empty before. Such a round ends only by time.
    pub(super) first: bool,
}

/// One group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(super) limits: GroupLimits,
    pub(super) state: State,
    pub(super) generation: i32,
    pub(super) protocol_type: String,
    pub(super) protocol: String,
    pub(super) leader: Option<String>,
    pub(super) members: BTreeMap<String, Member>,
    /// Ids of static members, by instance name.
    pub(super) statics: HashMap<String, String>,
    /// Assigned ids that no client has used yet, with their expiry.
    pub(super) pending: HashMap<String, Instant>,
    pub(super) round: Option<Round>,
    /// The deadline for members to ask for their assignment. Later, they are removed.
    pub(super) sync_ends: Option<Instant>,
    replies: Vec<(Ticket, Reply)>,
}

impl Group {
    pub(crate) fn new(limits: GroupLimits) -> Self {
        Self {
            limits,
            state: State::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: String::new(),
            leader: None,
            members: BTreeMap::new(),
            statics: HashMap::new(),
            pending: HashMap::new(),
            round: None,
            sync_ends: None,
            replies: Vec::new(),
        }
    }

    /// Whether the group can be forgotten without losing anything.
    pub(crate) fn is_unused(&self) -> bool {
        self.members.is_empty() && self.pending.is_empty() && self.round.is_none()
    }

    /// Whether the group has no members.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.state == State::Empty
    }

    /// Takes the replies that became due.
    pub(crate) fn take_replies(&mut self) -> Vec<(Ticket, Reply)> {
        std::mem::take(&mut self.replies)
    }

    /// Bytes that the group holds for clients.
    pub(crate) fn held_bytes(&self) -> usize {
        let members = self.members.iter();
        let members: usize = members
            .map(|(id, member)| id.len() + member.held_bytes())
            .sum();
        members + self.pending.keys().map(String::len).sum::<usize>()
    }

    /// Handles a client's request to join the next generation. `fresh_id` becomes its id if it has none.
    pub(crate) fn join(&mut self, joiner: &Joiner, fresh_id: String, ticket: Ticket, now: Instant) {
        let known_id = joiner.member_id.clone();
        if let Err(error) = self.try_join(joiner, fresh_id, ticket, now) {
            self.refuse(ticket, error, known_id);
        }
    }

    fn try_join(
        &mut self,
        joiner: &Joiner,
        fresh_id: String,
        ticket: Ticket,
        now: Instant,
    ) -> Result<(), Error> {
        if !self.fits(joiner) {
            return Err(Error::InconsistentGroupProtocol);
        }
        let id = &joiner.member_id;
        if id.is_empty() {
            return self.join_unknown(joiner, fresh_id, ticket, now);
        }
        if self.pending.remove(id).is_some() {
            self.add(id.clone(), joiner, ticket, now);
            return Ok(());
        }
        self.check_identity(id, joiner.instance.as_deref())?;
        let Some(member) = self.members.get_mut(id) else {
            return Err(Error::UnknownMemberId);
        };
        let same = member.protocols == joiner.protocols;
        let leads = self.leader.as_ref() == Some(id);
        let place_stands = match self.state {
            State::Empty => return Err(Error::UnknownMemberId),
            State::Joining => false,
            // The first response may have been lost; the generation has not changed.
            State::Assigning => same,
            // A leader that joins again requests a new assignment, for example because a topic grew.
            State::Stable => same && !leads,
        };
        if place_stands {
            member.beat(now);
            let place = self.place(id, leads && self.state == State::Assigning);
            self.reply(ticket, Reply::Joined(Ok(place)));
            return Ok(());
        }
        member.renew(joiner, now);
        let former = member.joining.replace(ticket);
        if let Some(former) = former {
            self.refuse(former, Error::RebalanceInProgress, id.clone());
        }
        self.open_round(now);
        self.end_round_if_complete(now);
        Ok(())
    }

    fn join_unknown(
        &mut self,
        joiner: &Joiner,
        fresh_id: String,
        ticket: Ticket,
        now: Instant,
    ) -> Result<(), Error> {
        // A restarted static member reuses its place, so the limit below does not apply.
        if let Some(former) = joiner
            .instance
            .as_ref()
            .and_then(|name| self.statics.get(name))
        {
            let former = former.clone();
            self.replace(&former, fresh_id, joiner, ticket, now);
            return Ok(());
        }
        if self.members.len() + self.pending.len() >= self.limits.members {
            return Err(Error::GroupMaxSizeReached);
        }
        if joiner.needs_id && joiner.instance.is_none() {
            self.pending.insert(fresh_id.clone(), now + joiner.session);
            self.refuse(ticket, Error::MemberIdRequired, fresh_id);
            return Ok(());
        }
        self.add(fresh_id, joiner, ticket, now);
        Ok(())
    }

    fn add(&mut self, id: String, joiner: &Joiner, ticket: Ticket, now: Instant) {
        if self.members.is_empty() {
            self.protocol_type.clone_from(&joiner.protocol_type);
        }
        if let Some(name) = &joiner.instance {
            self.statics.insert(name.clone(), id.clone());
        }
        self.members.insert(id, Member::new(joiner, ticket, now));
        self.extend_first_round(now);
        self.open_round(now);
        self.end_round_if_complete(now);
    }

    /// Replaces a static member by a restarted instance with the same name, and fences the former one.
    fn replace(
        &mut self,
        former_id: &str,
        id: String,
        joiner: &Joiner,
        ticket: Ticket,
        now: Instant,
    ) {
        let Some(mut former) = self.members.remove(former_id) else {
            self.add(id, joiner, ticket, now);
            return;
        };
        if let Some(waiting) = former.joining.take() {
            self.refuse(waiting, Error::FencedInstanceId, former_id.to_owned());
        }
        if let Some(waiting) = former.syncing.take() {
            self.reply(waiting, Reply::Synced(Err(Error::FencedInstanceId)));
        }
        let led = self.leader.as_deref() == Some(former_id);
        if led {
            self.leader = Some(id.clone());
        }
        if let Some(name) = &joiner.instance {
            self.statics.insert(name.clone(), id.clone());
        }
        let mut member = Member::new(joiner, ticket, now);
        member.assignment = former.assignment;
        member.synced = former.synced;
        self.members.insert(id.clone(), member);
        if self.state == State::Stable && self.choose_protocol() == self.protocol {
            // Nothing changes for the other members, so the instance keeps the place without a new round.
            if let Some(member) = self.members.get_mut(&id) {
                member.joining = None;
            }
            let mut place = self.place(&id, led && joiner.may_skip_assignment);
            if led && joiner.may_skip_assignment {
                place.skip_assignment = true;
            } else if led {
                // A client that cannot skip the assignment must not learn that it leads: without the list of members
                // it would compute a wrong assignment.
                former_id.clone_into(&mut place.leader);
            }
            self.reply(ticket, Reply::Joined(Ok(place)));
            return;
        }
        self.open_round(now);
        self.end_round_if_complete(now);
    }

    /// Handles a member's request for its assignment. The leader's request brings the assignments of all members.
    pub(crate) fn sync(&mut self, request: SyncRequest, ticket: Ticket, now: Instant) {
        if let Err(error) = self.try_sync(request, ticket, now) {
            self.reply(ticket, Reply::Synced(Err(error)));
        }
    }

    fn try_sync(
        &mut self,
        request: SyncRequest,
        ticket: Ticket,
        now: Instant,
    ) -> Result<(), Error> {
        let id = request.member_id;
        self.check_identity(&id, request.instance.as_deref())?;
        self.check_generation(request.generation)?;
        let differs = |asked: Option<String>, ours: &str| asked.is_some_and(|asked| asked != ours);
        if differs(request.protocol_type, &self.protocol_type)
            || differs(request.protocol, &self.protocol)
        {
            return Err(Error::InconsistentGroupProtocol);
        }
        match self.state {
            State::Empty => return Err(Error::UnknownMemberId),
            State::Joining => return Err(Error::RebalanceInProgress),
            State::Assigning | State::Stable => {}
        }
        let member = self.members.get_mut(&id).ok_or(Error::UnknownMemberId)?;
        member.beat(now);
        member.synced = true;
        if self.state == State::Stable {
            let assignment = member.assignment.clone();
            let synced = self.share(assignment);
            self.reply(ticket, Reply::Synced(Ok(synced)));
            return Ok(());
        }
        if let Some(former) = member.syncing.replace(ticket) {
            self.reply(former, Reply::Synced(Err(Error::RebalanceInProgress)));
        }
        if self.leader.as_ref() == Some(&id) {
            self.assign(request.assignments, now);
        }
        Ok(())
    }

    fn assign(&mut self, assignments: Vec<(String, Bytes)>, now: Instant) {
        for member in self.members.values_mut() {
            member.assignment = Bytes::new();
        }
        for (id, assignment) in assignments {
            if let Some(member) = self.members.get_mut(&id) {
                member.assignment = assignment;
            }
        }
        self.state = State::Stable;
        let mut due = Vec::new();
        for member in self.members.values_mut() {
            if let Some(ticket) = member.syncing.take() {
                member.beat(now);
                due.push((ticket, member.assignment.clone()));
            }
        }
        for (ticket, assignment) in due {
            let synced = self.share(assignment);
            self.reply(ticket, Reply::Synced(Ok(synced)));
        }
    }

    /// Handles a member's heartbeat.
    pub(crate) fn heartbeat(
        &mut self,
        member_id: &str,
        instance: Option<&str>,
        generation: i32,
        now: Instant,
    ) -> Result<(), Error> {
        self.check_identity(member_id, instance)?;
        self.check_generation(generation)?;
        let member = self.members.get_mut(member_id);
        member.ok_or(Error::UnknownMemberId)?.beat(now);
        match self.state {
            State::Empty => Err(Error::UnknownMemberId),
            State::Joining => Err(Error::RebalanceInProgress),
            State::Assigning | State::Stable => Ok(()),
        }
    }

    /// Removes a member and rebalances the others. Finds a static member without an id by its name.
    pub(crate) fn leave(
        &mut self,
        member_id: &str,
        instance: Option<&str>,
        now: Instant,
    ) -> Result<(), Error> {
        let id = match instance {
            Some(name) if member_id.is_empty() => {
                let id = self.statics.get(name).ok_or(Error::UnknownMemberId)?;
                id.clone()
            }
            _ => member_id.to_owned(),
        };
        if self.pending.remove(&id).is_some() {
            self.end_round_if_complete(now);
            return Ok(());
        }
        self.check_identity(&id, instance)?;
        self.remove(&id, Error::UnknownMemberId);
        self.open_round(now);
        self.end_round_if_complete(now);
        Ok(())
    }

    /// Checks that this member, or a client outside the group, may commit offsets now.
    pub(crate) fn check_commit(
        &mut self,
        member_id: &str,
        instance: Option<&str>,
        generation: i32,
        now: Instant,
    ) -> Result<(), Error> {
        if generation < 0 && member_id.is_empty() && instance.is_none() {
            // A client that assigns its own partitions must not overwrite the offsets of an active group.
            return if self.state == State::Empty {
                Ok(())
            } else {
                Err(Error::UnknownMemberId)
            };
        }
        self.check_identity(member_id, instance)?;
        self.check_generation(generation)?;
        let member = self.members.get_mut(member_id);
        member.ok_or(Error::UnknownMemberId)?.beat(now);
        match self.state {
            State::Assigning => Err(Error::RebalanceInProgress),
            // Members commit their progress before they join again.
            State::Empty | State::Joining | State::Stable => Ok(()),
        }
    }

    /// A member's place in this generation.
    pub(super) fn place(&self, id: &str, with_members: bool) -> Joined {
        let everybody = self.members.iter().map(|(id, member)| {
            let metadata = member.metadata(&self.protocol);
            (id.clone(), member.instance.clone(), metadata)
        });
        Joined {
            member_id: id.to_owned(),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            members: if with_members {
                everybody.collect()
            } else {
                Vec::new()
            },
            skip_assignment: false,
        }
    }

    fn share(&self, assignment: Bytes) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment,
        }
    }

    pub(super) fn reply(&mut self, ticket: Ticket, reply: Reply) {
        self.replies.push((ticket, reply));
    }

    pub(super) fn refuse(&mut self, ticket: Ticket, error: Error, member_id: String) {
        self.reply(ticket, Reply::Joined(Err(NotJoined { error, member_id })));
    }

    fn check_generation(&self, generation: i32) -> Result<(), Error> {
        if generation == self.generation {
            Ok(())
        } else {
            Err(Error::IllegalGeneration)
        }
    }

    /// Checks that the member is in the group, and that a static member still holds its name.
    fn check_identity(&self, member_id: &str, instance: Option<&str>) -> Result<(), Error> {
        if let Some(name) = instance {
            let holder = self.statics.get(name).ok_or(Error::UnknownMemberId)?;
            if holder != member_id {
                return Err(Error::FencedInstanceId);
            }
        }
        if self.members.contains_key(member_id) {
            Ok(())
        } else {
            Err(Error::UnknownMemberId)
        }
    }

    /// Whether the client offers a protocol that all other members support.
    fn fits(&self, joiner: &Joiner) -> bool {
        if joiner.protocol_type.is_empty() || joiner.protocols.is_empty() {
            return false;
        }
        if self.members.is_empty() {
            return true;
        }
        let others = || {
            let members = self.members.iter();
            members.filter(|(id, _)| **id != joiner.member_id)
        };
        self.protocol_type == joiner.protocol_type
            && joiner
                .protocols
                .iter()
                .any(|(name, _)| others().all(|(_, member)| member.supports(name)))
    }
}

/// A request for an assignment.
#[derive(Debug)]
pub(crate) struct SyncRequest {
    pub(crate) member_id: String,
    pub(crate) instance: Option<String>,
    pub(crate) generation: i32,
    /// The protocol that the client expects; older clients do not send it.
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    /// The assignments of all members, sent by the leader.
    pub(crate) assignments: Vec<(String, Bytes)>,
}

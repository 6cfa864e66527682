//! Rounds of joining: begins and ends them, elects leaders, and removes silent members.
//!
//! The rule to keep: only [`Group::end_round`] changes the generation.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use kafka_protocol::ResponseError as Error;

use super::{
    group::{Group, Round, State},
    member::{Member, Reply},
};

/// The minimum extension of a round that no member has joined. Without it, a group with rebalance timeouts of 0 would
/// keep the clock busy.
const LONGER: Duration = Duration::from_secs(1);

impl Group {
    /// Begins a round in which all members must join again, unless one is open.
    pub(super) fn open_round(&mut self, now: Instant) {
        let first = match self.state {
            State::Joining => return,
            State::Empty if self.members.is_empty() => return,
            State::Empty => true,
            State::Assigning | State::Stable => false,
        };
        self.refuse_waiting_syncs(now);
        let patience = now + self.longest_rebalance();
        let ends = if first {
            (now + self.limits.first_round).min(patience)
        } else {
            patience
        };
        self.state = State::Joining;
        self.sync_ends = None;
        self.round = Some(Round {
            ends,
            ends_at_most: patience,
            first,
        });
    }

    /// Extends the first round after a member has joined, because others may follow.
    pub(super) fn extend_first_round(&mut self, now: Instant) {
        let first_round = self.limits.first_round;
        if let Some(round) = self.round.as_mut().filter(|round| round.first) {
            round.ends = (now + first_round).min(round.ends_at_most);
        }
    }

    /// Ends the round if all members have joined. The first round ends only by time.
    pub(super) fn end_round_if_complete(&mut self, now: Instant) {
        let complete =
            self.pending.is_empty() && self.members.values().all(|member| member.joining.is_some());
        if complete && self.round.is_some_and(|round| !round.first) {
            self.end_round(now);
        }
    }

    /// Handles all expired deadlines.
    pub(crate) fn advance(&mut self, now: Instant) {
        self.pending.retain(|_, ends| *ends > now);
        let silent = |member: &Member| !member.waits() && member.expires <= now;
        self.drop_members(silent, now);
        if self.sync_ends.is_some_and(|ends| ends <= now) {
            self.sync_ends = None;
            // Members that never asked for their assignment would hold partitions without reading them.
            self.drop_members(|member| !member.synced, now);
        }
        self.end_round_if_complete(now);
        if self.round.is_some_and(|round| round.ends <= now) {
            self.end_round(now);
        }
    }

    /// Removes the lost members, and rebalances the others.
    fn drop_members(&mut self, lost: impl Fn(&Member) -> bool, now: Instant) {
        let lost: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| lost(member))
            .map(|(id, _)| id.clone())
            .collect();
        for id in &lost {
            self.remove(id, Error::UnknownMemberId);
        }
        if !lost.is_empty() {
            self.open_round(now);
        }
    }

    /// The time when [`Group::advance`] is due, unless a request changes it.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let pending = self.pending.values().copied();
        let silent = self.members.values().filter(|member| !member.waits());
        let silent = silent.map(|member| member.expires);
        let rounds = self.round.iter().map(|round| round.ends);
        pending
            .chain(silent)
            .chain(rounds)
            .chain(self.sync_ends)
            .min()
    }

    /// Begins the next generation with the members that joined and all static members.
    fn end_round(&mut self, now: Instant) {
        let gone: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| member.joining.is_none() && member.instance.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            self.remove(&id, Error::UnknownMemberId);
        }
        if self.members.is_empty() {
            self.generation = self.generation.saturating_add(1);
            self.state = State::Empty;
            self.protocol.clear();
            self.leader = None;
            self.round = None;
            return;
        }
        if !self.elect() {
            // Only static members are left, and none has joined. The round continues until one joins or all have
            // expired.
            let ends = now + self.longest_rebalance().max(LONGER);
            self.round = Some(Round {
                ends,
                ends_at_most: ends,
                first: false,
            });
            return;
        }
        self.generation = self.generation.saturating_add(1);
        self.protocol = self.choose_protocol();
        self.state = State::Assigning;
        self.round = None;
        self.sync_ends = Some(now + self.longest_rebalance());
        let mut due = Vec::new();
        for (id, member) in &mut self.members {
            member.assignment = Bytes::new();
            member.synced = false;
            member.beat(now);
            if let Some(ticket) = member.joining.take() {
                due.push((ticket, id.clone()));
            }
        }
        for (ticket, id) in due {
            let leads = self.leader.as_ref() == Some(&id);
            let joined = self.place(&id, leads);
            self.reply(ticket, Reply::Joined(Ok(joined)));
        }
    }

    /// Keeps the leader if it joined again, or elects another member. Returns `false` if no member joined.
    fn elect(&mut self) -> bool {
        let is_here = |id: &String| {
            let member = self.members.get(id);
            member.is_some_and(|member| member.joining.is_some())
        };
        if self.leader.as_ref().is_some_and(is_here) {
            return true;
        }
        let mut here = self.members.keys().filter(|id| is_here(id));
        match here.next().cloned() {
            Some(id) => {
                self.leader = Some(id);
                true
            }
            None => false,
        }
    }

    /// Chooses the protocol by votes. Each member votes for its first protocol that all members support.
    pub(super) fn choose_protocol(&self) -> String {
        let mut votes: HashMap<&str, usize> = HashMap::new();
        for member in self.members.values() {
            let wanted = member.protocols.iter().map(|(name, _)| name.as_str());
            let mut common =
                wanted.filter(|name| self.members.values().all(|other| other.supports(name)));
            if let Some(name) = common.next() {
                *votes.entry(name).or_default() += 1;
            }
        }
        let winner = votes.into_iter().max_by_key(|(name, votes)| {
            // Break ties by name, so that the choice is always the same.
            (*votes, std::cmp::Reverse(*name))
        });
        winner.map(|(name, _)| name.to_owned()).unwrap_or_default()
    }

    /// Removes a member, and answers its waiting requests with an error.
    pub(super) fn remove(&mut self, id: &str, error: Error) {
        let Some(member) = self.members.remove(id) else {
            return;
        };
        if let Some(name) = &member.instance
            && self.statics.get(name).is_some_and(|holder| holder == id)
        {
            self.statics.remove(name);
        }
        if let Some(ticket) = member.joining {
            self.refuse(ticket, error, id.to_owned());
        }
        if let Some(ticket) = member.syncing {
            self.reply(ticket, Reply::Synced(Err(error)));
        }
        if self.leader.as_deref() == Some(id) {
            self.leader = None;
        }
    }

    fn refuse_waiting_syncs(&mut self, now: Instant) {
        let mut waiting = Vec::new();
        for member in self.members.values_mut() {
            if let Some(ticket) = member.syncing.take() {
                // It may have waited longer than its session. Give it time to join again.
                member.beat(now);
                waiting.push(ticket);
            }
        }
        for ticket in waiting {
            self.reply(ticket, Reply::Synced(Err(Error::RebalanceInProgress)));
        }
    }

    fn longest_rebalance(&self) -> Duration {
        let members = self.members.values();
        members
            .map(|member| member.rebalance)
            .max()
            .unwrap_or_default()
    }
}

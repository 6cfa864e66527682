//! One consumer group: its members and the round it is in. Pure: time comes in, nothing waits here.
//!
//! The rule to keep: `generation` changes in one place, when a round of joining ends, and nowhere else.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use nisshi_sans_io::ErrorCode;
use tokio::time::Instant;

use super::{
    LOOK_AGAIN,
    member::{Joined, Joiner, Member},
};

/// How long the first member of an empty group waits for others, so that several that start together share at once.
const FIRST_ROUND: Duration = Duration::from_millis(100);
/// What a client asks for is kept between these.
const SESSION: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Round {
    #[default]
    Empty,
    /// Members hand in what they want. The first round of an empty group waits a fixed while for more of them.
    Joining {
        opened: Instant,
        first: bool,
    },
    /// The leader is asked for the assignments.
    Assigning,
    Stable,
}

/// One group.
#[derive(Debug, Default)]
pub(super) struct Group {
    generation: i32,
    round: Round,
    protocol_type: String,
    protocol: String,
    leader: String,
    members: BTreeMap<String, Member>,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// A member, old or new, asks for a place in the next generation; its id.
    pub(super) fn join(
        &mut self,
        mut joiner: Joiner,
        fresh_id: String,
        now: Instant,
    ) -> Result<String, ErrorCode> {
        let fits = self.members.is_empty()
            || self.protocol_type == joiner.protocol_type
                && self.members.values().all(|member| {
                    let names = member.wanted.protocols.iter();
                    names
                        .clone()
                        .any(|(name, _)| joiner.protocols.iter().any(|(other, _)| other == name))
                });
        if !fits || joiner.protocols.is_empty() {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        if joiner.member_id.is_empty() {
            // A named instance that starts again takes the place of its former self.
            if joiner.instance_id.is_some() {
                let instance = joiner.instance_id.clone();
                self.members
                    .retain(|_, member| member.wanted.instance_id != instance);
            }
            joiner.member_id = fresh_id;
        } else if !self.members.contains_key(&joiner.member_id) {
            return Err(ErrorCode::UnknownMemberId);
        }
        joiner.session = joiner.session.clamp(SESSION.0, SESSION.1);
        self.protocol_type.clone_from(&joiner.protocol_type);
        let id = joiner.member_id.clone();
        let member = Member {
            wanted: joiner,
            joining: true,
            seen: now,
            assignment: None,
        };
        self.members.insert(id.clone(), member);
        self.open_round(now);
        Ok(id)
    }

    /// Removes a member; the others join again.
    pub(super) fn leave(&mut self, member_id: &str, now: Instant) -> Result<(), ErrorCode> {
        self.members
            .remove(member_id)
            .ok_or(ErrorCode::UnknownMemberId)?;
        self.open_round(now);
        Ok(())
    }

    /// The member is alive, and of this generation.
    pub(super) fn check(
        &mut self,
        member_id: &str,
        generation: i32,
        now: Instant,
    ) -> Result<(), ErrorCode> {
        let member = self
            .members
            .get_mut(member_id)
            .ok_or(ErrorCode::UnknownMemberId)?;
        member.seen = now;
        if generation == self.generation {
            Ok(())
        } else {
            Err(ErrorCode::IllegalGeneration)
        }
    }

    /// Nobody has to join again.
    pub(super) fn settled(&self) -> Result<(), ErrorCode> {
        match self.round {
            Round::Joining { .. } => Err(ErrorCode::RebalanceInProgress),
            Round::Empty | Round::Assigning | Round::Stable => Ok(()),
        }
    }

    /// Takes the assignments, if they come from the leader and are awaited.
    pub(super) fn assign(&mut self, member_id: &str, assignments: Vec<(String, Bytes)>) {
        if self.round != Round::Assigning || member_id != self.leader {
            return;
        }
        for member in self.members.values_mut() {
            member.assignment = Some(Bytes::new());
        }
        for (id, assignment) in assignments {
            if let Some(member) = self.members.get_mut(&id) {
                member.assignment = Some(assignment);
            }
        }
        self.round = Round::Stable;
    }

    /// The member's assignment, or why it gets none; `None` while the leader has not answered.
    pub(super) fn assigned(
        &self,
        member_id: &str,
        generation: i32,
    ) -> Option<Result<Bytes, ErrorCode>> {
        let Some(member) = self.members.get(member_id) else {
            return Some(Err(ErrorCode::UnknownMemberId));
        };
        if generation != self.generation || matches!(self.round, Round::Joining { .. }) {
            return Some(Err(ErrorCode::RebalanceInProgress));
        }
        (self.round == Round::Stable).then(|| Ok(member.assignment.clone().unwrap_or_default()))
    }

    /// The member's place, once the round of joining is over; `None` before.
    pub(super) fn joined(&self, member_id: &str) -> Option<Result<Joined, ErrorCode>> {
        let Some(member) = self.members.get(member_id) else {
            return Some(Err(ErrorCode::UnknownMemberId));
        };
        if member.joining {
            return None;
        }
        let everybody = self.members.iter().map(|(id, member)| {
            let metadata = member.metadata(&self.protocol);
            (id.clone(), member.wanted.instance_id.clone(), metadata)
        });
        Some(Ok(Joined {
            member_id: member_id.to_owned(),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            members: if member_id == self.leader {
                everybody.collect()
            } else {
                Vec::new()
            },
        }))
    }

    /// Drops the silent, ends the round of joining when it is due. Whether a generation began.
    pub(super) fn advance(&mut self, now: Instant) -> bool {
        let before = self.members.len();
        // Whoever waits in a join is being answered, not silent.
        self.members
            .retain(|_, member| member.joining || now < member.seen + member.wanted.session);
        if self.members.len() < before {
            self.open_round(now);
        }
        let Round::Joining { first, .. } = self.round else {
            return false;
        };
        let all_here = self.members.values().all(|member| member.joining);
        let due = self.round_ends().is_some_and(|end| now >= end);
        if !due && (first || !all_here) {
            return false;
        }
        self.members.retain(|_, member| member.joining);
        self.begin_generation(now);
        true
    }

    /// When `advance` may have something to do without anybody's doing.
    pub(super) fn next_deadline(&self, now: Instant) -> Instant {
        let later = now + LOOK_AGAIN;
        self.round_ends().map_or(later, |end| end.min(later))
    }

    fn round_ends(&self) -> Option<Instant> {
        let Round::Joining { opened, first } = self.round else {
            return None;
        };
        if first {
            return Some(opened + FIRST_ROUND);
        }
        let patience = self.members.values().map(|member| member.wanted.rebalance);
        Some(opened + patience.max().unwrap_or_default())
    }

    fn open_round(&mut self, now: Instant) {
        match self.round {
            _ if self.members.is_empty() => self.round = Round::Empty,
            Round::Empty => {
                self.round = Round::Joining {
                    opened: now,
                    first: true,
                }
            }
            Round::Joining { .. } => {}
            Round::Assigning | Round::Stable => {
                self.round = Round::Joining {
                    opened: now,
                    first: false,
                };
            }
        }
    }

    fn begin_generation(&mut self, now: Instant) {
        self.generation += 1;
        for member in self.members.values_mut() {
            member.joining = false;
            member.seen = now;
            member.assignment = None;
        }
        if !self.members.contains_key(&self.leader) {
            self.leader = self.members.keys().next().cloned().unwrap_or_default();
        }
        let preferred = self
            .members
            .get(&self.leader)
            .map(|leader| &leader.wanted.protocols);
        let common = preferred.into_iter().flatten().find(|(name, _)| {
            let members = self.members.values();
            members.clone().all(|member| {
                member
                    .wanted
                    .protocols
                    .iter()
                    .any(|(other, _)| other == name)
            })
        });
        self.protocol = common.map(|(name, _)| name.clone()).unwrap_or_default();
        self.round = if self.members.is_empty() {
            Round::Empty
        } else {
            Round::Assigning
        };
    }
}

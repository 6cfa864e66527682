//! Tests the decisions of a group, with a clock under the test's control.

mod bounds;
mod statics;

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::ResponseError as Error;

use super::{
    SyncRequest,
    group::{Group, GroupLimits},
    member::{Joined, Joiner, Reply, Synced, Ticket},
};

const FIRST_ROUND: Duration = Duration::from_millis(100);
const SESSION: Duration = Duration::from_secs(10);
const REBALANCE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

/// A group with its clock and the replies so far.
struct Scene {
    group: Group,
    now: Instant,
    tickets: Ticket,
    ids: u32,
    replies: Vec<(Ticket, Reply)>,
}

impl Scene {
    fn new() -> Self {
        Self::with_members(10)
    }

    fn with_members(members: usize) -> Self {
        Self {
            group: Group::new(GroupLimits {
                members,
                first_round: FIRST_ROUND,
            }),
            now: Instant::now(),
            tickets: 0,
            ids: 0,
            replies: Vec::new(),
        }
    }

    fn join(&mut self, joiner: &Joiner) -> Ticket {
        self.tickets += 1;
        self.ids += 1;
        let fresh = format!("{}-{}", joiner.client_id, self.ids);
        self.group.join(joiner, fresh, self.tickets, self.now);
        self.collect();
        self.tickets
    }

    fn sync(&mut self, id: &str, generation: i32, shares: &[(&str, &'static str)]) -> Ticket {
        self.tickets += 1;
        let shares = shares.iter();
        let request = SyncRequest {
            member_id: id.to_owned(),
            instance: None,
            generation,
            protocol_type: None,
            protocol: None,
            assignments: shares
                .map(|(id, share)| ((*id).to_owned(), Bytes::from_static(share.as_bytes())))
                .collect(),
        };
        self.group.sync(request, self.tickets, self.now);
        self.collect();
        self.tickets
    }

    /// Advances the time from deadline to deadline, like the clock of all groups.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.group.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.group.advance(self.now);
            self.collect();
        }
        self.now = end;
    }

    fn beat(&mut self, id: &str, generation: i32) -> Result<(), Error> {
        self.group.heartbeat(id, None, generation, self.now)
    }

    fn collect(&mut self) {
        self.replies.extend(self.group.take_replies());
    }

    fn reply(&mut self, ticket: Ticket) -> Option<Reply> {
        let place = self
            .replies
            .iter()
            .position(|(other, _)| *other == ticket)?;
        Some(self.replies.remove(place).1)
    }

    fn joined(&mut self, ticket: Ticket) -> Joined {
        match self.reply(ticket) {
            Some(Reply::Joined(Ok(joined))) => joined,
            other => panic!("not joined: {other:?}"),
        }
    }

    fn not_joined(&mut self, ticket: Ticket) -> (Error, String) {
        match self.reply(ticket) {
            Some(Reply::Joined(Err(refusal))) => (refusal.error, refusal.member_id),
            other => panic!("not refused: {other:?}"),
        }
    }

    fn synced(&mut self, ticket: Ticket) -> Result<Bytes, Error> {
        match self.reply(ticket) {
            Some(Reply::Synced(synced)) => synced.map(|Synced { assignment, .. }| assignment),
            other => panic!("not synced: {other:?}"),
        }
    }

    /// Forms a stable group of these clients. Returns their ids, the leader's first.
    fn stable(&mut self, names: &[&str]) -> Vec<String> {
        let tickets: Vec<_> = names.iter().map(|name| self.join(&joiner(name))).collect();
        self.pass(FIRST_ROUND);
        let joined: Vec<_> = tickets.iter().map(|ticket| self.joined(*ticket)).collect();
        let leader = joined[0].leader.clone();
        let mut ids: Vec<_> = joined
            .iter()
            .map(|joined| joined.member_id.clone())
            .collect();
        ids.sort_by_key(|id| *id != leader);
        let generation = joined[0].generation;
        let shares: Vec<_> = ids.iter().map(|id| (id.as_str(), "share")).collect();
        for id in &ids {
            let ticket = self.sync(id, generation, &shares);
            assert_eq!(self.synced(ticket), Ok(Bytes::from_static(b"share")));
        }
        ids
    }
}

fn joiner(name: &str) -> Joiner {
    Joiner {
        member_id: String::new(),
        instance: None,
        client_id: name.to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        session: SESSION,
        rebalance: REBALANCE,
        protocol_type: "consumer".to_owned(),
        protocols: vec![
            ("range".to_owned(), Bytes::from_static(b"r")),
            ("roundrobin".to_owned(), Bytes::from_static(b"rr")),
        ],
        needs_id: false,
        may_skip_assignment: true,
    }
}

fn again(name: &str, id: &str) -> Joiner {
    Joiner {
        member_id: id.to_owned(),
        ..joiner(name)
    }
}

fn named(name: &str, instance: &str) -> Joiner {
    Joiner {
        instance: Some(instance.to_owned()),
        ..joiner(name)
    }
}

#[test]
fn members_that_come_together_share_the_first_generation() {
    let mut scene = Scene::new();
    let one = scene.join(&joiner("one"));
    scene.pass(FIRST_ROUND / 2);
    let two = scene.join(&joiner("two"));
    scene.pass(FIRST_ROUND / 2);
    assert!(
        scene.replies.is_empty(),
        "the second member restarts the wait"
    );
    scene.pass(FIRST_ROUND / 2);
    let (one, two) = (scene.joined(one), scene.joined(two));
    assert_eq!((one.generation, two.generation), (1, 1));
    assert_eq!(one.leader, two.leader);
    assert_eq!(one.protocol, "range");
    let leader = if one.leader == one.member_id {
        &one
    } else {
        &two
    };
    assert_eq!(leader.members.len(), 2);
    assert_eq!(one.members.len() + two.members.len(), 2);
    let waits = scene.sync(
        if leader == &one {
            &two.member_id
        } else {
            &one.member_id
        },
        1,
        &[],
    );
    assert!(scene.replies.is_empty(), "it waits for the leader");
    let leader_id = leader.member_id.clone();
    let leads = scene.sync(&leader_id, 1, &[(&leader_id, "mine")]);
    assert_eq!(scene.synced(leads), Ok(Bytes::from_static(b"mine")));
    assert_eq!(scene.synced(waits), Ok(Bytes::new()));
}

#[test]
fn a_client_without_an_id_receives_one_and_joins_again() {
    let mut scene = Scene::new();
    let asking = Joiner {
        needs_id: true,
        ..joiner("one")
    };
    let ticket = scene.join(&asking);
    let (error, id) = scene.not_joined(ticket);
    assert_eq!(error, Error::MemberIdRequired);
    let ticket = scene.join(&Joiner {
        member_id: id.clone(),
        ..asking.clone()
    });
    scene.pass(FIRST_ROUND);
    assert_eq!(scene.joined(ticket).member_id, id);
    // An unused id is forgotten, and then unknown.
    let ticket = scene.join(&asking);
    let (_, unused) = scene.not_joined(ticket);
    scene.pass(SESSION * 2);
    let ticket = scene.join(&Joiner {
        member_id: unused,
        ..asking
    });
    assert_eq!(scene.not_joined(ticket).0, Error::UnknownMemberId);
}

#[test]
fn a_silent_member_is_removed_after_its_session_and_the_others_join_again() {
    let mut scene = Scene::new();
    let ids = scene.stable(&["one", "two"]);
    for _ in 0..9 {
        scene.pass(SECOND);
        assert_eq!(scene.beat(&ids[0], 1), Ok(()));
    }
    scene.pass(SECOND);
    assert_eq!(scene.beat(&ids[0], 1), Err(Error::RebalanceInProgress));
    assert_eq!(scene.beat(&ids[1], 1), Err(Error::UnknownMemberId));
    let ticket = scene.join(&again("one", &ids[0]));
    let joined = scene.joined(ticket);
    assert_eq!((joined.generation, joined.members.len()), (2, 1));
}

#[test]
fn a_round_continues_without_a_silent_member() {
    let mut scene = Scene::new();
    let ids = scene.stable(&["one", "two"]);
    let ticket = scene.join(&joiner("three"));
    // The first beats and joins, the second beats and does not join.
    assert_eq!(scene.beat(&ids[0], 1), Err(Error::RebalanceInProgress));
    let first = scene.join(&again("one", &ids[0]));
    for _ in 1..REBALANCE.as_secs() {
        scene.pass(SECOND);
        assert_eq!(scene.beat(&ids[1], 1), Err(Error::RebalanceInProgress));
        assert!(scene.replies.is_empty());
    }
    scene.pass(SECOND);
    assert_eq!(scene.joined(ticket).generation, 2);
    assert_eq!(scene.joined(first).generation, 2);
    assert_eq!(scene.beat(&ids[1], 1), Err(Error::UnknownMemberId));
}

#[test]
fn a_round_ends_as_soon_as_all_members_joined() {
    let mut scene = Scene::new();
    let ids = scene.stable(&["one"]);
    let two = scene.join(&joiner("two"));
    assert!(scene.replies.is_empty());
    let one = scene.join(&again("one", &ids[0]));
    let (one, two) = (scene.joined(one), scene.joined(two));
    assert_eq!((one.generation, two.generation), (2, 2));
    assert_eq!(one.leader, ids[0], "the leader stays");
}

#[test]
fn a_member_that_does_not_ask_for_its_assignment_is_removed() {
    let mut scene = Scene::new();
    let (one, two) = (scene.join(&joiner("one")), scene.join(&joiner("two")));
    scene.pass(FIRST_ROUND);
    let (one, two) = (scene.joined(one), scene.joined(two));
    let (leader, other) = if one.leader == one.member_id {
        (one.member_id, two.member_id)
    } else {
        (two.member_id, one.member_id)
    };
    let ticket = scene.sync(&leader, 1, &[]);
    assert_eq!(scene.synced(ticket), Ok(Bytes::new()));
    for _ in 0..60 {
        scene.pass(SECOND);
        let _ = scene.beat(&leader, 1);
        let _ = scene.beat(&other, 1);
    }
    assert_eq!(scene.beat(&other, 1), Err(Error::UnknownMemberId));
    assert_eq!(scene.beat(&leader, 1), Err(Error::RebalanceInProgress));
}

#[test]
fn members_that_wait_for_a_leader_join_again_when_it_leaves() {
    let mut scene = Scene::new();
    let (one, two) = (scene.join(&joiner("one")), scene.join(&joiner("two")));
    scene.pass(FIRST_ROUND);
    let (one, two) = (scene.joined(one), scene.joined(two));
    let (leader, other) = if one.leader == one.member_id {
        (one.member_id, two.member_id)
    } else {
        (two.member_id, one.member_id)
    };
    let waits = scene.sync(&other, 1, &[]);
    assert_eq!(scene.group.leave(&leader, None, scene.now), Ok(()));
    scene.collect();
    assert_eq!(scene.synced(waits), Err(Error::RebalanceInProgress));
    let ticket = scene.join(&again("other", &other));
    let joined = scene.joined(ticket);
    assert_eq!((joined.leader, joined.generation), (other, 2));
}

#[test]
fn zombies_of_older_generations_are_refused() {
    let mut scene = Scene::new();
    let ids = scene.stable(&["one"]);
    let two = scene.join(&joiner("two"));
    let one = scene.join(&again("one", &ids[0]));
    let (one, _) = (scene.joined(one), scene.joined(two));
    assert_eq!(one.generation, 2);
    assert_eq!(scene.beat(&ids[0], 1), Err(Error::IllegalGeneration));
    let ticket = scene.sync(&ids[0], 1, &[]);
    assert_eq!(scene.synced(ticket), Err(Error::IllegalGeneration));
    let commit = scene.group.check_commit(&ids[0], None, 1, scene.now);
    assert_eq!(commit, Err(Error::IllegalGeneration));
    let commit = scene.group.check_commit("nobody", None, 2, scene.now);
    assert_eq!(commit, Err(Error::UnknownMemberId));
}

#[test]
fn offsets_are_committed_by_members_or_from_outside_an_empty_group() {
    let mut scene = Scene::new();
    assert_eq!(scene.group.check_commit("", None, -1, scene.now), Ok(()));
    let ids = scene.stable(&["one"]);
    assert_eq!(
        scene.group.check_commit("", None, -1, scene.now),
        Err(Error::UnknownMemberId)
    );
    assert_eq!(
        scene.group.check_commit(&ids[0], None, 1, scene.now),
        Ok(())
    );
    // While the others join again, a member commits its progress.
    let two = scene.join(&joiner("two"));
    assert_eq!(
        scene.group.check_commit(&ids[0], None, 1, scene.now),
        Ok(())
    );
    let one = scene.join(&again("one", &ids[0]));
    let _ = (scene.joined(one), scene.joined(two));
    assert_eq!(
        scene.group.check_commit(&ids[0], None, 2, scene.now),
        Err(Error::RebalanceInProgress)
    );
}

#[test]
fn a_member_whose_response_was_lost_gets_the_same_place_again() {
    let mut scene = Scene::new();
    let (one, two) = (scene.join(&joiner("one")), scene.join(&joiner("two")));
    scene.pass(FIRST_ROUND);
    let (one, two) = (scene.joined(one), scene.joined(two));
    for (name, place) in [("one", &one), ("two", &two)] {
        let ticket = scene.join(&again(name, &place.member_id));
        assert_eq!(&scene.joined(ticket), place);
    }
}

#[test]
fn a_follower_that_joins_unchanged_keeps_its_place_and_a_leader_forces_a_round() {
    let mut scene = Scene::new();
    let ids = scene.stable(&["one", "two"]);
    let ticket = scene.join(&again("two", &ids[1]));
    assert_eq!(scene.joined(ticket).generation, 1);
    let leads = scene.join(&again("one", &ids[0]));
    assert!(scene.replies.is_empty());
    let follows = scene.join(&again("two", &ids[1]));
    assert_eq!(scene.joined(leads).generation, 2);
    assert_eq!(scene.joined(follows).generation, 2);
}

#[test]
fn the_protocol_is_one_that_all_support_and_most_prefer() {
    let mut scene = Scene::new();
    let wanting = |name: &str, protocols: &[&str]| Joiner {
        protocols: protocols
            .iter()
            .map(|name| ((*name).to_owned(), Bytes::new()))
            .collect(),
        ..joiner(name)
    };
    let tickets = [
        scene.join(&wanting("one", &["sticky", "range", "roundrobin"])),
        scene.join(&wanting("two", &["roundrobin", "range"])),
        scene.join(&wanting("three", &["roundrobin", "range", "sticky"])),
    ];
    let stranger = scene.join(&wanting("four", &["sticky"]));
    assert_eq!(
        scene.not_joined(stranger).0,
        Error::InconsistentGroupProtocol
    );
    let other_type = Joiner {
        protocol_type: "connect".to_owned(),
        ..joiner("five")
    };
    let stranger = scene.join(&other_type);
    assert_eq!(
        scene.not_joined(stranger).0,
        Error::InconsistentGroupProtocol
    );
    scene.pass(FIRST_ROUND * 3);
    for ticket in tickets {
        assert_eq!(scene.joined(ticket).protocol, "roundrobin");
    }
}

#[test]
fn a_full_group_refuses_more_members() {
    let mut scene = Scene::with_members(2);
    let _ = scene.stable(&["one", "two"]);
    let ticket = scene.join(&joiner("three"));
    assert_eq!(scene.not_joined(ticket).0, Error::GroupMaxSizeReached);
}

#[test]
fn a_group_that_all_members_left_is_unused_and_sleeps() {
    let mut scene = Scene::new();
    let ids = scene.stable(&["one", "two"]);
    for id in &ids {
        assert_eq!(scene.group.leave(id, None, scene.now), Ok(()));
    }
    assert!(scene.group.is_empty() && scene.group.is_unused());
    assert_eq!(scene.group.next_deadline(), None);
    assert_eq!(scene.beat(&ids[0], 1), Err(Error::UnknownMemberId));
}

#[test]
fn every_ticket_is_answered_exactly_once_under_random_requests() {
    use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
    for seed in 0..300 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut scene = Scene::with_members(4);
        let mut asked = Vec::new();
        let mut ids = vec!["nobody".to_owned(), String::new()];
        for _ in 0..60 {
            let id = ids[random.random_range(0..ids.len())].clone();
            let generation = scene.group.generation - i32::from(random.random_bool(0.2));
            match random.random_range(0..8) {
                0..=2 => {
                    let mut joiner = again("x", &id);
                    joiner.needs_id = random.random_bool(0.3);
                    if random.random_bool(0.3) {
                        joiner.instance = Some(random.random_range(0..3).to_string());
                    }
                    asked.push(scene.join(&joiner));
                }
                3..=4 => asked.push(scene.sync(&id, generation, &[(&id, "share")])),
                5 => drop(scene.group.leave(&id, None, scene.now)),
                6 => drop(scene.beat(&id, generation)),
                _ => scene.pass(Duration::from_millis(random.random_range(0..12_000))),
            }
            scene.collect();
            for (_, reply) in &scene.replies {
                match reply {
                    Reply::Joined(Ok(joined)) => ids.push(joined.member_id.clone()),
                    Reply::Joined(Err(refusal)) => ids.push(refusal.member_id.clone()),
                    Reply::Synced(_) => {}
                }
            }
        }
        // All members stop sending: all waiting requests are answered, and no member is left.
        scene.pass(REBALANCE * 10);
        let mut answered: Vec<_> = scene.replies.iter().map(|(ticket, _)| *ticket).collect();
        answered.sort_unstable();
        assert_eq!(answered, asked, "seed {seed}");
        assert!(scene.group.is_unused(), "seed {seed}: {:?}", scene.group);
        assert_eq!(scene.group.next_deadline(), None, "seed {seed}");
    }
}

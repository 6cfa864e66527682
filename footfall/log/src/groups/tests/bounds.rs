//! Tests the bounds of time and memory: no member is removed too early, no timer spins, all memory is bounded.

use tokio_util::sync::CancellationToken;

use super::{
    super::{Groups, MAX_NAME, MAX_PROTOCOLS},
    *,
};

#[test]
fn a_member_that_waited_for_a_leader_longer_than_its_session_can_join_again() {
    let mut scene = Scene::new();
    let patient = Joiner {
        session: SESSION * 3,
        ..joiner("a leader")
    };
    let (one, two) = (scene.join(&patient), scene.join(&joiner("follower")));
    scene.pass(FIRST_ROUND);
    let (one, two) = (scene.joined(one), scene.joined(two));
    assert_eq!(one.leader, one.member_id);
    let waits = scene.sync(&two.member_id, 1, &[]);
    // The leader sends no assignment and stays silent.
    scene.pass(SESSION * 3);
    assert_eq!(scene.synced(waits), Err(Error::RebalanceInProgress));
    scene.pass(SECOND);
    let ticket = scene.join(&again("follower", &two.member_id));
    let joined = scene.joined(ticket);
    assert_eq!((joined.leader, joined.generation), (two.member_id, 2));
}

#[test]
fn a_round_without_time_does_not_keep_the_clock_busy() {
    let mut scene = Scene::new();
    let hasty = |joiner: Joiner| Joiner {
        rebalance: Duration::ZERO,
        ..joiner
    };
    let ticket = scene.join(&hasty(named("one", "a")));
    scene.group.advance(scene.now);
    scene.collect();
    let one = scene.joined(ticket);
    let _ = scene.sync(&one.member_id, 1, &[]);
    // A new round begins with only the static member left, which is absent.
    let _ = scene.join(&hasty(joiner("two")));
    let two = scene.group.members.keys().find(|id| **id != one.member_id);
    let two = two.cloned().unwrap();
    assert_eq!(scene.group.leave(&two, None, scene.now), Ok(()));
    scene.group.advance(scene.now);
    let due = scene.group.next_deadline().unwrap();
    assert!(due > scene.now, "it would wake again at once");
}

#[test]
fn ids_and_names_count_toward_the_memory_of_a_group() {
    let mut scene = Scene::new();
    let asking = Joiner {
        needs_id: true,
        ..joiner("one")
    };
    let before = scene.group.held_bytes();
    let ticket = scene.join(&asking);
    let (_, id) = scene.not_joined(ticket);
    assert!(scene.group.held_bytes() >= before + id.len());
    let before = scene.group.held_bytes();
    let name = "n".repeat(1_000);
    scene.join(&named("two", &name));
    assert!(scene.group.held_bytes() >= before + name.len());
}

#[tokio::test(start_paused = true)]
async fn names_and_protocols_above_the_limits_are_refused() {
    let groups = Groups::new(CancellationToken::new());
    let long = "n".repeat(MAX_NAME + 1);
    let refused = |group: String, joiner: Joiner| {
        let groups = &groups;
        async move {
            let joined = tokio::time::timeout(REBALANCE, groups.join(&group, joiner)).await;
            joined.expect("a refusal at once").unwrap_err().error
        }
    };
    let group = || "group".to_owned();
    assert_eq!(
        refused(long.clone(), joiner("one")).await,
        Error::InvalidGroupId
    );
    assert_eq!(
        refused(group(), named("one", &long)).await,
        Error::InvalidRequest
    );
    let strange = Joiner {
        protocol_type: long.clone(),
        ..joiner("one")
    };
    assert_eq!(refused(group(), strange).await, Error::InvalidRequest);
    let many = Joiner {
        protocols: (0..=MAX_PROTOCOLS)
            .map(|number| (number.to_string(), Bytes::new()))
            .collect(),
        ..joiner("one")
    };
    assert_eq!(
        refused(group(), many).await,
        Error::InconsistentGroupProtocol
    );
    assert!(groups.views().is_empty());
}

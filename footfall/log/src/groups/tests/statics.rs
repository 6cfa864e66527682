//! Tests static members: they keep their place during a short absence, and fence their former instances.

use super::*;

#[test]
fn a_static_member_that_returns_keeps_its_assignment_without_a_new_round() {
    let mut scene = Scene::new();
    let tickets = [
        scene.join(&named("one", "a")),
        scene.join(&named("two", "b")),
    ];
    scene.pass(FIRST_ROUND);
    let joined = tickets.map(|ticket| scene.joined(ticket));
    let [one, two] = joined.map(|joined| joined.member_id);
    let leader = one.clone().min(two.clone());
    for id in [&one, &two] {
        let _ = scene.sync(id, 1, &[(&one, "of one"), (&two, "of two")]);
    }
    scene.replies.clear();
    let _ = scene.sync(&leader, 1, &[]);
    scene.replies.clear();
    for (former, client, instance, share) in
        [(&one, "one", "a", "of one"), (&two, "two", "b", "of two")]
    {
        let ticket = scene.join(&named(client, instance));
        let joined = scene.joined(ticket);
        assert_eq!(joined.generation, 1);
        assert_ne!(&joined.member_id, former);
        assert_eq!(joined.skip_assignment, former == &leader);
        let ticket = scene.sync(&joined.member_id, 1, &[]);
        assert_eq!(scene.synced(ticket), Ok(Bytes::from(share)));
        // The former instance is fenced.
        let beat = scene.group.heartbeat(former, Some(instance), 1, scene.now);
        assert_eq!(beat, Err(Error::FencedInstanceId));
        let commit = scene
            .group
            .check_commit(former, Some(instance), 1, scene.now);
        assert_eq!(commit, Err(Error::FencedInstanceId));
    }
}

#[test]
fn a_returning_static_leader_that_cannot_skip_does_not_learn_that_it_leads() {
    let mut scene = Scene::new();
    let old = Joiner {
        may_skip_assignment: false,
        ..named("one", "a")
    };
    let ticket = scene.join(&old);
    scene.pass(FIRST_ROUND);
    let first = scene.joined(ticket);
    let _ = scene.sync(&first.member_id, 1, &[(&first.member_id, "all")]);
    scene.replies.clear();
    let ticket = scene.join(&old);
    let second = scene.joined(ticket);
    assert_eq!(second.leader, first.member_id);
    assert!(second.members.is_empty() && !second.skip_assignment);
    let ticket = scene.sync(&second.member_id, 1, &[]);
    assert_eq!(scene.synced(ticket), Ok(Bytes::from_static(b"all")));
}

#[test]
fn a_static_member_stays_through_a_round_that_it_misses_until_its_session_ends() {
    let mut scene = Scene::new();
    let named_one = named("one", "a");
    let (one, two) = (scene.join(&named_one), scene.join(&joiner("two")));
    scene.pass(FIRST_ROUND);
    let (one, two) = (scene.joined(one), scene.joined(two));
    for id in [&one.member_id, &two.member_id, &one.member_id] {
        let _ = scene.sync(id, 1, &[]);
    }
    scene.replies.clear();
    let three = scene.join(&joiner("three"));
    let two_again = scene.join(&again("two", &two.member_id));
    // It stays silent. Its session ends before the round does, and removes it.
    scene.pass(SESSION);
    assert_eq!(scene.joined(three).generation, 2);
    assert_eq!(scene.joined(two_again).generation, 2);
    let leaving = scene.group.leave("", Some("a"), scene.now);
    assert_eq!(leaving, Err(Error::UnknownMemberId));
}

#[test]
fn a_static_member_leaves_by_its_name() {
    let mut scene = Scene::new();
    let ticket = scene.join(&named("one", "a"));
    scene.pass(FIRST_ROUND);
    let one = scene.joined(ticket);
    assert_eq!(
        scene.group.leave("another", Some("a"), scene.now),
        Err(Error::FencedInstanceId)
    );
    assert_eq!(scene.group.leave("", Some("a"), scene.now), Ok(()));
    assert!(scene.group.is_unused(), "{:?}", scene.group);
    assert_eq!(scene.beat(&one.member_id, 1), Err(Error::UnknownMemberId));
}

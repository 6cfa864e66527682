//! librdkafka: consumer groups share partitions, continue from their commits, and keep static members' partitions.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
    error::KafkaError,
    types::RDKafkaErrorCode,
};

use crate::target::{PATIENCE, Target, numbered};

const PARTITIONS: i32 = 4;

fn member(target: &Target, group: &str, topic: &str, settings: &[(&str, &str)]) -> BaseConsumer {
    let mut config = target.access.client();
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "100");
    for (name, value) in settings {
        config.set(*name, *value);
    }
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    consumer
}

fn partitions_of(consumer: &BaseConsumer) -> BTreeSet<i32> {
    let assignment = consumer.assignment().unwrap();
    let elements = assignment.elements();
    elements
        .iter()
        .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition)
        .collect()
}

/// Polls the members until `settled` is true for their assignments. Returns the values received meanwhile.
#[track_caller]
fn settle(members: &[&BaseConsumer], settled: impl Fn(&[BTreeSet<i32>]) -> bool) -> Vec<String> {
    let started = Instant::now();
    let mut values = Vec::new();
    loop {
        let shares: Vec<_> = members.iter().map(|member| partitions_of(member)).collect();
        if settled(&shares) {
            return values;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "the group does not settle: {shares:?}"
        );
        for member in members {
            values.extend(poll(member));
        }
    }
}

fn poll(member: &BaseConsumer) -> Option<String> {
    let message = member.poll(Duration::from_millis(20))?.unwrap();
    Some(String::from_utf8(message.payload().unwrap().to_vec()).unwrap())
}

#[track_caller]
fn read(member: &BaseConsumer, count: usize) -> Vec<String> {
    let started = Instant::now();
    let mut values = Vec::new();
    while values.len() < count {
        assert!(
            started.elapsed() < PATIENCE,
            "only {values:?} of {count} came"
        );
        values.extend(poll(member));
    }
    values
}

fn all() -> BTreeSet<i32> {
    (0..PARTITIONS).collect()
}

/// Whether each partition has one owner and each member has two of the four.
fn is_halved(shares: &[BTreeSet<i32>]) -> bool {
    let union: BTreeSet<i32> = shares.iter().flatten().copied().collect();
    union == all() && shares.iter().all(|share| share.len() == 2)
}

async fn two_members_share(strategy: &str) {
    let target = Target::shared();
    let topic = format!("groups.{strategy}");
    target.create_topic(&topic, PARTITIONS).await;
    let settings = [("partition.assignment.strategy", strategy)];
    let first = member(&target, &topic, &topic, &settings);
    settle(&[&first], |shares| shares[0] == all());

    let second = member(&target, &topic, &topic, &settings);
    settle(&[&first, &second], is_halved);
    // Each member reads the records of its own partitions.
    for partition in 0..PARTITIONS {
        let values = numbered(&format!("p{partition}"), 2);
        target
            .append(&topic, partition, 1_700_000_000_000, &values)
            .await;
    }
    let mut read_by_both = Vec::new();
    for member in [&first, &second] {
        let values = read(member, 4);
        let own = partitions_of(member);
        let foreign = values.iter().find(|value| {
            let mut prefixes = own.iter().map(|partition| format!("p{partition}-"));
            !prefixes.any(|prefix| value.starts_with(&prefix))
        });
        assert_eq!(foreign, None, "a member with {own:?} read {values:?}");
        member.commit_consumer_state(CommitMode::Sync).unwrap();
        read_by_both.extend(values);
    }
    let distinct: BTreeSet<&String> = read_by_both.iter().collect();
    assert_eq!(distinct.len(), 8);

    // The member sends LeaveGroup, so the group does not wait for the end of its session.
    drop(second);
    let again = settle(&[&first], |shares| shares[0] == all());
    assert_eq!(again, Vec::<String>::new(), "committed records came again");
    for partition in 0..PARTITIONS {
        let values = [format!("last-{partition}")];
        target
            .append(&topic, partition, 1_700_000_000_000, &values)
            .await;
    }
    let mut last = read(&first, 4);
    last.sort();
    assert_eq!(last, ["last-0", "last-1", "last-2", "last-3"]);
}

#[tokio::test]
async fn two_members_share_the_partitions_by_range() {
    two_members_share("range").await;
}

#[tokio::test]
async fn two_members_share_the_partitions_cooperatively() {
    two_members_share("cooperative-sticky").await;
}

#[tokio::test]
async fn a_returning_static_member_has_its_partitions_without_a_rebalance() {
    let target = Target::shared();
    target.create_topic("groups.static", PARTITIONS).await;
    let start = |instance: &str| {
        let settings = [("group.instance.id", instance)];
        member(&target, "groups.static", "groups.static", &settings)
    };
    let first = start("one");
    let second = start("two");
    settle(&[&first, &second], is_halved);
    let kept = partitions_of(&first);
    let returned_to = partitions_of(&second);
    let generation = |member: &BaseConsumer| {
        let groups = member
            .fetch_group_list(Some("groups.static"), PATIENCE)
            .unwrap();
        let group = &groups.groups()[0];
        (group.state().to_owned(), group.members().len())
    };
    drop(second);
    // A static member sends no LeaveGroup, so the group stays unchanged.
    assert_eq!(generation(&first), ("Stable".to_owned(), 2));
    let second = start("two");
    settle(&[&first, &second], |shares| shares[1] == returned_to);
    assert_eq!(partitions_of(&first), kept);
}

#[tokio::test]
async fn a_group_continues_from_its_commits() {
    let target = Target::shared();
    target.create_topic("groups.commit", 1).await;
    target
        .append("groups.commit", 0, 1_700_000_000_000, &numbered("v", 10))
        .await;
    let first = member(&target, "groups.commit", "groups.commit", &[]);
    assert_eq!(read(&first, 10), numbered("v", 10));
    let mut committed = TopicPartitionList::new();
    let offset = Offset::Offset(4);
    committed
        .add_partition_offset("groups.commit", 0, offset)
        .unwrap();
    let element = committed.elements();
    assert_eq!(element.len(), 1);
    first.commit(&committed, CommitMode::Sync).unwrap();
    drop(first);

    let second = member(&target, "groups.commit", "groups.commit", &[]);
    assert_eq!(read(&second, 6), numbered("v", 10)[4..]);
    let stored = second.committed_offsets(committed, PATIENCE).unwrap();
    let stored = stored.find_partition("groups.commit", 0).unwrap();
    assert_eq!(stored.offset(), Offset::Offset(4));
}

#[tokio::test]
async fn a_group_without_commits_has_no_offsets() {
    let target = Target::shared();
    target.create_topic("groups.none", 2).await;
    let mut config = target.access.client();
    let consumer: BaseConsumer = config.set("group.id", "groups.never").create().unwrap();
    let mut asked = TopicPartitionList::new();
    asked.add_partition("groups.none", 0);
    asked.add_partition("groups.none", 1);
    let answer = consumer.committed_offsets(asked, PATIENCE).unwrap();
    for element in answer.elements() {
        assert_eq!(element.offset(), Offset::Invalid);
        element.error().unwrap();
    }
}

#[tokio::test]
async fn a_reader_without_membership_commits_to_an_empty_group_only() {
    let target = Target::shared();
    target.create_topic("groups.simple", 1).await;
    target
        .append("groups.simple", 0, 1_700_000_000_000, &numbered("v", 3))
        .await;
    let mut config = target.access.client();
    let simple: BaseConsumer = config.set("group.id", "groups.simple").create().unwrap();
    let mut at = TopicPartitionList::new();
    at.add_partition_offset("groups.simple", 0, Offset::Offset(2))
        .unwrap();
    simple.commit(&at, CommitMode::Sync).unwrap();

    // The member continues from the reader's commit. From now on only members may commit.
    let member = member(&target, "groups.simple", "groups.simple", &[]);
    assert_eq!(read(&member, 1), ["v-2"]);
    let refused = simple.commit(&at, CommitMode::Sync).unwrap_err();
    let expected = KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownMemberId);
    assert_eq!(refused, expected);
}

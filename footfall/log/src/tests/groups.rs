//! Tests consumer groups with librdkafka, and offsets across restarts of the broker.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::{
    ResponseError as Error,
    messages::{
        DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, GroupId,
        HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, ListGroupsRequest,
        OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest,
        join_group_request::JoinGroupRequestProtocol,
        leave_group_request::MemberIdentity,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_fetch_request::{
            OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
        },
        sync_group_request::SyncGroupRequestAssignment,
    },
};
use rdkafka::{
    ClientContext,
    consumer::{BaseConsumer, CommitMode, ConsumerContext, Rebalance},
};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    wire::{Wire, string, topic_name},
    *,
};

/// Publishes the number of partitions of its consumer.
struct Watching(watch::Sender<usize>);

impl ClientContext for Watching {}

impl ConsumerContext for Watching {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.0.send_replace(match rebalance {
            Rebalance::Assign(list) => list.count(),
            Rebalance::Revoke(_) | Rebalance::Error(_) => 0,
        });
    }
}

/// A member that reads continuously.
struct Member {
    consumer: Arc<StreamConsumer<Watching>>,
    assigned: watch::Receiver<usize>,
    reading: JoinHandle<()>,
}

impl Member {
    fn join(broker: &Broker) -> Self {
        let (sender, assigned) = watch::channel(0);
        let consumer: StreamConsumer<Watching> = client(broker)
            .set("group.id", "projector")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "200")
            .create_with_context(Watching(sender))
            .unwrap();
        consumer.subscribe(&["events"]).unwrap();
        let consumer = Arc::new(consumer);
        let reader = Arc::clone(&consumer);
        let reading = tokio::spawn(async move {
            loop {
                let _ = reader.recv().await;
            }
        });
        Self {
            consumer,
            assigned,
            reading,
        }
    }

    async fn has(&mut self, count: usize) {
        let arrived = self.assigned.wait_for(|assigned| *assigned == count);
        let arrived = tokio::time::timeout(PATIENCE, arrived).await;
        arrived.expect("an assignment in time").unwrap();
    }

    async fn leave(self) {
        self.reading.abort();
        let _ = self.reading.await;
        drop(self.consumer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_share_partitions_and_are_replaced() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 4).await;
    let mut one = Member::join(&broker);
    one.has(4).await;
    let mut two = Member::join(&broker);
    one.has(2).await;
    two.has(2).await;

    let mut wire = Wire::connect(&broker).await;
    let request = DescribeGroupsRequest::default().with_groups(
        ["projector", "absent"]
            .map(|id| GroupId(string(id)))
            .to_vec(),
    );
    let described = wire.call(6, &request).await;
    let group = &described.groups[0];
    assert_eq!(group.group_state, string("Stable"));
    assert_eq!((group.members.len(), group.error_code), (2, 0));
    assert_eq!(
        described.groups[1].error_code,
        Error::GroupIdNotFound.code()
    );
    let listed = wire.call(5, &ListGroupsRequest::default()).await;
    assert_eq!(listed.groups.len(), 1);
    assert_eq!(listed.groups[0].protocol_type, string("consumer"));
    let request =
        DeleteGroupsRequest::default().with_groups_names(vec![GroupId(string("projector"))]);
    let refused = wire.call(2, &request).await;
    assert_eq!(refused.results[0].error_code, Error::NonEmptyGroup.code());

    one.leave().await;
    two.has(4).await;
    two.leave().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn committed_offsets_survive_a_restart() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 2).await;
    let mut one = Member::join(&broker);
    one.has(2).await;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("events", 1, Offset::Offset(5))
        .unwrap();
    let committing = Arc::clone(&one.consumer);
    let commit = move || committing.commit(&list, CommitMode::Sync);
    tokio::task::spawn_blocking(commit).await.unwrap().unwrap();
    one.leave().await;
    broker.stop().await;

    let broker = start(dir.path()).await;
    let mut wire = Wire::connect(&broker).await;
    let topic = OffsetFetchRequestTopics::default()
        .with_name(topic_name("events"))
        .with_partition_indexes(vec![0, 1]);
    let group = OffsetFetchRequestGroup::default().with_group_id(GroupId(string("projector")));
    for topics in [None, Some(vec![topic])] {
        let all = topics.is_none();
        let groups = vec![group.clone().with_topics(topics)];
        let request = OffsetFetchRequest::default()
            .with_groups(groups)
            .with_require_stable(true);
        let fetched = wire.call(9, &request).await;
        let partitions = &fetched.groups[0].topics[0].partitions;
        let offsets: Vec<_> = partitions
            .iter()
            .map(|partition| (partition.partition_index, partition.committed_offset))
            .collect();
        let expected: &[_] = if all { &[(1, 5)] } else { &[(0, -1), (1, 5)] };
        assert_eq!(offsets, expected);
    }
    let listed = wire.call(5, &ListGroupsRequest::default()).await;
    assert_eq!(listed.groups[0].group_state, string("Empty"));
    let request =
        DeleteGroupsRequest::default().with_groups_names(vec![GroupId(string("projector"))]);
    for error in [0, Error::GroupIdNotFound.code()] {
        let deleted = wire.call(2, &request).await;
        assert_eq!(deleted.results[0].error_code, error);
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn this_node_coordinates_groups_but_not_transactions() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let mut wire = Wire::connect(&broker).await;
    for (kind, error) in [
        (0, 0),
        (1, Error::TransactionalIdAuthorizationFailed.code()),
        (2, Error::InvalidRequest.code()),
    ] {
        let several = FindCoordinatorRequest::default()
            .with_key_type(kind)
            .with_coordinator_keys(vec![string("a"), string("b")]);
        let found = wire.call(6, &several).await;
        for coordinator in &found.coordinators {
            assert_eq!(coordinator.error_code, error);
            assert_eq!(coordinator.node_id.0 == 1, error == 0);
        }
        assert_eq!(found.coordinators.len(), 2);
        let one = FindCoordinatorRequest::default()
            .with_key_type(kind)
            .with_key(string("a"));
        assert_eq!(wire.call(3, &one).await.error_code, error);
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_forms_a_group() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 1).await;
    let mut wire = Wire::connect(&broker).await;
    for version in 0..=9 {
        let id = GroupId(string(&format!("group-{version}")));
        let protocol = JoinGroupRequestProtocol::default()
            .with_name(string("range"))
            .with_metadata(Bytes::from_static(b"wish"));
        let mut join = JoinGroupRequest::default()
            .with_group_id(id.clone())
            .with_session_timeout_ms(10_000)
            .with_protocol_type(string("consumer"))
            .with_protocols(vec![protocol]);
        if version > 0 {
            join.rebalance_timeout_ms = 10_000;
        }
        let mut joined = wire.call(version, &join).await;
        if version >= 4 {
            assert_eq!(joined.error_code, Error::MemberIdRequired.code());
            join.member_id = joined.member_id;
            joined = wire.call(version, &join).await;
        }
        assert_eq!((joined.error_code, joined.generation_id), (0, 1));
        assert_eq!(joined.leader, joined.member_id);
        assert_eq!(joined.members[0].metadata, b"wish"[..]);

        let share = SyncGroupRequestAssignment::default()
            .with_member_id(joined.member_id.clone())
            .with_assignment(Bytes::from_static(b"share"));
        let mut sync = SyncGroupRequest::default()
            .with_group_id(id.clone())
            .with_generation_id(1)
            .with_member_id(joined.member_id.clone())
            .with_assignments(vec![share]);
        if version >= 5 {
            sync.protocol_type = Some(string("consumer"));
            sync.protocol_name = Some(string("range"));
        }
        let synced = wire.call(version.min(5), &sync).await;
        assert_eq!(synced.error_code, 0);
        assert_eq!(synced.assignment, b"share"[..]);

        let beat = HeartbeatRequest::default()
            .with_group_id(id.clone())
            .with_generation_id(1)
            .with_member_id(joined.member_id.clone());
        assert_eq!(wire.call(version.min(4), &beat).await.error_code, 0);

        let partition = OffsetCommitRequestPartition::default()
            .with_committed_offset(5)
            .with_committed_metadata(Some(string("m")));
        let topic = OffsetCommitRequestTopic::default()
            .with_name(topic_name("events"))
            .with_partitions(vec![partition]);
        let commit = OffsetCommitRequest::default()
            .with_group_id(id.clone())
            .with_generation_id_or_member_epoch(1)
            .with_member_id(joined.member_id.clone())
            .with_topics(vec![topic]);
        let committed = wire.call(version.max(2), &commit).await;
        assert_eq!(committed.topics[0].partitions[0].error_code, 0);
        if version < 8 {
            let topic = OffsetFetchRequestTopic::default()
                .with_name(topic_name("events"))
                .with_partition_indexes(vec![0]);
            let fetch = OffsetFetchRequest::default()
                .with_group_id(id.clone())
                .with_topics(Some(vec![topic]));
            let fetched = wire.call(version.max(1), &fetch).await;
            let partition = &fetched.topics[0].partitions[0];
            assert_eq!(partition.committed_offset, 5);
            assert_eq!(partition.metadata, Some(string("m")));
        }

        let describe = DescribeGroupsRequest::default().with_groups(vec![id.clone()]);
        let described = wire.call(version.min(6), &describe).await;
        assert_eq!(described.groups[0].members[0].member_metadata, b"wish"[..]);

        let mut leave = LeaveGroupRequest::default().with_group_id(id);
        if version < 3 {
            leave.member_id = joined.member_id;
        } else {
            let member = MemberIdentity::default().with_member_id(joined.member_id);
            leave.members = vec![member];
        }
        let left = wire.call(version.min(5), &leave).await;
        assert_eq!(left.error_code, 0);
        assert!(left.members.iter().all(|member| member.error_code == 0));
    }
    broker.stop().await;
}

#[tokio::test]
async fn unreadable_offsets_are_an_error_that_consumers_retry() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let file = rusqlite::Connection::open(dir.path().join("records.db")).unwrap();
    file.execute_batch("DROP TABLE offsets").unwrap();
    let mut wire = Wire::connect(&broker).await;
    let group = OffsetFetchRequestGroup::default().with_group_id(GroupId(string("readers")));
    let request = OffsetFetchRequest::default().with_groups(vec![group]);
    let answer = wire.call(8, &request).await;
    // Java's consumer retries after this error, and fails after most others.
    assert_eq!(answer.groups[0].error_code, Error::NotCoordinator.code());
    broker.stop().await;
}

//! Consumer groups as librdkafka uses them, and offsets that outlive the broker.

use std::sync::Arc;

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, GroupId,
        ListGroupsRequest, OffsetFetchRequest,
        offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics},
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

/// Shows how many partitions its consumer has.
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

/// A member that reads all the time.
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
async fn committed_offsets_outlive_the_broker() {
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
async fn this_node_coordinates_groups_and_no_transactions() {
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

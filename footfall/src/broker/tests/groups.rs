//! Members of a consumer group: quickly assigned, shared out, replaced.

use std::{sync::Arc, time::Instant};

use rdkafka::{
    ClientContext,
    consumer::{BaseConsumer, ConsumerContext, Rebalance},
};
use tokio::sync::watch;

use super::*;

/// Shows how many partitions its consumer has.
struct Watching(watch::Sender<Option<usize>>);

impl ClientContext for Watching {}

impl ConsumerContext for Watching {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let count = match rebalance {
            Rebalance::Assign(list) => Some(list.count()),
            Rebalance::Revoke(_) | Rebalance::Error(_) => None,
        };
        self.0.send_replace(count);
    }
}

type Member = (
    Arc<StreamConsumer<Watching>>,
    watch::Receiver<Option<usize>>,
);

fn member(brokers: &str) -> Member {
    let (sender, receiver) = watch::channel(None);
    let consumer: StreamConsumer<Watching> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "projector")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .create_with_context(Watching(sender))
        .unwrap();
    consumer.subscribe(&["events"]).unwrap();
    (Arc::new(consumer), receiver)
}

/// Polls the members until each has as many partitions as said.
async fn shared_out(members: &mut [(&mut Member, usize)]) -> Duration {
    let begun = Instant::now();
    let waits = members.iter_mut().map(|(member, count)| {
        let (consumer, assigned) = member;
        let count = *count;
        async move {
            let arrived = assigned.wait_for(|assigned| *assigned == Some(count));
            tokio::select! {
                arrived = arrived => drop(arrived.unwrap()),
                () = async { loop { let _ = consumer.recv().await; } } => {}
            }
        }
    });
    let all = futures::future::join_all(waits);
    tokio::time::timeout(PATIENCE, all)
        .await
        .expect("assignments in time");
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_share_partitions_and_are_replaced() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 4, "delete", "-1").await;

    let mut one = member(broker.brokers());
    let alone = shared_out(&mut [(&mut one, 4)]).await;
    let mut two = member(broker.brokers());
    let both = shared_out(&mut [(&mut one, 2), (&mut two, 2)]).await;
    drop(one);
    let replaced = shared_out(&mut [(&mut two, 4)]).await;
    eprintln!(
        "assigned alone in {alone:?}, two in {both:?}, the rest after a close in {replaced:?}"
    );
    assert!(alone < Duration::from_secs(5), "{alone:?}");

    let mut first = member(broker.brokers());
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("events", 0, Offset::Offset(0))
        .unwrap();
    let _ = shared_out(&mut [(&mut first, 2), (&mut two, 2)]).await;
    // Two that start at the same moment share at once.
    drop((first, two));
    let (mut three, mut four) = (member(broker.brokers()), member(broker.brokers()));
    let together = shared_out(&mut [(&mut three, 2), (&mut four, 2)]).await;
    eprintln!("two at the same moment in {together:?}");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_forms_again_after_a_restart_and_keeps_its_offsets() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let brokers = broker.brokers().to_owned();
    let port = brokers.rsplit(':').next().unwrap().parse().unwrap();
    make_topic(&brokers, "events", 4, "delete", "-1").await;
    let mut one = member(&brokers);
    shared_out(&mut [(&mut one, 4)]).await;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("events", 2, Offset::Offset(5))
        .unwrap();
    one.0
        .commit(&list, rdkafka::consumer::CommitMode::Sync)
        .unwrap();
    broker.stop().await;
    let broker = EmbeddedBroker::start(dir.path(), Some(port)).await.unwrap();
    one.1.mark_unchanged();
    // The member learns at a heartbeat that nobody knows it, is revoked, and joins again.
    let begun = Instant::now();
    let revoked = async {
        tokio::select! {
            revoked = one.1.wait_for(Option::is_none) => drop(revoked.unwrap()),
            () = async { loop { let _ = one.0.recv().await; } } => {}
        }
    };
    tokio::time::timeout(PATIENCE, revoked)
        .await
        .expect("revoked in time");
    shared_out(&mut [(&mut one, 4)]).await;
    eprintln!("joined again after a restart in {:?}", begun.elapsed());
    let committed = one.0.committed(PATIENCE).unwrap();
    assert_eq!(
        committed.find_partition("events", 2).unwrap().offset(),
        Offset::Offset(5)
    );
    broker.stop().await;
}

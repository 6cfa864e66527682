//! The sink and the drain against librdkafka's mock broker.

use super::*;
use crate::sink::{DurableSink, SPOOL_AFTER, Sink};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    mocking::MockCluster,
    producer::DefaultProducerContext,
};
use runtime::{Producer, kafka::KafkaSettings};
use schemas::topics::EVENTS;
use std::collections::BTreeMap;
use tempfile::TempDir;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(30);

struct Rig {
    cluster: MockCluster<'static, DefaultProducerContext>,
    kafka: KafkaSettings,
    dir: TempDir,
    readiness: Readiness,
    spool: Arc<Spool>,
    sink: DurableSink,
    drain: JoinHandle<()>,
}

impl Rig {
    fn new(max_bytes: u64) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(EVENTS, 2, 1).unwrap();
        let kafka = KafkaSettings::new(cluster.bootstrap_servers());
        let dir = TempDir::new().unwrap();
        let readiness = Readiness::default();
        let spool = Arc::new(open_with(dir.path(), max_bytes, &readiness).unwrap());
        let producer = Arc::new(Producer::new(&kafka).unwrap());
        let sink = DurableSink::new(producer, Arc::clone(&spool));
        let drain = tokio::spawn(Arc::clone(&spool).drain(kafka.clone()));
        Self {
            cluster,
            kafka,
            dir,
            readiness,
            spool,
            sink,
            drain,
        }
    }

    async fn publish(&self, key: &str, number: usize) -> bool {
        publish(&self.sink, key, number).await
    }

    /// The spool's part of `/ready`.
    fn shown(&self) -> String {
        self.readiness.texts()[SPOOL_PART].clone()
    }

    /// Waits until the spool is empty.
    async fn emptied(&self) {
        let emptied = async {
            loop {
                let ended = self.spool.shared.ended.notified();
                tokio::pin!(ended);
                ended.as_mut().enable();
                if !self.spool.holds_events() {
                    return;
                }
                ended.await;
            }
        };
        tokio::time::timeout(PATIENCE, emptied)
            .await
            .expect("the spool did not drain");
    }

    /// The first occurrences of events in the log, by key, in order.
    async fn log(&self) -> BTreeMap<String, Vec<String>> {
        let kafka = self.kafka.clone();
        tokio::task::spawn_blocking(move || read(&kafka))
            .await
            .unwrap()
    }
}

/// Publishes an event; whether it was accepted.
async fn publish(sink: &DurableSink, key: &str, number: usize) -> bool {
    sink.publish(&[event(key, number)]).await[0].is_ok()
}

fn read(kafka: &KafkaSettings) -> BTreeMap<String, Vec<String>> {
    let consumer: BaseConsumer = kafka.consumer_with_ends("test").create().unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..2 {
        list.add_partition_offset(EVENTS, partition, Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut events: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut ended = 0;
    while ended < 2 {
        match consumer.poll(PATIENCE).expect("an event or an end") {
            Ok(message) => {
                let key = String::from_utf8_lossy(message.key().unwrap()).into_owned();
                let text = String::from_utf8_lossy(message.payload().unwrap()).into_owned();
                let texts = events.entry(key).or_default();
                // Duplicates count once, like in the projector.
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            Err(KafkaError::PartitionEOF(_)) => ended += 1,
            Err(error) => panic!("{error}"),
        }
    }
    events
}

fn expected(key: &str, numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| format!("{key} {number}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_an_outage_are_accepted_and_reach_the_log_in_order() {
    let rig = Rig::new(10_000_000);
    assert!(rig.publish("a", 0).await);
    rig.emptied().await;
    rig.cluster.broker_down(1).unwrap();
    for number in 1..200 {
        assert!(rig.publish("a", number).await, "{number}");
    }
    // All tenants profit from the first one's wait.
    let tenants: Vec<String> = (0..40).map(|number| format!("tenant {number}")).collect();
    let begun = std::time::Instant::now();
    for tenant in &tenants {
        assert!(rig.publish(tenant, 0).await);
    }
    assert!(begun.elapsed() < SPOOL_AFTER * 20, "{:?}", begun.elapsed());
    assert!(rig.readiness.is_ready());
    let shown = rig.shown();
    assert!(shown.contains("wait on the disk"), "{shown}");
    assert_eq!(rig.spool.shared.lock().depth().events, 199 + 40);

    rig.cluster.broker_up(1).unwrap();
    rig.emptied().await;
    assert_eq!(rig.shown(), "ready");
    assert!(rig.publish("a", 200).await);
    rig.emptied().await;
    let log = rig.log().await;
    assert_eq!(log["a"], expected("a", 0..201));
    for tenant in &tenants {
        assert_eq!(log[tenant], expected(tenant, 0..1));
    }
    rig.spool.close().await;
    rig.drain.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_never_pauses_returns_to_the_log_in_order() {
    let rig = Rig::new(10_000_000);
    rig.cluster.broker_down(1).unwrap();
    for number in 0..50 {
        assert!(rig.publish("a", number).await);
    }
    rig.cluster.broker_up(1).unwrap();
    let mut number = 50;
    let begun = std::time::Instant::now();
    while rig.spool.holds_events() {
        assert!(rig.publish("a", number).await);
        number += 1;
        assert!(
            begun.elapsed() < PATIENCE,
            "{number} events, still in the spool"
        );
    }
    assert!(rig.publish("a", number).await);
    assert_eq!(rig.log().await["a"], expected("a", 0..=number));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_an_outage_loses_nothing() {
    let rig = Rig::new(10_000_000);
    rig.cluster.broker_down(1).unwrap();
    for number in 0..20 {
        assert!(rig.publish("a", number).await);
    }
    rig.spool.close().await;
    rig.drain.abort();
    assert!(
        !rig.publish("a", 20).await,
        "a closed spool accepts nothing"
    );
    let spool = Arc::new(open(rig.dir.path()));
    assert!(spool.holds_events());
    let drain = tokio::spawn(Arc::clone(&spool).drain(rig.kafka.clone()));
    rig.cluster.broker_up(1).unwrap();
    let rig = Rig {
        spool,
        drain,
        ..rig
    };
    rig.emptied().await;
    assert_eq!(rig.log().await["a"][..20], expected("a", 0..20));
    rig.spool.close().await;
    assert!(!open(rig.dir.path()).holds_events());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_refuses_and_takes_again_once_it_drains() {
    let one = size(&event("a", 1_000));
    let rig = Rig::new(10 * one);
    rig.cluster.broker_down(1).unwrap();
    let mut kept = Vec::new();
    for number in 1_000..1_020 {
        if rig.publish("a", number).await {
            kept.push(number);
        }
    }
    assert_eq!(kept, (1_000..1_010).collect::<Vec<_>>());
    assert!(rig.readiness.is_ready());
    let shown = rig.shown();
    assert!(shown.contains("full"), "{shown}");
    // A batch gets one verdict for each event.
    let batch = [event("a", 1_020), event("b", 1_021)];
    let verdicts = rig.sink.publish(&batch).await;
    assert!(verdicts.iter().all(Result::is_err), "{verdicts:?}");
    rig.cluster.broker_up(1).unwrap();
    rig.emptied().await;
    assert!(rig.publish("a", 1_030).await);
    let log = rig.log().await;
    let begin = &log["a"][..10];
    assert_eq!(begin, expected("a", 1_000..1_010));
    assert_eq!(log["a"].last().unwrap(), "a 1030");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_log_never_accepts_is_refused_and_not_spooled() {
    let rig = Rig::new(10_000_000);
    let large = Outgoing {
        key: "a".to_owned(),
        payload: vec![b'x'; 1_100_000],
    };
    let large = std::slice::from_ref(&large);
    assert!(rig.sink.publish(large).await[0].is_err());
    assert!(!rig.spool.holds_events());
    rig.cluster.broker_down(1).unwrap();
    assert!(rig.publish("a", 0).await);
    assert!(rig.sink.publish(large).await[0].is_err());
    assert_eq!(rig.spool.shared.lock().depth().events, 1);
    rig.cluster.broker_up(1).unwrap();
    rig.emptied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_of_other_partitions_do_not_wait_for_one_that_does_not_answer() {
    let cluster = MockCluster::new(2).unwrap();
    cluster.create_topic(EVENTS, 2, 1).unwrap();
    for (partition, broker) in [(0, 1), (1, 2)] {
        cluster
            .partition_leader(EVENTS, partition, Some(broker))
            .unwrap();
    }
    let kafka = KafkaSettings::new(cluster.bootstrap_servers());
    let dir = TempDir::new().unwrap();
    let spool = Arc::new(open(dir.path()));
    let producer = Arc::new(Producer::new(&kafka).unwrap());
    // A key for each partition.
    let mut keys: BTreeMap<i32, String> = BTreeMap::new();
    for number in 0.. {
        let key = format!("key {number}");
        let event = [event(&key, 0)];
        let sent = producer
            .send(&crate::sink::log::records(&event))
            .await
            .remove(0);
        keys.entry(sent.unwrap().partition).or_insert(key);
        if keys.len() == 2 {
            break;
        }
    }
    let sink = DurableSink::new(producer, Arc::clone(&spool));
    let drain = tokio::spawn(Arc::clone(&spool).drain(kafka));
    cluster.broker_down(2).unwrap();
    for number in 1..10 {
        assert!(publish(&sink, &keys[&1], number).await);
    }
    // The other tenant may start in the spool, and leaves it although the first one cannot.
    let begun = std::time::Instant::now();
    loop {
        assert!(publish(&sink, &keys[&0], 1).await);
        if !spool.has_lane(&keys[&0]) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE);
    }
    assert!(spool.has_lane(&keys[&1]));
    drain.abort();
}

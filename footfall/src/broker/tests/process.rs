//! The broker as a part of a process: any place, any moment, gone in time.

use std::time::Instant;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn any_directory_will_do() {
    for name in ["with space", "Größe 測試 %41 #?&", "plain"] {
        let dir = data_dir();
        let inside = dir.path().join(name).join("log");
        let broker = start(&inside).await;
        make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
        publish(&producer(broker.brokers()), "events", 0, "k", name).await;
        assert!(inside.join("log.db").is_file(), "{name}");
        assert!(inside.join("log.db-wal").is_file(), "{name}");
        broker.stop().await;
        let broker = start(&inside).await;
        let consumer = consumer(broker.brokers(), 100);
        assign(&consumer, "events", &[(0, 0)]);
        assert_eq!(values(&consumer, 1).await, [name]);
        broker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_survives_a_restart_of_the_broker() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let brokers = broker.brokers().to_owned();
    let port = brokers.rsplit(':').next().unwrap().parse().unwrap();
    make_topic(&brokers, "events", 1, "delete", "-1").await;
    let producer = producer(&brokers);
    for value in 0..10 {
        publish(&producer, "events", 0, "k", &value.to_string()).await;
    }
    let begun = Instant::now();
    broker.stop().await;
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    let waiting = publish(&producer, "events", 0, "k", "10");
    let restart = async {
        let begun = Instant::now();
        let broker = EmbeddedBroker::start(dir.path(), Some(port)).await.unwrap();
        eprintln!("restarted in {:?}", begun.elapsed());
        broker
    };
    let (offset, broker) = tokio::join!(waiting, restart);
    assert_eq!(offset, 10);
    publish(&producer, "events", 0, "k", "11").await;
    let consumer = consumer(&brokers, 100);
    assign(&consumer, "events", &[(0, 0)]);
    let all = values(&consumer, 12).await;
    assert_eq!(
        all,
        (0..12).map(|value| value.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(
        consumer.fetch_watermarks("events", 0, PATIENCE).unwrap(),
        (0, 12)
    );
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_does_not_wait_for_waiting_fetches() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 4, "delete", "-1").await;
    publish(&producer(broker.brokers()), "events", 0, "k", "first").await;
    let consumer = consumer(broker.brokers(), 60_000);
    assign(&consumer, "events", &[(0, 0), (1, 0)]);
    assert_eq!(values(&consumer, 1).await, ["first"]);
    let begun = Instant::now();
    broker.stop().await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert!(!dir.path().join("log.db-wal").exists(), "the file is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_said_so() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let port = broker
        .brokers()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let second = EmbeddedBroker::start(data_dir().path(), Some(port)).await;
    let error = second.err().unwrap().to_string();
    assert!(error.contains(&port.to_string()), "{error}");
    broker.stop().await;
}

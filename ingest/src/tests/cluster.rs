//! Tests a whole instance on a real cluster, which `scripts/apache-kafka run -- cargo test` starts.
//! Without a cluster the tests print that they are skipped.

use super::kit::*;
use crate::{Config, Ingest, LOG_PART, outcome::Outcome, start};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
};
use runtime::{Context, Producer, Settings, kafka::KafkaSettings, producer::Record, topics};
use schemas::{
    directory::Entry,
    topics::{DIRECTORY, EVENTS},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tower::ServiceExt;

const PARTITIONS: i32 = 3;
const PATIENCE: Duration = Duration::from_secs(30);

fn started(brokers: &str, id_secret: &str) -> (Ingest, Context) {
    let context = Context::system();
    let mut settings = Settings::from_pairs([
        ("KAFKA_BROKERS", brokers),
        ("JWT_SECRET", SECRET),
        ("TRACKING_HMAC_SECRET", SECRET),
        ("ID_SECRET", id_secret),
        ("VISITOR_HASH_SECRET", SECRET),
    ]);
    let config = Config::read(&mut settings, &context).unwrap();
    settings.finish().unwrap();
    (start(config, &context).unwrap(), context)
}

/// Deletes our topics, so the cluster is as if unused.
async fn delete_topics(kafka: &KafkaSettings) {
    let admin: AdminClient<DefaultClientContext> = kafka.admin().create().unwrap();
    let names = [EVENTS, DIRECTORY, schemas::topics::DEAD_LETTERS];
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    let _ = admin.delete_topics(&names, &options).await.unwrap();
    let consumer: BaseConsumer = kafka.consumer("footfall-tests").create().unwrap();
    // The broker acknowledges the deletion before it is complete.
    while consumer
        .fetch_metadata(None, PATIENCE)
        .unwrap()
        .topics()
        .iter()
        .any(|topic| topic.name().starts_with("footfall."))
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn put(producer: &Producer, entry: &Entry) {
    let payload = serde_json::to_vec(entry).unwrap();
    let record = Record {
        topic: DIRECTORY,
        key: &entry.key(),
        payload: &payload,
        headers: &[],
    };
    producer.send(&[record]).await.pop().unwrap().unwrap();
}

async fn call(ingest: &Ingest, path: &str, body: &Value) -> (u16, Value) {
    let response = ingest
        .router
        .clone()
        .oneshot(post(path, body.to_string()))
        .await
        .unwrap();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

fn session(page: schemas::PageId, consent: &str) -> Value {
    let now = Context::system().clock.now();
    json!({
        "visitorId": "v",
        "consentAnalytics": consent,
        "bioPageId": page,
        "trackingToken": token_at(page, now),
    })
}

/// How many events of each type the log has.
fn log(kafka: &KafkaSettings) -> BTreeMap<String, usize> {
    let consumer: BaseConsumer = kafka.consumer_with_ends("test").create().unwrap();
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        partitions
            .add_partition_offset(EVENTS, partition, Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&partitions).unwrap();
    let mut types = BTreeMap::new();
    let mut open = PARTITIONS;
    while open > 0 {
        match consumer.poll(PATIENCE).expect("the broker answers") {
            Ok(message) => {
                let event: Value = serde_json::from_slice(message.payload().unwrap()).unwrap();
                assert_eq!(event["workspace_id"], json!(WORKSPACE));
                *types
                    .entry(event["type"].as_str().unwrap().to_owned())
                    .or_default() += 1;
            }
            Err(rdkafka::error::KafkaError::PartitionEOF(_)) => open -= 1,
            Err(error) => panic!("{error}"),
        }
    }
    types
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_waits_for_its_topics_serves_remembers_its_secrets_and_loses_nothing() {
    let Some(brokers) = std::env::var("KAFKA_BROKERS")
        .ok()
        .filter(|brokers| !brokers.is_empty())
    else {
        eprintln!("SKIPPED: no cluster in KAFKA_BROKERS");
        return;
    };
    let kafka = KafkaSettings::new(&brokers);
    delete_topics(&kafka).await;
    let (ingest, context) = started(&brokers, SECRET);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let log_part = context.readiness.parts()[LOG_PART].clone().unwrap();
    assert!(log_part.contains("footfall topics"), "{log_part}");

    topics::ensure(&kafka, PARTITIONS, &*context.ids, context.clock.now())
        .await
        .unwrap();
    tokio::time::timeout(PATIENCE, context.readiness.wait())
        .await
        .unwrap();
    let producer = Producer::new(&kafka).unwrap();
    put(&producer, &page(PAGE, WORKSPACE_NO, WORKSPACE)).await;

    let (status, answer) = call(&ingest, "/session", &session(PAGE, "granted")).await;
    assert_eq!(status, 200, "{answer}");
    let id = answer["data"]["id"].as_str().unwrap();
    let began = Instant::now();
    for _ in 0..5 {
        let (status, _) = call(&ingest, &format!("/session/{id}/heartbeat"), &json!({})).await;
        assert_eq!(status, 200);
    }
    println!("a heartbeat took {:?}", began.elapsed() / 5);
    call(&ingest, "/session", &session(PAGE, "denied")).await;
    assert_eq!(ingest.outcomes.sum(Outcome::Accepted), 6);
    let began = Instant::now();
    context.lifecycle.finish().await.unwrap();
    println!("the stop took {:?}", began.elapsed());
    let types = log(&kafka);
    let expected = [
        ("beacon.refused", 1),
        ("session.heartbeat", 5),
        ("session.started", 1),
    ];
    assert_eq!(
        types,
        expected
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );

    let (_strange, strange) = started(&brokers, "another-secret-another-secret-another");
    let ended = tokio::time::timeout(PATIENCE, strange.lifecycle.run_to_end())
        .await
        .unwrap();
    let said = ended.unwrap_err().to_string();
    assert!(
        said.contains("ID_SECRET") && said.contains("--accept-new-secrets"),
        "{said}"
    );

    let (ingest, context) = started(&brokers, SECRET);
    tokio::time::timeout(PATIENCE, context.readiness.wait())
        .await
        .unwrap();
    assert!(ingest.intake.directory().page(PAGE).is_some());
    let admin: AdminClient<DefaultClientContext> = kafka.admin().create().unwrap();
    admin
        .delete_topics(&[DIRECTORY], &AdminOptions::new())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    topics::ensure(&kafka, PARTITIONS, &*context.ids, context.clock.now())
        .await
        .unwrap();
    let producer = Producer::new(&kafka).unwrap();
    put(&producer, &late_page()).await;
    let began = Instant::now();
    let replaced = ingest.intake.directory().wait_for(PATIENCE, |directory| {
        let reread = directory.page(LATE_PAGE).is_some() && directory.page(PAGE).is_none();
        (reread && directory.secrets().is_some()).then_some(())
    });
    assert!(replaced.await.is_some(), "the new topic was not read");
    println!("the new directory was read after {:?}", began.elapsed());
    context.lifecycle.finish().await.unwrap();
}

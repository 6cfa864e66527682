//! Tests the directory's feed and the fingerprints against librdkafka's mock cluster.

use super::kit::*;
use crate::{
    directory::{
        Directory,
        feed::Feed,
        fingerprints::{self, FingerprintError},
    },
    secrets::Secrets,
};
use rdkafka::mocking::MockCluster;
use runtime::{Context, Lifecycle, Producer, kafka::KafkaSettings, producer::Record};
use schemas::{
    Keyring, PageId, WorkspaceNo,
    directory::{Entry, SecretFingerprints},
    topics::DIRECTORY,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;
use uuid::Uuid;

/// Longer than any step of these tests takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

struct Log {
    // Must live as long as its clients.
    _cluster: MockCluster<'static, rdkafka::producer::DefaultProducerContext>,
    kafka: KafkaSettings,
    producer: Producer,
}

impl Log {
    fn new() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(DIRECTORY, 1, 1).unwrap();
        let kafka = KafkaSettings::new(cluster.bootstrap_servers());
        let producer = Producer::new(&kafka).unwrap();
        Self {
            _cluster: cluster,
            kafka,
            producer,
        }
    }

    async fn append(&self, key: &str, payload: &[u8]) {
        let record = Record {
            topic: DIRECTORY,
            key,
            payload,
            headers: &[],
        };
        self.producer.send(&[record]).await.pop().unwrap().unwrap();
    }

    async fn put(&self, entry: &Entry) {
        let payload = serde_json::to_vec(entry).unwrap();
        self.append(&entry.key(), &payload).await;
    }

    /// Starts a feed. Returns its directory, its lifecycle, and the signal of completion.
    fn feed(&self) -> (Arc<Directory>, Lifecycle, watch::Receiver<bool>) {
        let context = Context::system();
        let directory = Arc::new(Directory::default());
        let (complete, completed) = watch::channel(false);
        let feed = Feed::new(
            self.kafka.clone(),
            Arc::clone(&directory),
            context.clock,
            context.lifecycle.clone(),
            complete,
        );
        context.lifecycle.spawn_worker("directory", feed.run());
        (directory, context.lifecycle, completed)
    }
}

async fn await_complete(completed: &mut watch::Receiver<bool>) {
    let complete = completed.wait_for(|complete| *complete);
    tokio::time::timeout(PATIENCE, complete)
        .await
        .unwrap()
        .unwrap();
}

fn numbered(page_no: u128, workspace_no: u32) -> Entry {
    page(
        PageId(Uuid::from_u128(page_no)),
        WorkspaceNo(workspace_no),
        WORKSPACE,
    )
}

#[tokio::test]
async fn the_topic_is_read_to_its_end_and_then_followed_until_the_stop() {
    let log = Log::new();
    for page_no in 1..=50 {
        log.put(&numbered(page_no, 7)).await;
    }
    log.append("campaign:1", br#"{"kind":"campaign","row_version":1}"#)
        .await;
    log.append("page:x", b"").await;
    log.append("page:y", b"\xff").await;
    log.put(&numbered(1, 8)).await;

    let (directory, lifecycle, mut completed) = log.feed();
    await_complete(&mut completed).await;
    let workspace_of = |page_no| {
        let known = directory.page(PageId(Uuid::from_u128(page_no)));
        known.map(|page| page.tenant.workspace_no.0)
    };
    assert_eq!(
        (workspace_of(1), workspace_of(50), workspace_of(51)),
        (Some(8), Some(7), None)
    );

    let late = PageId(Uuid::from_u128(51));
    let waiting = {
        let directory = Arc::clone(&directory);
        tokio::spawn(async move { directory.wait_for(PATIENCE, |known| known.page(late)).await })
    };
    let started = Instant::now();
    log.put(&numbered(51, 9)).await;
    assert_eq!(waiting.await.unwrap().unwrap().tenant.workspace_no.0, 9);
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );

    let started = Instant::now();
    lifecycle.finish().await.unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn an_empty_directory_is_complete() {
    let log = Log::new();
    let (directory, lifecycle, mut completed) = log.feed();
    await_complete(&mut completed).await;
    assert_eq!(directory.page(PAGE), None);
    lifecycle.finish().await.unwrap();
}

fn secrets(id: &str) -> SecretFingerprints {
    let ring = |text: &str| Keyring::parse(text).unwrap();
    Secrets {
        tracking: ring(SECRET),
        id: ring(id),
        visitor: ring(SECRET),
    }
    .fingerprints()
}

#[tokio::test]
async fn a_log_keeps_the_fingerprints_of_its_secrets() {
    let log = Log::new();
    let other = "another-secret-another-secret-another";
    let rotated = format!("{other},{SECRET}");
    let steps = [
        ("the first secrets are written", SECRET, false, Ok(())),
        ("the same are taken", SECRET, false, Ok(())),
        (
            "others are refused",
            other,
            false,
            Err(FingerprintError::Strangers(vec!["ID_SECRET"])),
        ),
        ("a rotation is taken", &rotated, false, Ok(())),
        ("and its end", other, false, Ok(())),
        ("others are taken when asked for", SECRET, true, Ok(())),
        ("and then stand there", SECRET, false, Ok(())),
    ];
    for (what, id, accept_new, expected) in steps {
        let (directory, lifecycle, mut completed) = log.feed();
        await_complete(&mut completed).await;
        let settled =
            fingerprints::settle(&directory, &secrets(id), accept_new, &log.producer).await;
        assert_eq!(settled, expected, "{what}");
        lifecycle.finish().await.unwrap();
    }
}

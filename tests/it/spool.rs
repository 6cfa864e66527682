//! The spool of a separate ingest: a broker that goes away under load, `kill -9` in the middle, and a full spool.

use crate::separate_ingest::{Ingest, free_address};
use kit::{Client, System, client::Creator, system::PATIENCE};
use reqwest::Method;
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Opens a session. Returns the status, or `None` if the connection broke.
async fn open_session(client: &Client, page: Uuid, number: u128) -> Option<u16> {
    let mut body = client.session_body(page, &format!("visitor {number}"));
    body["eventId"] = json!(Uuid::from_u128(number));
    let request = client.request(Method::POST, "/api/v1/analytics/session");
    let answer = request.json(&body).send().await.ok()?;
    Some(answer.status().as_u16())
}

/// Waits until the tables have that many sessions of the page, and then counts again after everything in the log.
async fn assert_sessions(system: &System, creator: &Creator, expected: i64) {
    let count = async || -> i64 {
        let statement = "SELECT count(*) FROM sessions WHERE page_id = $1";
        let counted = sqlx::query_scalar(statement).bind(creator.page);
        counted.fetch_one(&system.analytics).await.unwrap()
    };
    let reached = async {
        while count().await < expected {
            // The tables send no notification of changes.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, reached).await;
    assert!(waited.is_ok(), "{} of {expected} sessions", count().await);
    system.settle().await;
    assert_eq!(count().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn beacons_of_an_outage_count_exactly_once_in_spite_of_kill_9() {
    const CLIENTS: u128 = 8;
    const BEACONS: u128 = 40;
    if kit::log::is_given() {
        // The tests cannot stop a given cluster.
        return;
    }
    let mut system = System::start().await;
    let creator = system.client.creator("ada").await;
    let folder = TempDir::new().unwrap();
    let spool = folder.path().join("spool");
    let address = free_address();
    let ingest = Ingest::start(&system, &address, &spool, 100_000_000);
    ingest.ready().await;
    for number in 0..5 {
        assert_eq!(
            open_session(&ingest.client, creator.page, number).await,
            Some(200)
        );
    }
    assert_eq!(ingest.metric("ingest_spooled_total").await, 0);

    system.log.stop().await;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (http, acknowledged) = (ingest.client.clone(), Arc::clone(&acknowledged));
        let page = creator.page;
        clients.spawn(async move {
            for beacon in 0..BEACONS {
                let number = 1_000 * (client + 1) + beacon;
                // Like a tracker: the same eventId until it is acknowledged.
                while open_session(&http, page, number).await != Some(200) {
                    // Nothing tells when a killed process listens again.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                acknowledged.fetch_add(1, Ordering::AcqRel);
            }
        });
    }
    let half = u64::try_from(CLIENTS * BEACONS / 2).unwrap();
    let reached = async {
        while acknowledged.load(Ordering::Acquire) < half {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, reached).await;
    waited.expect("beacons are acknowledged while the broker is stopped");
    assert_eq!(
        ingest
            .metric("ingest_beacons_total{type=\"session\",outcome=\"overloaded\"}")
            .await,
        0
    );
    assert!(
        ingest
            .client
            .get("/ready")
            .await
            .text
            .contains("wait on the disk")
    );
    ingest.program.kill();

    let ingest = Ingest::start(&system, &address, &spool, 100_000_000);
    system.log.start_again().await;
    ingest.ready().await;
    while clients.join_next().await.transpose().unwrap().is_some() {}
    assert_sessions(
        &system,
        &creator,
        i64::try_from(5 + CLIENTS * BEACONS).unwrap(),
    )
    .await;
    let drained = async {
        while ingest.metric("ingest_spool_events").await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, drained)
        .await
        .expect("the spool did not drain");
    ingest.program.signal("TERM");
    assert_eq!(ingest.program.wait(), Some(0));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_answers_503_and_its_metrics_agree() {
    if kit::log::is_given() {
        return;
    }
    let mut system = System::start().await;
    let creator = system.client.creator("ada").await;
    let folder = TempDir::new().unwrap();
    let ingest = Ingest::start(&system, &free_address(), folder.path(), 20_000);
    ingest.ready().await;
    assert_eq!(
        open_session(&ingest.client, creator.page, 1).await,
        Some(200)
    );
    system.log.stop().await;

    let mut statuses = BTreeMap::new();
    for number in 2..62 {
        let status = open_session(&ingest.client, creator.page, number).await;
        *statuses.entry(status.unwrap()).or_insert(0u64) += 1;
    }
    let (kept, refused) = (statuses[&200], statuses[&503]);
    assert_eq!(kept + refused, 60, "{statuses:?}");
    assert!(kept >= 10, "{statuses:?}");
    let series =
        |outcome: &str| format!("ingest_beacons_total{{type=\"session\",outcome=\"{outcome}\"}}");
    for (series, expected) in [
        (series("accepted"), kept + 1),
        (series("overloaded"), refused),
        (
            "ingest_spool_refused_total{reason=\"full\"}".to_owned(),
            refused,
        ),
        ("ingest_spooled_total".to_owned(), kept),
        ("ingest_spool_events".to_owned(), kept),
    ] {
        assert_eq!(ingest.metric(&series).await, expected, "{series}");
    }
    assert!(ingest.metric("ingest_spool_bytes").await <= 20_000);
    let ready = ingest.client.get("/ready").await;
    assert!(
        ready.status == 200 && ready.text.contains("the spool is full"),
        "{}",
        ready.text
    );

    system.log.start_again().await;
    assert_sessions(&system, &creator, i64::try_from(kept + 1).unwrap()).await;
    // A retry of a refused beacon counts, too.
    assert_eq!(
        open_session(&ingest.client, creator.page, 61).await,
        Some(200)
    );
    assert_sessions(&system, &creator, i64::try_from(kept + 2).unwrap()).await;
    system.finish().await;
}

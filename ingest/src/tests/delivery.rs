//! Tests durability and waiting: 2xx only when the event is durable, and one outcome per request.

use super::kit::*;
use crate::outcome::{BeaconType, Outcome};
use axum::body::Body;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use uuid::Uuid;

fn session(page: schemas::PageId, event_id: u128) -> Value {
    json!({
        "visitorId": "raw-visitor",
        "consentAnalytics": "granted",
        "bioPageId": page,
        "trackingToken": token(page),
        "eventId": Uuid::from_u128(event_id),
    })
}

#[tokio::test]
async fn a_failing_log_is_answered_503_and_the_retry_gets_the_same_id() {
    let instance = Instance::new();
    instance.sink.set(Mode::Fail);
    let first = instance.post("/session", &session(PAGE, 1)).await;
    assert_eq!(
        (first.status, first.header("retry-after")),
        (503, Some("2"))
    );
    assert_eq!(first.json()["error"]["code"], "SERVICE_UNAVAILABLE");
    instance.sink.set(Mode::Keep);
    let second = instance.post("/session", &session(PAGE, 1)).await;
    let third = instance.post("/session", &session(PAGE, 1)).await;
    assert_eq!((second.status, &second.body), (200, &third.body));
    let events = instance.sink.take_json();
    assert_eq!(events[0], events[1]);
    let count = |outcome| instance.outcomes().count(BeaconType::Session, outcome);
    assert_eq!([Outcome::Overloaded, Outcome::Accepted].map(count), [1, 2]);
    assert_eq!(instance.outcomes().total(), 3);
}

#[tokio::test]
async fn no_answer_is_sent_before_the_sink_is_done() {
    let instance = Instance::new();
    let go = Arc::new(Notify::new());
    instance.sink.set(Mode::Hold(Arc::clone(&go)));
    let answer = tokio::spawn(instance.call(post("/session", session(PAGE, 1).to_string())));
    instance.sink.entered.notified().await;
    tokio::task::yield_now().await;
    assert!(!answer.is_finished());
    assert_eq!(instance.outcomes().total(), 0);
    go.notify_one();
    assert_eq!(answer.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_client_that_disconnects_during_publication_still_has_one_outcome() {
    let instance = Instance::new();
    let go = Arc::new(Notify::new());
    instance.sink.set(Mode::Hold(Arc::clone(&go)));
    let answer = tokio::spawn(instance.call(post("/session", session(PAGE, 1).to_string())));
    instance.sink.entered.notified().await;
    answer.abort();
    assert!(answer.await.unwrap_err().is_cancelled());
    assert_eq!(instance.outcomes().total(), 0);
    go.notify_one();
    instance.intake.finish_deliveries().await;
    assert_eq!(instance.counts(), [("session.accepted".to_owned(), 1)]);
    assert_eq!(instance.sink.take().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_disconnects_earlier_has_one_outcome_too() {
    let instance = Instance::new();
    let waits = instance.call(post("/session", session(LATE_PAGE, 1).to_string()));
    assert!(
        tokio::time::timeout(Duration::from_secs(1), waits)
            .await
            .is_err()
    );
    assert_eq!(instance.counts(), [("session.unknown_page".to_owned(), 1)]);

    let endless = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let reads = instance.call(post("/pageview", endless));
    assert!(
        tokio::time::timeout(Duration::from_secs(1), reads)
            .await
            .is_err()
    );
    assert_eq!(
        instance
            .outcomes()
            .count(BeaconType::Pageview, Outcome::Invalid),
        1
    );
    assert_eq!(instance.outcomes().total(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_takes_too_long_is_answered_408() {
    let instance = Instance::new();
    let endless = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let answered = instance.call(post("/pageview", endless)).await;
    assert_eq!(answered.status, 408);
    assert_eq!(instance.counts(), [("pageview.invalid".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_beacon_waits_for_a_proven_page_and_then_gets_503() {
    let instance = Instance::new();
    let started = tokio::time::Instant::now();
    let answered = instance.post("/session", &session(LATE_PAGE, 1)).await;
    assert_eq!(
        (answered.status, answered.header("retry-after")),
        (503, Some("2"))
    );
    assert_eq!(started.elapsed().as_secs(), 2);
    assert_eq!(instance.counts(), [("session.unknown_page".to_owned(), 1)]);
    assert!(instance.sink.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_beacon_is_accepted_as_soon_as_its_page_becomes_known() {
    let instance = Instance::new();
    let started = tokio::time::Instant::now();
    let waits = tokio::spawn(instance.call(post("/session", session(LATE_PAGE, 1).to_string())));
    tokio::time::sleep(Duration::from_millis(300)).await;
    instance.intake.directory().apply(late_page());
    assert_eq!(waits.await.unwrap().status, 200);
    assert_eq!(started.elapsed().as_millis(), 300);
    assert_eq!(instance.sink.take_json()[0]["workspace_no"], 43);
}

#[tokio::test(start_paused = true)]
async fn a_proven_id_waits_for_its_workspace_and_a_bad_token_does_not() {
    let instance = Instance::new();
    let started = tokio::time::Instant::now();
    let mut stranger = session(LATE_PAGE, 1);
    stranger["trackingToken"] = "0".repeat(32).into();
    let refused = instance.post("/session", &stranger).await;
    assert_eq!(
        refused.json(),
        json!({"success": true, "data": {"id": null}})
    );
    assert_eq!(started.elapsed().as_millis(), 0);

    let path = format!("/session/{}/heartbeat", session_of(LATE_WORKSPACE_NO));
    let answered = instance.post(&path, &json!({})).await;
    assert_eq!((answered.status, started.elapsed().as_secs()), (503, 2));
    instance.intake.directory().apply(late_page());
    assert_eq!(instance.post(&path, &json!({})).await.status, 200);
    assert_eq!(instance.sink.take_json()[0]["workspace_no"], 43);
    assert_eq!(instance.outcomes().total(), 3);
}

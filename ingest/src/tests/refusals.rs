//! Tests the sums of refused beacons: contents, time of publication, and that none is lost.

use super::kit::*;
use crate::{
    accept::KnownPage,
    directory::Tenant,
    refusals::{AT_ONCE, MAX_SUMS, Which},
};
use jiff::SignedDuration;
use runtime::Clock;
use schemas::{PageId, RefusalReason};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

fn session(page: schemas::PageId, consent: &str) -> Value {
    json!({"visitorId": "v", "consentAnalytics": consent, "bioPageId": page})
}

#[tokio::test]
async fn refusals_of_known_pages_are_summed_by_reason_and_minute_and_published_once() {
    let instance = Instance::new();
    for _ in 0..3 {
        instance.post("/session", &session(PAGE, "denied")).await;
    }
    instance.post("/session", &session(PAGE, "granted")).await;
    instance
        .post("/session", &session(LATE_PAGE, "denied"))
        .await;
    instance.clock.advance(SignedDuration::from_mins(1));
    instance.post("/session", &session(PAGE, "denied")).await;

    instance.intake.publish_refusals(Which::Finished).await;
    let published = instance.sink.take_json();
    let sums: Vec<_> = published
        .iter()
        .map(|event| {
            let body = &event["body"];
            (
                body["reason"].clone(),
                body["minute"].clone(),
                body["count"].clone(),
            )
        })
        .collect();
    let minute = json!("2026-02-20T10:30:00Z");
    assert_eq!(
        sums,
        [
            (json!("consent"), minute.clone(), json!(3)),
            (json!("token"), minute, json!(1)),
        ]
    );
    assert_eq!(published[0]["type"], "beacon.refused");
    assert_eq!(published[0]["workspace_id"], json!(WORKSPACE));
    assert!(published[0].get("visitor").is_none());

    instance.intake.publish_refusals(Which::Finished).await;
    assert!(instance.sink.take().is_empty());
    instance.intake.publish_refusals(Which::All).await;
    assert_eq!(instance.sink.take_json()[0]["body"]["count"], 1);
    assert_eq!(instance.intake.refusals().waiting(), 0);
}

#[tokio::test]
async fn a_failed_publication_is_repeated_with_the_same_event_id() {
    let instance = Instance::new();
    instance.post("/session", &session(PAGE, "denied")).await;
    instance.clock.advance(SignedDuration::from_mins(1));
    instance.intake.publish_refusals(Which::Finished).await;
    let kept = instance.sink.take_json();

    let instance = Instance::new();
    instance.post("/session", &session(PAGE, "denied")).await;
    instance.clock.advance(SignedDuration::from_mins(1));
    instance.sink.set(Mode::Fail);
    instance.intake.publish_refusals(Which::Finished).await;
    assert_eq!(instance.intake.refusals().waiting(), 1);
    instance.post("/session", &session(PAGE, "denied")).await;
    instance.clock.advance(SignedDuration::from_mins(1));
    instance.sink.set(Mode::Keep);
    instance.intake.publish_refusals(Which::Finished).await;
    let published = instance.sink.take_json();
    assert_eq!(published.len(), 2);
    assert_eq!(
        published[0], kept[0],
        "the id is made once, at the first publication"
    );
    assert_ne!(published[0]["event_id"], published[1]["event_id"]);
}

fn known(page: u128) -> KnownPage {
    KnownPage {
        page_id: PageId(Uuid::from_u128(page)),
        tenant: Tenant {
            workspace_no: WORKSPACE_NO,
            workspace_id: WORKSPACE,
        },
    }
}

fn counts(events: &[Value]) -> u64 {
    let count = |event: &Value| event["body"]["count"].as_u64().unwrap();
    events.iter().map(count).sum()
}

#[tokio::test]
async fn an_outage_merges_sums_and_never_fills_the_queue() {
    let instance = Instance::new();
    let refusals = instance.intake.refusals();
    instance.sink.set(Mode::Fail);
    // Two hours, starting at a quarter of an hour. Each minute has two refusals on each of 300
    // pages.
    instance.clock.set("2026-02-20T10:30:00Z".parse().unwrap());
    for _ in 0..120 {
        for page in 0..300 {
            refusals.add(known(page), RefusalReason::Bot, instance.clock.now());
            refusals.add(known(page), RefusalReason::Bot, instance.clock.now());
        }
        instance.clock.advance(SignedDuration::from_mins(1));
        instance.intake.publish_refusals(Which::Finished).await;
    }
    assert_eq!(
        instance.sink.calls(),
        vec![AT_ONCE; 120],
        "one attempt per minute"
    );
    assert!(
        refusals.waiting() <= AT_ONCE + 300 * 8,
        "{}",
        refusals.waiting()
    );

    instance.sink.set(Mode::Keep);
    instance.intake.publish_refusals(Which::Finished).await;
    assert!(instance.sink.calls().iter().all(|count| *count <= AT_ONCE));
    let published = instance.sink.take_json();
    assert_eq!(counts(&published), 120 * 300 * 2, "none is lost or doubled");
    assert_eq!(refusals.waiting(), 0);
    let minutes: BTreeSet<&str> = published
        .iter()
        .map(|event| event["body"]["minute"].as_str().unwrap())
        .collect();
    assert!(
        minutes
            .iter()
            .all(|minute| minute.ends_with("0:00Z") || minute.ends_with("5:00Z")),
        "{minutes:?}"
    );
    assert_eq!(minutes.len(), 8);
}

#[tokio::test]
async fn a_clean_stop_publishes_any_number_of_sums() {
    let instance = Instance::new();
    for page in 0..1_001 {
        instance
            .intake
            .refusals()
            .add(known(page), RefusalReason::Bot, instance.clock.now());
    }
    instance.intake.publish_refusals(Which::All).await;
    assert_eq!(instance.sink.calls(), [200, 200, 200, 200, 200, 1]);
    assert_eq!(counts(&instance.sink.take_json()), 1_001);
    assert_eq!(instance.intake.refusals().waiting(), 0);
}

#[tokio::test]
async fn a_full_memory_still_counts_known_keys() {
    let instance = Instance::new();
    let refusals = instance.intake.refusals();
    let now = instance.clock.now();
    for page in 0..MAX_SUMS as u128 {
        refusals.add(known(page), RefusalReason::Bot, now);
    }
    let later = now + SignedDuration::from_mins(1);
    refusals.add(known(5), RefusalReason::Bot, later);
    refusals.add(known(u128::MAX), RefusalReason::Bot, later);
    assert_eq!(refusals.waiting(), MAX_SUMS);
    instance.intake.publish_refusals(Which::All).await;
    assert_eq!(counts(&instance.sink.take_json()), MAX_SUMS as u64 + 1);
}

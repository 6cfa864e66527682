//! Sums of refused beacons: what is summed, when it is published, and that nothing of it is lost.

use super::kit::*;
use crate::refusals::Which;
use jiff::SignedDuration;
use serde_json::{Value, json};

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

    instance.service.publish_refusals(Which::Finished).await;
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

    instance.service.publish_refusals(Which::Finished).await;
    assert!(instance.sink.take().is_empty());
    instance.service.publish_refusals(Which::All).await;
    assert_eq!(instance.sink.take_json()[0]["body"]["count"], 1);
    assert_eq!(instance.service.refusals().waiting(), 0);
}

#[tokio::test]
async fn a_failed_publication_is_repeated_with_the_same_event_id() {
    let instance = Instance::new();
    instance.post("/session", &session(PAGE, "denied")).await;
    instance.clock.advance(SignedDuration::from_mins(1));
    instance.sink.set(Mode::Spool);
    instance.service.publish_refusals(Which::Finished).await;
    let kept = instance.sink.take_json();

    let instance = Instance::new();
    instance.post("/session", &session(PAGE, "denied")).await;
    instance.clock.advance(SignedDuration::from_mins(1));
    instance.sink.set(Mode::Fail);
    instance.service.publish_refusals(Which::Finished).await;
    assert_eq!(instance.service.refusals().waiting(), 1);
    instance.post("/session", &session(PAGE, "denied")).await;
    instance.clock.advance(SignedDuration::from_mins(1));
    instance.sink.set(Mode::Keep);
    instance.service.publish_refusals(Which::Finished).await;
    let published = instance.sink.take_json();
    assert_eq!(published.len(), 2);
    assert_eq!(
        published[0], kept[0],
        "made once, when it was first published"
    );
    assert_ne!(published[0]["event_id"], published[1]["event_id"]);
}

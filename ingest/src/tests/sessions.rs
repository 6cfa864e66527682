//! Tests the bounds of a session and an address: views, heartbeats, time, and new sessions per
//! minute.

use super::kit::*;
use crate::{outcome::Outcome, refusals::Which};
use axum::body::Body;
use axum::http::Request;
use jiff::SignedDuration;
use runtime::http::Peer;
use schemas::RefusalReason;
use serde_json::{Value, json};
use uuid::Uuid;

fn session(visitor: usize) -> Value {
    json!({
        "type": "session",
        "visitorId": format!("visitor {visitor}"),
        "consentAnalytics": "granted",
        "bioPageId": PAGE,
        "trackingToken": token(PAGE),
        "eventId": Uuid::from_u64_pair(1, visitor as u64),
    })
}

fn named_view(session: usize, view: u64) -> Value {
    json!({
        "type": "pageview",
        "sessionEventId": Uuid::from_u64_pair(1, session as u64),
        "bioPageId": PAGE,
        "trackingToken": token(PAGE),
        "eventId": Uuid::from_u64_pair(2, view),
    })
}

fn from(peer: &str, path: &str, body: &Value) -> Request<Body> {
    let mut request = post(path, body.to_string());
    request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    request
}

fn verdicts(answered: &Answered) -> Vec<String> {
    let results = answered.json()["data"]["results"].take();
    let verdict = |told: &Value| {
        let reason = told["reason"].as_str().unwrap_or_default();
        format!("{} {reason}", told["status"].as_str().unwrap())
    };
    let results = results.as_array().unwrap();
    results.iter().map(verdict).collect()
}

async fn batch(instance: &Instance, members: &[Value]) -> Vec<String> {
    verdicts(&instance.post("/events", &json!({"events": members})).await)
}

#[tokio::test]
async fn an_address_may_start_120_sessions_of_a_page_per_minute_and_more_are_a_flood() {
    let instance = Instance::new();
    let alone = |visitor| instance.call(from("81.2.69.142:1", "/session", &session(visitor)));
    for visitor in 0..60 {
        assert!(alone(visitor).await.json()["data"]["id"].is_string());
    }
    let members: Vec<Value> = (60..125).map(session).collect();
    let told = batch(&instance, &members).await;
    assert_eq!(told[..60], vec!["ok ".to_owned(); 60]);
    assert_eq!(told[60..], vec!["dropped flood".to_owned(); 5]);
    let over = alone(200).await;
    assert_eq!(
        (over.status, over.json()),
        (200, json!({"success": true, "data": {"id": null}}))
    );
    // A beacon that names a refused session shares its reason.
    let told = batch(&instance, &[session(201), named_view(201, 1)]).await;
    assert_eq!(told, ["dropped flood", "dropped flood"]);
    // Retries and beacons of a known session do not count as a new session.
    assert!(alone(3).await.json()["data"]["id"].is_string());
    assert_eq!(batch(&instance, &[named_view(3, 1)]).await, ["ok "]);
    // Other addresses and other pages are not affected.
    let elsewhere = instance.call(from("81.2.69.143:1", "/session", &session(202)));
    assert!(elsewhere.await.json()["data"]["id"].is_string());
    instance.intake.directory().apply(late_page());
    let mut other = session(203);
    other["bioPageId"] = json!(LATE_PAGE);
    other["trackingToken"] = json!(token(LATE_PAGE));
    assert_eq!(batch(&instance, &[other]).await, ["ok "]);
    assert_eq!(instance.outcomes().refused(RefusalReason::Flood), 8);

    instance.sink.take();
    instance.intake.publish_refusals(Which::All).await;
    let sums = instance.sink.take_json();
    assert_eq!(sums.len(), 1);
    assert_eq!(sums[0]["body"]["reason"], "flood");
    assert_eq!(
        sums[0]["body"]["count"], 7,
        "the view refused with its session is not summed"
    );
    // The limit refills evenly.
    instance.clock.advance(SignedDuration::from_millis(500));
    assert!(alone(204).await.json()["data"]["id"].is_string());
}

#[tokio::test]
async fn an_ipv6_network_counts_as_one_address() {
    let instance = Instance::with(&[("RATE_LIMIT_ANALYTICS_PAGE_FLOOD", "1/60")]);
    let id = async |peer: &str, visitor| {
        let answered = instance
            .call(from(peer, "/session", &session(visitor)))
            .await;
        answered.json()["data"]["id"].take()
    };
    assert!(id("[2001:db8:1:2::1]:1", 1).await.is_string());
    assert!(id("[2001:db8:1:2:ffff::2]:1", 2).await.is_null());
    assert!(id("[2001:db8:1:3::1]:1", 3).await.is_string());
}

#[tokio::test]
async fn names_of_sessions_that_never_began_cost_as_much_as_sessions() {
    let instance = Instance::with(&[("RATE_LIMIT_ANALYTICS_PAGE_FLOOD", "2/60")]);
    let members = [
        named_view(1, 1),
        named_view(1, 2),
        named_view(2, 3),
        named_view(3, 4),
        session(1),
    ];
    let told = batch(&instance, &members).await;
    // Sessions are judged first.
    assert_eq!(told, ["ok ", "ok ", "ok ", "dropped flood", "ok "]);
    // The beacon that named this session has spent the limit already.
    assert_eq!(batch(&instance, &[session(2)]).await, ["ok "]);
}

#[tokio::test]
async fn the_flood_limit_can_be_switched_off() {
    let instance = Instance::with(&[("RATE_LIMITS", "off")]);
    let members: Vec<Value> = (0..300).map(session).collect();
    assert!(
        batch(&instance, &members)
            .await
            .iter()
            .all(|told| told == "ok ")
    );
}

#[tokio::test]
async fn a_session_accepts_1000_views_and_a_retry_counts_once() {
    let instance = Instance::with(&[("RATE_LIMITS", "off")]);
    let views =
        |numbers: std::ops::Range<u64>| numbers.map(|view| named_view(1, view)).collect::<Vec<_>>();
    assert_eq!(batch(&instance, &[session(1)]).await, ["ok "]);
    for numbers in [0..500, 0..500, 500..999] {
        let told = batch(&instance, &views(numbers)).await;
        assert!(told.iter().all(|told| told == "ok "));
    }
    let told = batch(&instance, &views(998..1_002)).await;
    assert_eq!(
        told,
        ["ok ", "ok ", "dropped session_over", "dropped session_over"]
    );

    let id = instance.post("/session", &session(1)).await.json()["data"]["id"].take();
    let view = json!({"sessionId": id, "eventId": Uuid::from_u64_pair(2, 5_000)});
    let answered = instance.post("/pageview", &view).await;
    assert_eq!(
        (answered.status, answered.json()),
        (200, json!({"success": true, "data": {"id": null}}))
    );
    // A retry of a counted view keeps its answer.
    let view = json!({"sessionId": id, "eventId": Uuid::from_u64_pair(2, 7)});
    assert!(instance.post("/pageview", &view).await.json()["data"]["id"].is_string());
    // Other sessions are not affected.
    assert_eq!(batch(&instance, &[named_view(2, 1)]).await, ["ok "]);
    assert_eq!(instance.outcomes().refused(RefusalReason::SessionOver), 3);
    assert_eq!(instance.outcomes().sum(Outcome::Refused), 3);
}

#[tokio::test]
async fn a_session_is_over_after_24_hours() {
    let instance = Instance::new();
    let id = instance.post("/session", &session(1)).await.json()["data"]["id"].take();
    let heartbeat = format!("/session/{}/heartbeat", id.as_str().unwrap());
    let view = json!({"sessionId": id});
    let last = SignedDuration::from_hours(24) - SignedDuration::from_millis(1);
    instance.clock.advance(last);
    assert!(instance.post("/pageview", &view).await.json()["data"]["id"].is_string());
    instance.post(&heartbeat, &json!({})).await;
    instance.clock.advance(SignedDuration::from_millis(1));
    assert!(instance.post("/pageview", &view).await.json()["data"]["id"].is_null());
    let over = instance.post(&heartbeat, &json!({})).await;
    assert_eq!(over.json(), json!({"success": true, "data": {"ok": true}}));
    assert_eq!(instance.outcomes().refused(RefusalReason::SessionOver), 2);

    // A view that happened in time counts, even if it arrives late.
    let late = json!({"type": "pageview", "sessionId": id, "ageMs": 3_600_000});
    let over = json!({"type": "pageview", "sessionId": id});
    assert_eq!(
        batch(&instance, &[late, over]).await,
        ["ok ", "dropped session_over"]
    );
}

#[tokio::test]
async fn a_session_accepts_a_day_of_heartbeats() {
    let instance = Instance::with(&[("RATE_LIMITS", "off")]);
    let member = json!({"type": "heartbeat", "sessionId": session_of(WORKSPACE_NO)});
    let members = vec![member; 480];
    for _ in 0..6 {
        assert!(
            batch(&instance, &members)
                .await
                .iter()
                .all(|told| told == "ok ")
        );
    }
    assert_eq!(
        batch(&instance, &members[..1]).await,
        ["dropped session_over"]
    );
}

#[tokio::test]
async fn a_retried_heartbeat_spends_nothing() {
    let instance = Instance::with(&[("RATE_LIMITS", "off")]);
    let session = session_of(WORKSPACE_NO);
    let beat = |number: u64| json!({"type": "heartbeat", "sessionId": session, "eventId": Uuid::from_u64_pair(3, number)});
    let all_ok = async |members: Vec<Value>| {
        let told = batch(&instance, &members).await;
        assert!(told.iter().all(|told| told == "ok "), "{told:?}");
    };
    for first in (0..2_880).step_by(480) {
        all_ok((first..first + 480).map(beat).collect()).await;
        all_ok((first..first + 480).map(beat).collect()).await;
    }
    // A full session accepts only retries.
    let told = batch(&instance, &[beat(2_880), beat(0), beat(2_879)]).await;
    assert_eq!(told, ["dropped session_over", "ok ", "ok "]);
    let nameless = json!({"type": "heartbeat", "sessionId": session});
    assert_eq!(
        batch(&instance, &[nameless]).await,
        ["dropped session_over"]
    );
}

#[tokio::test]
async fn a_beacon_refused_for_another_reason_spends_nothing() {
    let instance = Instance::with(&[("RATE_LIMIT_ANALYTICS_PAGE_FLOOD", "1/60")]);
    let mut unwilling = session(1);
    unwilling["consentAnalytics"] = json!("denied");
    let mut unproven = session(2);
    unproven["trackingToken"] = json!("0".repeat(32));
    let told = batch(&instance, &[unwilling, unproven, session(3)]).await;
    assert_eq!(told, ["dropped consent", "dropped token", "ok "]);
}

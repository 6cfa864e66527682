//! Tests throttles: the key of each limit, and the answer to a client.

use super::kit::*;
use crate::outcome::{BeaconType, Outcome};
use runtime::http::Peer;
use serde_json::{Value, json};

fn session(visitor: &str) -> Value {
    json!({
        "visitorId": visitor,
        "consentAnalytics": "granted",
        "bioPageId": PAGE,
        "trackingToken": token(PAGE),
    })
}

#[tokio::test]
async fn one_visitor_is_throttled_and_the_next_behind_the_same_address_is_not() {
    let instance = Instance::new();
    for _ in 0..10 {
        assert_eq!(instance.post("/session", &session("ada")).await.status, 200);
    }
    let over = instance.post("/session", &session("ada")).await;
    assert_eq!(over.status, 429);
    assert_eq!(over.json()["error"]["code"], "RATE_LIMITED");
    for (name, value) in [
        ("retry-after", "6"),
        ("x-ratelimit-limit", "10"),
        ("x-ratelimit-remaining", "0"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(over.header(name), Some(value), "{name}");
    }
    assert!(over.header("x-ratelimit-reset").is_some());
    assert_eq!(instance.post("/session", &session("bob")).await.status, 200);
    let count = |outcome| instance.outcomes().count(BeaconType::Session, outcome);
    assert_eq!([Outcome::Accepted, Outcome::Throttled].map(count), [11, 1]);
}

#[tokio::test]
async fn heartbeats_are_counted_only_by_proven_ids() {
    let instance = Instance::new();
    let path = format!("/session/{}/heartbeat", session_of(WORKSPACE_NO));
    for _ in 0..5 {
        assert_eq!(instance.post(&path, &json!({})).await.status, 200);
    }
    assert_eq!(instance.post(&path, &json!({})).await.status, 429);
    for _ in 0..6 {
        let forged = instance.post("/session/forged/heartbeat", &json!({})).await;
        assert_eq!(forged.status, 200);
    }
}

#[tokio::test]
async fn beacons_of_users_are_counted_by_user() {
    let instance = Instance::new();
    for _ in 0..60 {
        let body = json!({"event": "e"});
        assert_eq!(instance.post("/track", &body).await.status, 200);
    }
    assert_eq!(
        instance.post("/track", &json!({"event": "e"})).await.status,
        429
    );
}

#[tokio::test]
async fn the_flood_guard_counts_an_ipv6_network_as_one_address() {
    let instance = Instance::with(&[("RATE_LIMIT_ANALYTICS_FLOOD", "2/60")]);
    let call = |peer: &str| {
        let mut request = post("/session/x/heartbeat", "{}");
        let peer = Peer(peer.parse().unwrap());
        request.extensions_mut().insert(peer);
        instance.call(request)
    };
    assert_eq!(call("[2001:db8:1:2::1]:1").await.status, 200);
    assert_eq!(call("[2001:db8:1:2::2]:1").await.status, 200);
    assert_eq!(call("[2001:db8:1:2:ffff::3]:1").await.status, 429);
    assert_eq!(call("[2001:db8:1:3::1]:1").await.status, 200);
    assert_eq!(instance.outcomes().sum(Outcome::Throttled), 1);
}

#[tokio::test]
async fn members_of_a_batch_spend_the_same_limits() {
    let instance = Instance::new();
    let member = json!({"type": "heartbeat", "sessionId": session_of(WORKSPACE_NO)});
    let batch = json!({"events": vec![member; 7]});
    let answered = instance.post("/events", &batch).await;
    assert_eq!(
        (answered.status, answered.header("retry-after")),
        (200, Some("6"))
    );
    let results = answered.json()["data"]["results"].clone();
    assert_eq!(results[4], json!({"index": 4, "status": "ok"}));
    let throttled = json!({"index": 6, "status": "retry", "reason": "throttled"});
    assert_eq!(results[6], throttled);
    let path = format!("/session/{}/heartbeat", session_of(WORKSPACE_NO));
    assert_eq!(instance.post(&path, &json!({})).await.status, 429);
    assert_eq!(
        instance.counts(),
        [
            ("heartbeat.accepted".to_owned(), 5),
            ("heartbeat.throttled".to_owned(), 3)
        ]
    );
}

#[tokio::test]
async fn the_batch_route_has_its_own_limit() {
    let instance = Instance::with(&[("RATE_LIMIT_ANALYTICS_BATCH", "1/60")]);
    let batch = json!({"events": [{"type": "heartbeat", "sessionId": session_of(WORKSPACE_NO)}]});
    assert_eq!(instance.post("/events", &batch).await.status, 200);
    assert_eq!(instance.post("/events", &batch).await.status, 429);
    assert_eq!(
        instance
            .outcomes()
            .count(BeaconType::Batch, Outcome::Throttled),
        1
    );
}

#[tokio::test]
async fn limits_can_be_switched_off() {
    let instance = Instance::with(&[("RATE_LIMITS", "off")]);
    for _ in 0..20 {
        assert_eq!(instance.post("/session", &session("ada")).await.status, 200);
    }
}

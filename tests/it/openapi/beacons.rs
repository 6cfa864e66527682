//! Sends each beacon, alone and in a batch, for a success and each error.

use super::{answers::UNKNOWN_ID, checker::Checker};
use kit::Creator;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

pub async fn send_beacons(checker: &Checker<'_>, ada: &Creator, link: Uuid) {
    let client = &checker.system.client;
    let user = client.token("a visitor who is signed in");
    let post = async |path: String, body: Value, status: u16| {
        let path = format!("/api/v1/analytics/{path}");
        let answer = checker.ask(Method::POST, &path, Some(&user), body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        answer
    };
    let body = client.session_body(ada.page, "v");
    let session = post("session".to_owned(), body.clone(), 200).await.id();
    let refused = post("session".to_owned(), json!({"visitorId": "v"}), 200).await;
    assert_eq!(refused.data(), json!({"id": null}));
    post("session".to_owned(), json!({"visitorId": 7}), 400).await;
    let click = json!({"sessionId": session, "linkClicked": link, "path": "/", "eventId": Uuid::from_u128(5)});
    let view = post("pageview".to_owned(), click, 200).await.id();
    post("pageview".to_owned(), json!({"sessionId": UNKNOWN_ID}), 200).await;
    post("pageview".to_owned(), json!({}), 400).await;
    let event = json!({"event": "step", "sessionId": session, "properties": {"a": 1}});
    post("track".to_owned(), event, 200).await;
    post("track".to_owned(), json!({"event": "step"}), 200).await;
    post("track".to_owned(), json!({"sessionId": session}), 400).await;
    let large = json!({"event": "step", "properties": {"a": "x".repeat(10_000)}});
    post("track".to_owned(), large, 400).await;
    for method in [Method::PATCH, Method::POST] {
        for (path, body, status) in [
            (format!("session/{session}/heartbeat"), Value::Null, 200),
            (
                format!("session/{session}/heartbeat"),
                json!({"eventId": 1}),
                400,
            ),
            (format!("session/{session}/identify"), json!({}), 200),
            ("session/x/identify".to_owned(), json!({"eventId": 1}), 400),
            (
                format!("pageview/{view}/leave"),
                json!({"duration": 3.5, "scrollDepth": 80}),
                200,
            ),
            (
                format!("pageview/{view}/leave"),
                json!({"duration": 3601}),
                400,
            ),
        ] {
            let path = format!("/api/v1/analytics/{path}");
            let answer = checker.ask(method.clone(), &path, Some(&user), body).await;
            assert_eq!(answer.status, status, "{}", answer.text);
        }
    }
    let named = json!({
        "sessionEventId": Uuid::from_u128(6), "bioPageId": ada.page, "trackingToken": client.tracking_token(ada.page),
    });
    let mut members = vec![body, named.clone(), named];
    for (member, kind) in members.iter_mut().zip(["session", "pageview", "heartbeat"]) {
        member["type"] = json!(kind);
    }
    members[0]["eventId"] = json!(Uuid::from_u128(6));
    members.extend([
        json!({"type": "track", "event": "step"}),
        json!({"type": "leave", "pageviewId": UNKNOWN_ID, "duration": 1, "ageMs": 86_400_000}),
        json!({"type": "leave"}),
        json!(7),
    ]);
    let verdicts = post("events".to_owned(), json!({ "events": members }), 200)
        .await
        .data();
    let verdicts = verdicts["results"].as_array().unwrap().iter();
    let verdicts: Vec<&str> = verdicts
        .map(|told| told["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        verdicts,
        ["ok", "ok", "ok", "dropped", "dropped", "invalid", "invalid"]
    );
    post("events".to_owned(), json!({"events": []}), 400).await;
}

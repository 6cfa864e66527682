//! Tests that descriptive members never make a beacon invalid, and bodies that strict readers
//! refuse.

use super::kit::*;
use crate::outcome::Outcome;
use axum::{
    body::Body,
    http::{Request, header::CONTENT_ENCODING},
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;
use uuid::Uuid;

fn session() -> Value {
    json!({
        "visitorId": "raw-visitor",
        "consentAnalytics": "granted",
        "bioPageId": PAGE,
        "trackingToken": token(PAGE),
    })
}

/// Sends a beacon and returns its only event.
async fn event(path: &str, body: impl Into<Body>) -> Value {
    let instance = Instance::new();
    let answered = instance.call(post(path, body)).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    let mut events = instance.sink.take_json();
    assert_eq!(events.len(), 1, "{}", answered.body);
    events.remove(0)
}

async fn session_with(name: &str, value: Value) -> Value {
    let mut body = session();
    body[name] = value;
    event("/session", body.to_string()).await
}

#[tokio::test]
async fn the_sides_of_a_screen_are_rounded_and_dropped_when_invalid() {
    for (given, right) in [
        (json!(412.5), Some(413)),
        (json!(412.49), Some(412)),
        (json!(-0.4), Some(0)),
        (json!(100_000.4), Some(100_000)),
        (json!(100_000.5), None),
        (json!(-0.6), None),
        (json!(1e300), None),
        (json!("412"), None),
        (json!([412]), None),
        (json!(true), None),
    ] {
        let mut body = session();
        body["screenWidth"] = given.clone();
        body["screenHeight"] = json!(915);
        let screen = event("/session", body.to_string()).await["visitor"]["screen"].take();
        let right = right.map_or(Value::Null, |width| json!({"width": width, "height": 915}));
        assert_eq!(screen, right, "{given}");
    }
}

#[tokio::test]
async fn texts_are_cut_at_their_limit_and_dropped_when_invalid() {
    let zone = session_with("timezone", json!("\u{fc}".repeat(65))).await;
    let kept = zone["visitor"]["timezone"].as_str().unwrap();
    assert_eq!(kept, "\u{fc}".repeat(64));
    for name in [
        "referrer",
        "landingUrl",
        "device",
        "browser",
        "os",
        "osVersion",
        "timezone",
        "language",
    ] {
        for odd in [json!(17.4), json!([]), json!({}), json!(false)] {
            let found = session_with(name, odd).await;
            assert!(found["visitor"][name].is_null(), "{name}");
            assert_eq!(found["body"]["referrer_domain"], "direct");
        }
    }
    let long = format!("https://a.example/{}", "x".repeat(3_000));
    let referrer = session_with("referrer", json!(long)).await;
    assert_eq!(referrer["body"]["referrer_domain"], "a.example");
    assert_eq!(referrer["body"]["referrer"], json!(long[..2_048]));

    let body = json!({
        "sessionId": session_of(WORKSPACE_NO), "title": "\u{1f600}".repeat(2_049), "path": 7, "referrer": {},
    });
    let view = event("/pageview", body.to_string()).await["body"].take();
    assert_eq!(view["title"], "\u{1f600}".repeat(2_048));
    assert!(view["path"].is_null() && view["referrer"].is_null());
}

#[tokio::test]
async fn campaign_parameters_are_read_beyond_the_limit_of_a_url() {
    let url = format!(
        "https://a.example/p?fbclid={}&utm_source=news",
        "x".repeat(3_000)
    );
    let body = session_with("landingUrl", json!(url)).await["body"].take();
    assert_eq!(
        (&body["utm"]["source"], &body["landing_path"]),
        (&json!("news"), &json!("/p"))
    );
}

#[tokio::test]
async fn a_scroll_depth_is_clamped_and_dropped_when_invalid() {
    for (given, right) in [
        (json!(100.1), json!(100.0)),
        (json!(-3), json!(0.0)),
        (json!(79.5), json!(79.5)),
        (json!("80"), Value::Null),
        (json!([]), Value::Null),
    ] {
        let path = format!("/pageview/{}/leave", pageview_of(WORKSPACE_NO));
        let body = json!({"duration": 1, "scrollDepth": given}).to_string();
        let found = event(&path, body).await["body"]["scroll_depth_percent"].take();
        assert_eq!(found, right, "{given}");
    }
}

#[tokio::test]
async fn members_that_identify_or_count_must_be_valid() {
    let instance = Instance::new();
    let view = json!({"sessionId": session_of(WORKSPACE_NO)});
    let leave = format!("/pageview/{}/leave", pageview_of(WORKSPACE_NO));
    let with = |body: &Value, name: &str, value: Value| {
        let mut body = body.clone();
        body[name] = value;
        body
    };
    for (path, body) in [
        (
            "/session",
            with(&session(), "visitorId", json!("x".repeat(129))),
        ),
        ("/session", with(&session(), "bioPageId", json!("x"))),
        ("/session", with(&session(), "trackingToken", json!(7))),
        (
            "/session",
            with(&session(), "consentAnalytics", json!(true)),
        ),
        ("/session", with(&session(), "eventId", json!("x"))),
        ("/pageview", with(&view, "sessionId", json!("x"))),
        ("/pageview", with(&view, "linkClicked", json!("x"))),
        (&leave, json!({"duration": 3_600.5})),
        (&leave, json!({"duration": "1"})),
        ("/track", json!({"event": ""})),
    ] {
        assert_eq!(
            instance.post(path, &body).await.status,
            400,
            "{path} {body}"
        );
    }
    assert!(instance.sink.take().is_empty());
}

#[tokio::test]
async fn half_a_surrogate_pair_costs_only_itself() {
    let id = session_of(WORKSPACE_NO);
    let body = format!(r#"{{"sessionId":"{id}","title":"Great shoes \ud83d","path":"/a\u0000b"}}"#);
    let view = event("/pageview", body).await["body"].take();
    assert_eq!(
        (&view["title"], &view["path"]),
        (&json!("Great shoes \u{fffd}"), &json!("/a\u{fffd}b"))
    );

    // In a visitor id too: the visitor counts, and has the same hash each time.
    let mut hashes = Vec::new();
    for half in [r"\ud83d", r"\ud83d", "\u{fffd}", r"\u0000"] {
        let body = session()
            .to_string()
            .replace("raw-visitor", &format!("v{half}"));
        hashes.push(event("/session", body).await["visitor"]["hash"].take());
    }
    assert!(
        hashes[0].is_string() && hashes.iter().all(|hash| *hash == hashes[0]),
        "{hashes:?}"
    );

    let body = format!(
        r#"{{"sessionId":"{id}","event":"\udead","properties":{{"\ud83d":["\u0000\ude00",1e400]}}}}"#
    );
    let track = event("/track", body).await["body"].take();
    assert_eq!(track["name"], "\u{fffd}");
    assert_eq!(
        track["properties"],
        json!({"\u{fffd}": ["\u{fffd}\u{fffd}", null]})
    );
}

#[tokio::test]
async fn one_bad_member_of_a_batch_does_not_affect_the_other_verdicts() {
    let instance = Instance::new();
    let id = session_of(WORKSPACE_NO);
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let members = [
        format!(r#"{{"type":"pageview","sessionId":"{id}","title":"\ud83d"}}"#),
        format!(r#"{{"type":"pageview","sessionId":"{id}","title":{deep}}}"#),
        r#"{"type":"pageview","sessionId":"\ud83d"}"#.to_owned(),
        format!(
            r#"{{"type":"leave","pageviewId":"{}","duration":1e999}}"#,
            pageview_of(WORKSPACE_NO)
        ),
        format!(r#"{{"type":"pageview","sessionId":"{id}","ageMs":NaN,"path":-Infinity}}"#),
        format!("{{\"type\":\"pageview\",\"sessionId\":\"{id}\",\"title\":\"a\nb\0\"}}"),
        format!(r#"{{"type":"pageview","sessionId":"{id}","sessionId":"x"}}"#),
        deep,
        format!(r#"{{"type":"heartbeat","sessionId":"{id}"}}"#),
    ];
    let body = format!("\u{feff}{{\"events\":[{}]}}", members.join(","));
    let answered = instance.call(post("/events", body)).await;
    let results = answered.json()["data"]["results"].take();
    let told: Vec<&str> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["status"].as_str().unwrap())
        .collect();
    let right = [
        "ok", "ok", "invalid", "invalid", "ok", "ok", "invalid", "invalid", "ok",
    ];
    assert_eq!(told, right, "{}", answered.body);
    assert_eq!(instance.outcomes().total(), 9);
    let titles: Vec<Value> = instance
        .sink
        .take_json()
        .iter()
        .map(|event| event["body"]["title"].clone())
        .collect();
    assert_eq!(
        titles,
        [
            json!("\u{fffd}"),
            Value::Null,
            Value::Null,
            json!("a\nb\u{fffd}"),
            Value::Null
        ]
    );
}

#[tokio::test]
async fn an_age_is_rounded_and_clamped() {
    let instance = Instance::new();
    let id = session_of(WORKSPACE_NO);
    let ages = [
        json!(1_000.4),
        json!(-5),
        json!(9e15),
        json!("7"),
        json!(null),
    ];
    let members: Vec<Value> = ages
        .iter()
        .map(|age| json!({"type": "pageview", "sessionId": id, "ageMs": age}))
        .collect();
    let answered = instance.post("/events", &json!({"events": members})).await;
    assert_eq!(answered.status, 200);
    let found: Vec<i64> = instance
        .sink
        .take_json()
        .iter()
        .map(|event| event["occurred_at"].as_str().unwrap().parse().unwrap())
        .map(|at: jiff::Timestamp| start_time().as_millisecond() - at.as_millisecond())
        .collect();
    assert_eq!(found, [1_000, 0, 86_400_000, 0, 0]);
}

#[tokio::test]
async fn properties_that_are_not_an_object_are_dropped() {
    let body = json!({"sessionId": session_of(WORKSPACE_NO), "event": "e", "properties": [1]});
    let track = event("/track", body.to_string()).await["body"].take();
    assert!(track["properties"].is_null());
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn encoded(path: &str, coding: &str, body: impl Into<Body>) -> Request<Body> {
    let mut request = post(path, body);
    request
        .headers_mut()
        .insert(CONTENT_ENCODING, coding.parse().unwrap());
    request
}

#[tokio::test]
async fn a_body_may_be_compressed_with_gzip_and_nothing_else() {
    let plain = session().to_string();
    let packed = gzip(plain.as_bytes());
    let mut twice = gzip(&plain.as_bytes()[..20]);
    twice.extend(gzip(&plain.as_bytes()[20..]));
    let batch = json!({"events": [{"type": "heartbeat", "sessionId": session_of(WORKSPACE_NO)}]});
    let heartbeat = format!("/session/{}/heartbeat", session_of(WORKSPACE_NO));
    let bomb = gzip(&vec![b' '; 20 * 1024 * 1024]);
    assert!(bomb.len() < 200_000);
    let mut torn = packed.clone();
    torn.truncate(packed.len() / 2);
    for (path, coding, body, status) in [
        ("/session", "gzip", packed.clone(), 200),
        ("/session", "X-GZIP", packed.clone(), 200),
        ("/session", "identity, gzip", packed.clone(), 200),
        ("/session", "identity", plain.clone().into_bytes(), 200),
        ("/session", "", plain.clone().into_bytes(), 200),
        ("/session", "gzip", twice, 200),
        ("/events", "gzip", gzip(batch.to_string().as_bytes()), 200),
        (&heartbeat, "gzip", Vec::new(), 200),
        (&heartbeat, "gzip", gzip(b""), 200),
        ("/session", "gzip, gzip", packed.clone(), 415),
        ("/session", "br", packed.clone(), 415),
        ("/events", "deflate", packed.clone(), 415),
        (&heartbeat, "zstd", Vec::new(), 415),
        ("/session", "gzip", plain.into_bytes(), 400),
        ("/session", "gzip", torn, 400),
        ("/session", "identity", packed, 400),
        ("/session", "gzip", gzip(&vec![b' '; 64 * 1024 + 1]), 413),
        ("/events", "gzip", bomb, 413),
    ] {
        let instance = Instance::new();
        let what = format!("{path} {coding} {}", body.len());
        let answered = instance.call(encoded(path, coding, body)).await;
        assert_eq!(answered.status, status, "{what}: {}", answered.body);
        assert_eq!(instance.outcomes().total(), 1, "{what}");
        let accepted = instance.outcomes().sum(Outcome::Accepted);
        assert_eq!(accepted, u64::from(status == 200), "{what}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_the_body_is_skipped() {
    let body = format!("\u{feff}{}", session());
    event("/session", body).await;
    let path = format!("/session/{}/heartbeat", session_of(WORKSPACE_NO));
    event(&path, "\u{feff} \n").await;
    event(
        &path,
        format!("\u{feff}{{\"eventId\":\"{}\"}}", Uuid::from_u128(1)),
    )
    .await;
}

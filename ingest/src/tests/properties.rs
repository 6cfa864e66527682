//! Tests properties of any input: no panic, no 5xx, one outcome, stable ids, and no personal data
//! in answers and events.

use super::{generators::*, kit::*};
use crate::outcome::Outcome;
use axum::body::Body;
use axum::http::Request;
use proptest::prelude::*;
use runtime::IdSource;
use serde_json::{Value, json};
use std::{fmt::Write, sync::OnceLock};
use tokio::runtime::Runtime;
use uuid::Uuid;

const VISITOR: &str = "raw-visitor-9c1e";

/// One runtime and one instance for all cases, without limits. Its outcomes add up over the cases.
fn shared() -> &'static (Runtime, Instance) {
    static SHARED: OnceLock<(Runtime, Instance)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        (runtime, Instance::with(&[("RATE_LIMITS", "off")]))
    })
}

fn call(request: Request<Body>) -> (Answered, u64) {
    let (runtime, instance) = shared();
    runtime.block_on(async {
        let before = instance.outcomes().total();
        let answered = instance.call(request).await;
        (answered, instance.outcomes().total() - before)
    })
}

/// The tests of this file share an instance, so they take turns.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn turn() -> std::sync::MutexGuard<'static, ()> {
    TURN.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_bytes_are_answered_below_500_and_counted_once(
        route in any_route(), bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _turn = turn();
        let Ok(request) = std::panic::catch_unwind(|| post(&route, bytes)) else {
            // The route is not a valid URI.
            return Ok(());
        };
        let (answered, counted) = call(request);
        prop_assert!(answered.status < 500, "{}: {}", answered.status, answered.body);
        prop_assert_eq!(counted, 1);
    }

    #[test]
    fn any_object_is_answered_below_500_and_counted_once(
        route in any_route(), object in any_object(),
    ) {
        let _turn = turn();
        let Ok(request) = std::panic::catch_unwind(|| post(&route, object.to_string())) else {
            return Ok(());
        };
        let members = object["events"].as_array().map_or(0, Vec::len);
        let (answered, counted) = call(request);
        // Only a valid proof of an unknown page or workspace gets 503, and no generator makes one.
        prop_assert!(answered.status < 500, "{}: {}", answered.status, answered.body);
        let expected = if route == "/events" { members.max(1) } else { 1 };
        prop_assert_eq!(counted, expected as u64, "{}", answered.body);
    }

    #[test]
    fn any_batch_gets_one_verdict_and_one_outcome_a_member(
        members in prop::collection::vec(any_object(), 1..30),
    ) {
        let _turn = turn();
        let count = members.len();
        let (answered, counted) = call(post("/events", json!({"events": members}).to_string()));
        prop_assert_eq!(answered.status, 200);
        let results = answered.json()["data"]["results"].as_array().unwrap().clone();
        let indices: Vec<u64> = results.iter().map(|told| told["index"].as_u64().unwrap()).collect();
        prop_assert_eq!(indices, (0..count as u64).collect::<Vec<_>>());
        prop_assert_eq!(counted, count as u64);
    }

    #[test]
    fn an_invalid_beacon_is_400_even_if_it_would_be_refused(
        bot in any::<bool>(), consent in any::<bool>(), valid_token in any::<bool>(), known in any::<bool>(),
    ) {
        let _turn = turn();
        let body = json!({
            "visitorId": "",
            "consentAnalytics": if consent { "granted" } else { "denied" },
            "bioPageId": if known { PAGE } else { LATE_PAGE },
            "trackingToken": if valid_token { token(PAGE) } else { "x".to_owned() },
        });
        let mut request = post("/session", body.to_string());
        if bot {
            request.headers_mut().insert("user-agent", "curl/8".parse().unwrap());
        }
        let (answered, _) = call(request);
        prop_assert_eq!(answered.status, 400);
        prop_assert_eq!(&answered.json()["error"]["details"][0]["message"], "visitorId must not be empty");
    }

    #[test]
    fn the_same_event_id_gives_the_same_answer_and_event_on_any_instance(
        event_id in any::<u128>(), seed in any::<u32>(), route in 0..6usize,
    ) {
        let event_id = Uuid::from_u128(event_id);
        let session = session_of(WORKSPACE_NO);
        let (path, body) = [
            ("/session".to_owned(), json!({
                "visitorId": VISITOR, "consentAnalytics": "granted", "bioPageId": PAGE,
                "trackingToken": token(PAGE), "eventId": event_id,
            })),
            ("/pageview".to_owned(), json!({"sessionId": session, "eventId": event_id})),
            ("/track".to_owned(), json!({"sessionId": session, "event": "e", "eventId": event_id})),
            (format!("/session/{session}/heartbeat"), json!({"eventId": event_id})),
            (format!("/session/{session}/identify"), json!({"eventId": event_id})),
            (format!("/pageview/{}/leave", pageview_of(WORKSPACE_NO)), json!({"duration": 1, "eventId": event_id})),
        ][route].clone();
        let (runtime, _) = shared();
        let on_an_instance = |seed: u64| runtime.block_on(async {
            let instance = Instance::seeded(&[], seed);
            let answered = instance.post(&path, &body).await;
            (answered.status, answered.body, instance.sink.take_json())
        });
        let first = on_an_instance(1);
        prop_assert_eq!(first.0, 200);
        prop_assert_eq!(first.2.len(), 1);
        prop_assert_eq!(&first, &on_an_instance(u64::from(seed)));
    }

    #[test]
    fn no_personal_id_or_address_is_published_or_answered(
        visitor in "[a-z0-9]{12,40}", address in any::<[u8; 4]>(),
    ) {
        let _turn = turn();
        let (runtime, instance) = shared();
        let address = std::net::Ipv4Addr::from(address).to_string();
        prop_assume!(address.len() > 8);
        let mut bodies = vec![
            ("/session".to_owned(), json!({
                "visitorId": visitor, "consentAnalytics": "granted", "bioPageId": PAGE,
                "trackingToken": token(PAGE),
            })),
            ("/session".to_owned(), json!({"visitorId": visitor, "bioPageId": 1})),
            ("/track".to_owned(), json!({"event": "e", "sessionId": session_of(WORKSPACE_NO)})),
            (format!("/session/{}/identify", session_of(WORKSPACE_NO)), json!({})),
        ];
        let batch: Vec<Value> = ["session", "track"].into_iter().zip([0, 2]).map(|(kind, at)| {
            let mut member = bodies[at].1.clone();
            member["type"] = kind.into();
            member
        }).collect();
        bodies.push(("/events".to_owned(), json!({"events": batch})));
        instance.sink.take();
        let mut said = String::new();
        for (path, body) in bodies {
            let mut request = post(&path, body.to_string());
            let peer = format!("{address}:1").parse().unwrap();
            request.extensions_mut().insert(runtime::http::Peer(peer));
            let answered = runtime.block_on(instance.call(request));
            said.push_str(&answered.body);
            write!(said, "{:?}", answered.headers).unwrap();
        }
        let published = instance.sink.take();
        prop_assert_eq!(published.len(), 5);
        for event in published {
            said.push_str(&String::from_utf8(event.payload).unwrap());
        }
        for secret in [visitor.as_str(), &address, USER] {
            prop_assert!(!said.contains(secret), "{} was disclosed", secret);
        }
    }
}

#[test]
fn outcomes_sum_to_the_input() {
    let (runtime, _) = shared();
    let instance = Instance::with(&[("RATE_LIMIT_ANALYTICS_FLOOD", "40/60")]);
    let ids = runtime::SeededIds::new(7);
    let mut sent = 0;
    runtime.block_on(async {
        for round in 0..50 {
            let odd = ids.random_16()[0];
            let path = match odd % 5 {
                0 => "/session".to_owned(),
                1 => "/pageview".to_owned(),
                2 => "/track".to_owned(),
                3 => format!("/session/{}/heartbeat", session_of(WORKSPACE_NO)),
                _ => "/session/x/identify".to_owned(),
            };
            let mode = if round % 7 == 0 {
                Mode::Fail
            } else {
                Mode::Keep
            };
            instance.sink.set(mode);
            let mut request = post(&path, if odd > 200 { "{" } else { r#"{"event":"e"}"# });
            if odd.is_multiple_of(3) {
                request.headers_mut().remove("authorization");
            }
            instance.call(request).await;
            sent += 1;
        }
    });
    assert_eq!(instance.outcomes().total(), sent);
    let by_outcome: u64 = Outcome::ALL
        .into_iter()
        .map(|each| instance.outcomes().sum(each))
        .sum();
    assert_eq!(by_outcome, sent);
    assert!(instance.outcomes().sum(Outcome::Throttled) >= 10);
}

//! Compares a line of history with the same beacons sent live.

use super::kit::*;
use crate::{
    directory::Directory,
    history::{BadLine, History, Taken},
};
use axum::body::Body;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use runtime::{SeededIds, http::Peer, jwt};
use schemas::{Event, Kind, RefusalReason};
use serde_json::{Value, json};
use std::sync::OnceLock;
use tokio::runtime::Runtime;
use uuid::Uuid;

const CRAWLER: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// Long after [`start_time`], because history is in the past.
pub fn now() -> Timestamp {
    start_time() + SignedDuration::from_hours(24 * 365)
}

pub fn instance() -> &'static Instance {
    static SHARED: OnceLock<Instance> = OnceLock::new();
    SHARED.get_or_init(|| Instance::with(&[("RATE_LIMITS", "off")]))
}

pub fn take_on(directory: &Directory, line: impl AsRef<[u8]>) -> Result<Taken, BadLine> {
    let history = History {
        acceptor: &instance().intake.acceptor(),
        directory,
        ids: &SeededIds::new(1),
    };
    history.take(line.as_ref(), now())
}

pub fn take(line: &Value) -> Result<Taken, BadLine> {
    take_on(instance().intake.directory(), line.to_string())
}

pub fn events(line: &Value) -> Vec<Event> {
    match take(line).unwrap() {
        Taken::Visit(visit) => visit.events,
        other => panic!("{other:?}"),
    }
}

/// The visit of the contract's example.
pub fn visit() -> Value {
    json!({
        "bioPageId": PAGE, "eventId": Uuid::from_u128(7), "occurredAt": "2026-02-20T10:30:00.123Z",
        "visitorId": "raw-visitor", "ip": "81.2.69.142", "userAgent": BROWSER,
        "referrer": "https://www.instagram.com/ada", "landingUrl": "https://bio.example/@ada?utm_source=insta",
        "timezone": "Europe/Istanbul", "language": "tr-TR", "userId": null, "heartbeats": 3,
        "views": [{
            "eventId": Uuid::from_u128(8), "occurredAt": "2026-02-20T10:30:01Z", "path": "/", "linkClicked": null,
            "leave": {"duration": 41.5, "scrollDepth": 80},
        }],
    })
}

/// A generated visit.
#[derive(Clone, Debug)]
struct Told {
    visitor: String,
    address: &'static str,
    agent: Option<&'static str>,
    user: Option<&'static str>,
    more: Value,
    heartbeats: u32,
    /// For each view: milliseconds after the view before, body, seconds until it was left.
    views: Vec<(i64, Value, Option<f64>)>,
}

fn told() -> impl Strategy<Value = Told> {
    let address = prop::sample::select(vec!["81.2.69.142", "8.8.8.8", "2001:4860::1", "10.0.0.1"]);
    let agent = prop::sample::select(vec![Some(BROWSER), Some("Frob/1.0"), Some(CRAWLER), None]);
    let user = prop::sample::select(vec![None, Some(USER)]);
    let more = prop::sample::select(vec![
        json!({}),
        json!({"referrer": "https://user:pass@www.google.com/search?q=a#b", "language": "de"}),
        json!({"landingUrl": "https://bio.example/@ada/x?utm_source=a&utm_campaign=b%20c", "screenWidth": 390, "screenHeight": 844}),
        json!({"device": "tablet", "browser": "Lynx", "os": "Plan9", "osVersion": "4", "timezone": "Asia/Kathmandu"}),
    ]);
    let body = prop::sample::select(vec![
        json!({}),
        json!({"path": "/", "title": "Ada", "referrer": "https://example.com/#x"}),
        json!({"linkClicked": Uuid::from_u128(99), "path": "/@ada"}),
    ]);
    let leave = prop::option::of(0.0..3600.0f64);
    let views = prop::collection::vec((0i64..5_000_000, body, leave), 0..6);
    ("[a-z]{1,20}", address, agent, user, more, 0u32..5, views).prop_map(
        |(visitor, address, agent, user, more, heartbeats, views)| Told {
            visitor,
            address,
            agent,
            user,
            more,
            heartbeats,
            views,
        },
    )
}

pub fn merge(mut into: Value, more: &Value) -> Value {
    let members = more.as_object().cloned().unwrap_or_default();
    into.as_object_mut().unwrap().extend(members);
    into
}

impl Told {
    fn line(&self) -> Value {
        let mut at = start_time();
        let views: Vec<Value> = (0..)
            .zip(&self.views)
            .map(|(index, (after, body, leave))| {
                at += SignedDuration::from_millis(*after);
                let mut view = merge(
                    json!({"eventId": Uuid::from_u128(100 + index), "occurredAt": at.to_string()}),
                    body,
                );
                if let Some(duration) = leave {
                    view["leave"] = json!({"duration": duration});
                }
                view
            })
            .collect();
        let whole = json!({
            "bioPageId": PAGE, "eventId": Uuid::from_u128(7), "occurredAt": start_time().to_string(),
            "visitorId": self.visitor, "ip": self.address, "userAgent": self.agent, "userId": self.user,
            "heartbeats": self.heartbeats, "views": views,
        });
        merge(whole, &self.more)
    }

    /// Sends the same visit live: one request after the other, at the time of each beacon.
    async fn send(&self, instance: &Instance) -> Vec<Value> {
        let session = merge(
            json!({
                "visitorId": self.visitor, "consentAnalytics": "granted", "bioPageId": PAGE,
                "trackingToken": token(PAGE), "eventId": Uuid::from_u128(7),
            }),
            &self.more,
        );
        instance.sink.take();
        let answer = self.post(instance, start_time(), "/session", session).await;
        let Some(id) = answer["data"]["id"].as_str().map(str::to_owned) else {
            return Vec::new();
        };
        let mut steps: Vec<(Timestamp, String, Value)> = Vec::new();
        if self.user.is_some() {
            steps.push((start_time(), format!("/session/{id}/identify"), json!({})));
        }
        let mut at = start_time();
        for (index, (after, body, leave)) in (0..).zip(&self.views) {
            at += SignedDuration::from_millis(*after);
            let event_id = Uuid::from_u128(100 + index);
            let view = merge(json!({"sessionId": id, "eventId": event_id}), body);
            steps.push((at, "/pageview".to_owned(), view));
            if let Some(duration) = leave {
                let view = ids_of_ours()
                    .pageview(WORKSPACE_NO, schemas::routed::Payload::EventId(event_id));
                let micros = SignedDuration::from_secs_f64(*duration).as_micros();
                let gone = at + SignedDuration::from_micros(i64::try_from(micros).unwrap());
                steps.push((
                    gone,
                    format!("/pageview/{view}/leave"),
                    json!({"duration": duration}),
                ));
            }
        }
        for beat in 1..=i64::from(self.heartbeats) {
            let at = start_time() + SignedDuration::from_secs(30 * beat);
            steps.push((at, format!("/session/{id}/heartbeat"), json!({})));
        }
        steps.sort_by_key(|(at, ..)| *at);
        for (at, path, body) in steps {
            self.post(instance, at, &path, body).await;
        }
        instance.sink.take_json()
    }

    async fn post(&self, instance: &Instance, at: Timestamp, path: &str, body: Value) -> Value {
        instance.clock.set(at);
        let address = if self.address.contains(':') {
            format!("[{}]:1", self.address)
        } else {
            format!("{}:1", self.address)
        };
        let mut request = request("POST", path)
            .extension(Peer(address.parse().unwrap()))
            .header("content-type", "application/json");
        if let Some(agent) = self.agent {
            request = request.header("user-agent", agent);
        }
        if let Some(user) = self.user {
            let ttl = SignedDuration::from_hours(1);
            let token = jwt::mint(SECRET, user, None, at, ttl).unwrap();
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let answered = instance.call(request).await;
        assert_eq!(answered.status, 200, "{path}: {}", answered.body);
        answered.json()
    }
}

/// Removes intended differences: the time of receipt, and ids that only history derives.
fn comparable(mut event: Value) -> Value {
    let kind = event["type"].as_str().unwrap().to_owned();
    let members = event.as_object_mut().unwrap();
    members.remove("received_at");
    let derived = [
        Kind::SessionHeartbeat,
        Kind::SessionIdentified,
        Kind::PageLeft,
    ];
    if derived.iter().any(|derived| derived.name() == kind) {
        members.remove("event_id");
    }
    event
}

fn json_of(events: &[Event]) -> Vec<Value> {
    let bytes = events.iter().map(|event| event.to_bytes().unwrap());
    bytes
        .map(|bytes| serde_json::from_slice(&bytes).unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_visit_of_history_equals_the_same_visit_sent_live(told in told()) {
        static RUNTIME: OnceLock<Runtime> = OnceLock::new();
        let runtime = RUNTIME.get_or_init(|| Runtime::new().unwrap());
        let live = Instance::with(&[("RATE_LIMITS", "off")]);
        let sent = runtime.block_on(told.send(&live));
        let taken = take(&told.line()).unwrap();
        if told.agent == Some(CRAWLER) {
            prop_assert_eq!(&taken, &Taken::Refused(RefusalReason::Bot));
            prop_assert!(sent.is_empty());
            return Ok(());
        }
        let Taken::Visit(visit) = &taken else { panic!("{taken:?}") };
        prop_assert_eq!(visit.over, 0);
        let events = &visit.events;
        prop_assert!(events.is_sorted_by_key(|event| event.occurred_at));
        prop_assert!(events.iter().all(|event| event.received_at == now()));
        let told_events: Vec<Value> = json_of(events).into_iter().map(comparable).collect();
        let sent: Vec<Value> = sent.into_iter().map(comparable).collect();
        prop_assert_eq!(told_events, sent);
        // Each event has its own id, and the same line gives the same events again.
        let ids: std::collections::BTreeSet<_> = events.iter().map(|event| event.event_id).collect();
        prop_assert_eq!(ids.len(), events.len());
        prop_assert_eq!(take(&told.line()).unwrap(), taken);
    }

    #[test]
    fn no_line_causes_a_panic(line in ".{0,80}", object in super::generators::any_object()) {
        let _ = take_on(instance().intake.directory(), &line);
        let _ = take(&object);
        let mut odd = visit();
        for (name, value) in object.as_object().unwrap() {
            odd[name] = value.clone();
        }
        odd["views"] = json!([object, odd.clone()]);
        let _ = take(&odd);
    }
}

#[test]
fn the_ids_of_history_never_change() {
    // With other ids, every history imported before would count again.
    let found: Vec<String> = events(&visit())
        .iter()
        .map(|event| format!("{} {}", event.body.kind().name(), event.event_id))
        .collect();
    assert_eq!(found, GOLDEN);
}

const GOLDEN: [&str; 6] = [
    "session.started c30bc26a-ec95-8ae4-9642-b5b74d09869c",
    "page.viewed 24c73555-2226-866a-a871-367a8c8db929",
    "session.heartbeat b8546bd1-3bde-801a-9686-3b4e9e6add2f",
    "page.left 1f72076a-ce25-8c4a-a972-b9410ef2a5ae",
    "session.heartbeat 6bb77183-6137-87fc-8d55-49d312c55843",
    "session.heartbeat de63a0d3-9f75-8315-8695-6dfcbe55eeed",
];

#[test]
fn no_derived_time_is_later_than_the_latest_allowed_one() {
    let latest = now() + SignedDuration::from_mins(5);
    let mut line = visit();
    line["occurredAt"] = json!(latest.to_string());
    line["views"][0]["occurredAt"] = json!(latest.to_string());
    let events = events(&line);
    assert_eq!(events.len(), 6);
    assert!(events.iter().all(|event| event.occurred_at == latest));
}

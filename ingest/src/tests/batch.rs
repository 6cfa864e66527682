//! Tests batches: one verdict per member, one publication, and names instead of ids.

use super::kit::*;
use crate::outcome::Outcome;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

fn session(page: schemas::PageId, event_id: Uuid) -> Value {
    json!({
        "type": "session",
        "visitorId": "raw-visitor",
        "consentAnalytics": "granted",
        "bioPageId": page,
        "trackingToken": token(page),
        "eventId": event_id,
    })
}

fn view(page: schemas::PageId, session: Uuid, event_id: Uuid) -> Value {
    json!({
        "type": "pageview",
        "sessionEventId": session,
        "bioPageId": page,
        "trackingToken": token(page),
        "eventId": event_id,
    })
}

const VISIT: Uuid = Uuid::from_u128(1);
const VIEW: Uuid = Uuid::from_u128(2);

fn statuses(answer: &Value) -> Vec<String> {
    let results = answer["data"]["results"].as_array().unwrap();
    let text = |result: &Value| {
        let reason = result["reason"].as_str().map(|reason| format!(" {reason}"));
        let status = result["status"].as_str().unwrap();
        format!("{status}{}", reason.unwrap_or_default())
    };
    results.iter().map(text).collect()
}

#[tokio::test]
async fn a_visit_and_its_named_beacons_are_published_together_with_the_ids_of_single_beacons() {
    let instance = Instance::new();
    let token = token(PAGE);
    let batch = json!({"events": [
        view(PAGE, VISIT, VIEW),
        {"type": "leave", "pageviewEventId": VIEW, "bioPageId": PAGE, "trackingToken": token, "duration": 1.5},
        {"type": "heartbeat", "sessionEventId": VISIT, "bioPageId": PAGE, "trackingToken": token},
        {"type": "track", "sessionEventId": VISIT, "bioPageId": PAGE, "trackingToken": token, "event": "e"},
        session(PAGE, VISIT),
    ]});
    let answered = instance.post("/events", &batch).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    assert_eq!(answered.header("retry-after"), None);
    let results = answered.json()["data"]["results"].clone();
    assert_eq!(statuses(&answered.json()), ["ok"; 5]);
    assert_eq!(instance.sink.calls(), [5]);
    let events = instance.sink.take_json();
    assert_eq!(
        events[0]["type"], "session.started",
        "the visit comes first"
    );
    assert_eq!(events[1]["body"]["session_id"], results[4]["id"]);
    assert_eq!(events[2]["body"]["pageview_id"], results[0]["id"]);

    let alone = instance.post("/session", &session(PAGE, VISIT)).await;
    assert_eq!(alone.json()["data"]["id"], results[4]["id"]);
    assert_eq!(instance.sink.take_json()[0], events[0]);
    let body = json!({"sessionId": results[4]["id"], "eventId": VIEW});
    let alone = instance.post("/pageview", &body).await;
    assert_eq!(alone.json()["data"]["id"], results[0]["id"]);
    assert_eq!(
        instance.sink.take_json()[0]["event_id"],
        events[1]["event_id"]
    );
}

#[tokio::test]
async fn beacons_that_name_a_dropped_visit_share_its_reason() {
    let instance = Instance::new();
    let mut unwilling = session(PAGE, VISIT);
    unwilling["consentAnalytics"] = json!("denied");
    let mut broken = session(PAGE, Uuid::from_u128(3));
    broken["visitorId"] = json!("");
    let batch = json!({"events": [
        view(PAGE, VISIT, VIEW), unwilling, view(PAGE, Uuid::from_u128(3), VIEW), broken,
    ]});
    let answered = instance.post("/events", &batch).await;
    assert_eq!(
        statuses(&answered.json()),
        [
            "dropped consent",
            "dropped consent",
            "dropped no_session",
            "invalid visitorId must not be empty"
        ]
    );
    assert!(instance.sink.calls().is_empty());
    assert_eq!(instance.outcomes().sum(Outcome::Refused), 3);
}

#[tokio::test]
async fn a_bot_is_refused_when_it_names_a_visit_too() {
    let instance = Instance::new();
    let batch = json!({"events": [view(PAGE, VISIT, VIEW)]});
    let mut request = post("/events", batch.to_string());
    let agent = "Googlebot/2.1 (+http://www.google.com/bot.html)";
    request
        .headers_mut()
        .insert("user-agent", agent.parse().unwrap());
    let answered = instance.call(request).await;
    assert_eq!(statuses(&answered.json()), ["dropped bot"]);
}

#[tokio::test]
async fn every_kind_of_verdict_and_the_sum_of_outcomes() {
    let instance = Instance::new();
    let session_id = session_of(WORKSPACE_NO);
    let mut members = vec![
        session(PAGE, VISIT),
        json!({"type": "heartbeat", "sessionId": session_id}),
        json!({"type": "heartbeat", "sessionId": Uuid::from_u128(9)}),
        json!({"type": "heartbeat", "sessionId": session_of(schemas::WorkspaceNo::NONE)}),
        json!({"type": "heartbeat", "sessionId": "no uuid"}),
        json!({"type": "heartbeat"}),
        json!({"type": "heartbeat", "sessionEventId": VISIT}),
        json!({"type": "leave", "pageviewId": pageview_of(WORKSPACE_NO), "duration": 3601}),
        json!({"type": "identify", "sessionId": session_id}),
        json!({"type": 7}),
        json!("a text"),
        json!({"type": "track", "event": "e"}),
        json!({"type": "heartbeat", "sessionEventId": VISIT, "bioPageId": PAGE, "trackingToken": 7}),
    ];
    let mut without_page = session(PAGE, VIEW);
    without_page["bioPageId"] = Value::Null;
    members.push(without_page);
    let answered = instance.post("/events", &json!({"events": members})).await;
    let rule = "type must be session, pageview, heartbeat, leave or track";
    assert_eq!(
        statuses(&answered.json()),
        [
            "ok".to_owned(),
            "ok".to_owned(),
            "dropped forged".to_owned(),
            "dropped no_page".to_owned(),
            "invalid sessionId must be a UUID".to_owned(),
            "invalid sessionId is required".to_owned(),
            "invalid bioPageId is required with sessionEventId".to_owned(),
            "invalid duration must be a number from 0 to 3600".to_owned(),
            format!("invalid {rule}"),
            format!("invalid {rule}"),
            "invalid a member must be a JSON object".to_owned(),
            "dropped no_session".to_owned(),
            "invalid trackingToken must be a string".to_owned(),
            "dropped no_page".to_owned(),
        ]
    );
    assert!(answered.json()["data"]["results"][13]["id"].is_string());
    assert_eq!(instance.outcomes().total(), 14);
    assert_eq!(instance.outcomes().sum(Outcome::Accepted), 2);
}

#[tokio::test]
async fn track_needs_a_token_and_the_others_do_not() {
    let instance = Instance::new();
    let batch = json!({"events": [
        {"type": "track", "event": "e"},
        {"type": "heartbeat", "sessionId": session_of(WORKSPACE_NO)},
    ]});
    let mut request = post("/events", batch.to_string());
    request.headers_mut().remove("authorization");
    let answered = instance.call(request).await;
    assert_eq!(statuses(&answered.json()), ["invalid unauthorized", "ok"]);
    assert_eq!(instance.outcomes().sum(Outcome::Unauthorized), 1);
}

#[tokio::test]
async fn age_moves_the_time_of_the_event_and_of_its_token() {
    let instance = Instance::new();
    let hour_ago = start_time() - SignedDuration::from_hours(1);
    let mut queued = session(PAGE, VISIT);
    queued["trackingToken"] = token_at(PAGE, hour_ago).into();
    let mut stale = queued.clone();
    stale["eventId"] = json!(VIEW);
    queued["ageMs"] = json!(3_600_000);
    let answered = instance
        .post("/events", &json!({"events": [queued, stale]}))
        .await;
    assert_eq!(statuses(&answered.json()), ["ok", "dropped token"]);
    let event = &instance.sink.take_json()[0];
    assert_eq!(event["occurred_at"], json!(hour_ago));
    assert_eq!(event["received_at"], json!(start_time()));
}

#[tokio::test]
async fn a_failing_log_makes_accepted_members_retry() {
    let instance = Instance::new();
    instance.sink.set(Mode::Fail);
    let batch = json!({"events": [session(PAGE, VISIT), view(PAGE, VISIT, VIEW), {"type": "x"}]});
    let answered = instance.post("/events", &batch).await;
    assert_eq!(
        (answered.status, answered.header("retry-after")),
        (200, Some("2"))
    );
    let told = statuses(&answered.json());
    assert_eq!(told[..2], ["retry unavailable", "retry unavailable"]);
    assert_eq!(instance.outcomes().sum(Outcome::Overloaded), 2);
    assert_eq!(instance.outcomes().total(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_once_for_unknown_pages_and_then_asks_for_a_retry() {
    let instance = Instance::new();
    let nowhere = schemas::PageId(Uuid::from_u128(99));
    let batch = json!({"events": [
        view(LATE_PAGE, VISIT, VIEW),
        session(LATE_PAGE, VISIT),
        view(nowhere, VISIT, VIEW),
    ]});
    let started = tokio::time::Instant::now();
    let answered = instance.post("/events", &batch).await;
    assert_eq!(statuses(&answered.json()), ["retry unavailable"; 3]);
    assert_eq!(started.elapsed().as_secs(), 2);
    // The log is available, so the outcome is not `Overloaded`.
    assert_eq!(instance.outcomes().sum(Outcome::UnknownPage), 3);

    let waits = tokio::spawn(instance.call(post("/events", batch.to_string())));
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    instance.intake.directory().apply(late_page());
    let answered = waits.await.unwrap();
    assert_eq!(
        statuses(&answered.json()),
        ["ok", "ok", "retry unavailable"]
    );
    assert_eq!(instance.sink.take_json()[0]["type"], "session.started");
    assert_eq!(instance.outcomes().total(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_name_without_a_valid_token_is_dropped_at_once_for_known_and_unknown_pages() {
    let instance = Instance::new();
    let named = |kind: &str, name: &str, page: schemas::PageId, token: Value| {
        json!({
            "type": kind, name: VISIT, "bioPageId": page, "trackingToken": token, "duration": 1, "event": "e",
        })
    };
    let mut members = Vec::new();
    for page in [PAGE, LATE_PAGE] {
        for token in [
            Value::Null,
            json!("0".repeat(32)),
            json!(token(schemas::PageId(VISIT))),
        ] {
            members.push(named("pageview", "sessionEventId", page, token.clone()));
            members.push(named("heartbeat", "sessionEventId", page, token.clone()));
            members.push(named("track", "sessionEventId", page, token.clone()));
            members.push(named("leave", "pageviewEventId", page, token));
        }
    }
    let started = tokio::time::Instant::now();
    let answered = instance.post("/events", &json!({"events": members})).await;
    assert_eq!(statuses(&answered.json()), vec!["dropped token"; 24]);
    assert_eq!(
        (
            started.elapsed().as_millis(),
            answered.header("retry-after")
        ),
        (0, None)
    );
    assert!(instance.sink.calls().is_empty());
    assert_eq!(
        instance.outcomes().refused(schemas::RefusalReason::Token),
        24
    );
    assert_eq!(instance.outcomes().sum(Outcome::Overloaded), 0);
    // An id is proof by itself and takes precedence over the name.
    let mut by_id = named("heartbeat", "sessionEventId", PAGE, Value::Null);
    by_id["sessionId"] = json!(session_of(WORKSPACE_NO));
    let answered = instance.post("/events", &json!({"events": [by_id]})).await;
    assert_eq!(statuses(&answered.json()), ["ok"]);
}

#[tokio::test]
async fn names_in_a_queue_are_proven_by_the_token_of_their_visit() {
    let instance = Instance::new();
    let opened = start_time() - SignedDuration::from_hours(23);
    let old = token_at(PAGE, opened);
    let aged = |mut member: Value, minutes: i64| {
        member["trackingToken"] = json!(old);
        member["ageMs"] = json!((23 * 60 - minutes) * 60_000);
        member
    };
    let stranger = Uuid::from_u128(9);
    let batch = json!({"events": [
        aged(view(PAGE, stranger, VIEW), 1),
        aged(view(PAGE, stranger, Uuid::from_u128(10)), 40),
        aged(session(PAGE, VISIT), 0),
        // A page may stay open for hours. Its token proves the visit that began with it.
        aged(view(PAGE, VISIT, Uuid::from_u128(11)), 40),
        aged(json!({"type": "leave", "pageviewEventId": Uuid::from_u128(11), "bioPageId": PAGE, "duration": 1}), 50),
    ]});
    let answered = instance.post("/events", &batch).await;
    assert_eq!(
        statuses(&answered.json()),
        ["ok", "dropped token", "ok", "ok", "ok"]
    );
    let mut now = view(PAGE, VISIT, VIEW);
    now["trackingToken"] = json!(old);
    let answered = instance.post("/events", &json!({"events": [now]})).await;
    assert_eq!(statuses(&answered.json()), ["dropped token"]);
}

#[tokio::test]
async fn an_invalid_batch_counts_as_one_invalid_beacon() {
    let too_many = json!({"events": vec![json!({"type": "heartbeat"}); 501]}).to_string();
    let cases = [
        ("{}".to_owned(), 400),
        (r#"{"events":[]}"#.to_owned(), 400),
        (r#"{"events":{}}"#.to_owned(), 400),
        (too_many, 400),
        ("[]".to_owned(), 400),
        ("{".to_owned(), 400),
        (" ".repeat(1024 * 1024 + 1), 413),
    ];
    let instance = Instance::new();
    for (at, (body, status)) in cases.into_iter().enumerate() {
        assert_eq!(
            instance.call(post("/events", body)).await.status,
            status,
            "case {at}"
        );
    }
    assert_eq!(instance.counts(), [("batch.invalid".to_owned(), 7)]);
}

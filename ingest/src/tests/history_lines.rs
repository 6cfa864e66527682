//! Lines of history one by one: what may be left out, every way in which one can be bad, and records
//! that `replay` printed.

use super::{
    history::{events, instance, merge, take, take_on, visit},
    kit::*,
};
use crate::{
    directory::Directory,
    history::{Reason, Taken},
};
use schemas::{WorkspaceId, WorkspaceNo};
use serde_json::{Value, json};
use uuid::Uuid;

#[test]
fn what_is_missing_or_null_is_taken_like_in_a_beacon() {
    let line = json!({
        "bioPageId": PAGE, "eventId": Uuid::from_u128(7), "visitorId": "v",
        "occurredAt": "2026-02-20T12:30:00.1234567+02:00", "views": null, "heartbeats": null, "ip": null,
    });
    let events = events(&line);
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0].occurred_at.to_string(),
        "2026-02-20T10:30:00.123456Z"
    );
    let visitor = events[0].visitor.as_ref().unwrap();
    assert!(visitor.place.is_empty() && visitor.agent.is_empty());
}

/// What is put in which place of a good line, and words of the reason why it is not taken then.
type Case = (&'static str, Value, &'static str);

fn assert_invalid(cases: &[Case]) {
    for (place, value, words) in cases {
        let mut line = visit();
        let (parent, name) = place.rsplit_once('/').unwrap();
        line.pointer_mut(parent).unwrap()[name] = value.clone();
        let bad = take(&line).expect_err(words);
        assert_eq!(bad.reason, Reason::Invalid, "{words}: {bad}");
        assert!(bad.what.contains(words), "{words}: {bad}");
    }
    assert!(take(&visit()).is_ok());
}

#[test]
fn a_visit_that_breaks_a_rule_is_told_with_it() {
    let no_offset = json!("2026-02-20T10:30:00");
    let zone = json!("2026-02-20T10:30:00+03:00[Europe/Istanbul]");
    let ahead = json!("2027-02-20T10:35:00.124Z");
    assert_invalid(&[
        ("/eventId", json!(null), "eventId is required"),
        ("/eventId", json!("x"), "eventId must be a UUID"),
        ("/bioPageId", json!(null), "bioPageId is required"),
        ("/occurredAt", json!(null), "occurredAt is required"),
        ("/occurredAt", json!("yesterday"), "RFC 3339"),
        ("/occurredAt", no_offset, "RFC 3339"),
        ("/occurredAt", zone, "RFC 3339"),
        ("/occurredAt", json!("1969-12-31T23:59:59Z"), "before 1970"),
        ("/occurredAt", ahead, "5 minutes from now"),
        ("/visitorId", json!(""), "visitorId must not be empty"),
        ("/visitorId", json!("x".repeat(129)), "at most 128"),
        ("/ip", json!("somewhere"), "ip must be"),
        ("/userId", json!(""), "userId must not be empty"),
        ("/userId", json!("x".repeat(129)), "at most 128"),
        ("/heartbeats", json!(-1), "heartbeats must be a whole"),
        ("/heartbeats", json!(2881), "heartbeats must be a whole"),
        ("/views", json!({}), "views must be an array"),
    ]);
}

#[test]
fn a_view_that_breaks_a_rule_is_told_with_it_and_its_place() {
    let earlier = json!("2026-02-20T10:30:00.122Z");
    let first = visit()["views"][0].clone();
    let back = merge(
        first.clone(),
        &json!({"eventId": Uuid::from_u128(9), "occurredAt": "2026-02-20T10:30:00.999Z"}),
    );
    let back = json!([first, back]);
    let twice = json!([first, first]);
    let long = json!(3601);
    assert_invalid(&[
        ("/views", json!([7]), "views[0] must be an object"),
        (
            "/views",
            back,
            "views[1].occurredAt is before the view's in front",
        ),
        ("/views", twice, "views[1].eventId is another view's"),
        (
            "/views/0/eventId",
            json!(null),
            "views[0].eventId is required",
        ),
        ("/views/0/occurredAt", earlier, "before the visit's"),
        (
            "/views/0/linkClicked",
            json!("x"),
            "views[0].linkClicked must be a UUID",
        ),
        (
            "/views/0/leave",
            json!(5),
            "views[0].leave must be an object",
        ),
        (
            "/views/0/leave",
            json!({}),
            "views[0].leave.duration is required",
        ),
        (
            "/views/0/leave/duration",
            long,
            "views[0].leave.duration must be",
        ),
    ]);
}

#[test]
fn what_is_no_visit_at_all_is_told_with_its_reason() {
    let reason = |text: &str| {
        let bad = take_on(instance().service.directory(), text).unwrap_err();
        bad.reason
    };
    for text in [
        "",
        "{",
        "{\"a\":}",
        "nonsense",
        "{\"a\": \u{0}}",
        "[]",
        "7",
        "\"x\"",
    ] {
        assert_eq!(reason(text), Reason::NotJson, "{text}");
    }
    let mut elsewhere = visit();
    elsewhere["bioPageId"] = json!(LATE_PAGE);
    assert_eq!(reason(&elsewhere.to_string()), Reason::UnknownPage);
    assert_eq!(reason(r#"{"key":"k","event":null}"#), Reason::NotAnEvent);
}

#[test]
fn every_broken_rule_is_told_once_and_not_without_end() {
    let mut line = visit();
    line["eventId"] = json!("x");
    line["ip"] = json!("y");
    let bad = take(&line).unwrap_err();
    assert_eq!(
        bad.what.matches("eventId must be a UUID").count(),
        1,
        "{bad}"
    );
    assert!(bad.what.contains("ip must be"), "{bad}");
    line["views"] = Value::Array(vec![json!({}); 5_000]);
    let bad = take(&line).unwrap_err();
    assert!(
        bad.what.len() < 500 && bad.what.ends_with("and more"),
        "{bad}"
    );
}

#[test]
fn a_record_that_replay_printed_goes_on_as_the_bytes_it_was() {
    let event = events(&visit()).remove(0);
    // As another build might have written it: members in another order, one that we do not know.
    let mut record: Value = serde_json::from_slice(&event.to_bytes().unwrap()).unwrap();
    record["later"] = json!(1.0);
    let record = format!(" {} ", record.to_string().replace("\":", "\": "));
    let line = |record: &str| {
        format!(
            r#"{{"key":"k","partition":0,"offset":7,"time":"2026-02-20T10:30:00Z","event":{record}}}"#
        )
    };
    let directory = instance().service.directory();
    let Taken::Record(outgoing) = take_on(directory, &line(&record)).unwrap() else {
        panic!("no record");
    };
    assert_eq!(outgoing.key, WORKSPACE.to_string());
    assert_eq!(String::from_utf8(outgoing.payload).unwrap(), record.trim());

    let reason = |record: &str| take_on(directory, &line(record)).unwrap_err().reason;
    let broken = |from: &str, to: &str| record.replace(from, to);
    assert_eq!(
        reason(&broken("\"version\": 1", "\"version\": 2")),
        Reason::NotAnEvent
    );
    assert_eq!(
        reason(&broken("session.started", "session.ended")),
        Reason::NotAnEvent
    );
    assert_eq!(reason(&broken("page_id", "pageid")), Reason::NotAnEvent);
    assert_eq!(reason(r#"{"event_id": 1}"#), Reason::NotAnEvent);
    assert_eq!(reason("{}"), Reason::NotAnEvent);
    let long = record.replace(
        "\"later\": 1.0",
        &format!("\"later\": \"{}\"", "x".repeat(990_000)),
    );
    assert_eq!(reason(&long), Reason::TooLong);
    // Another installation's tenant must not become one of ours.
    let other = WorkspaceId(Uuid::from_u128(1)).to_string();
    assert_eq!(
        reason(&broken(&WORKSPACE.to_string(), &other)),
        Reason::UnknownWorkspace
    );
    assert_eq!(
        reason(&broken("\"workspace_no\": 42", "\"workspace_no\": 43")),
        Reason::UnknownWorkspace
    );
    let empty = Directory::default();
    empty.apply(page(PAGE, WorkspaceNo(7), WORKSPACE));
    let bad = take_on(&empty, &line(&record)).unwrap_err();
    assert_eq!(bad.reason, Reason::UnknownWorkspace);
}

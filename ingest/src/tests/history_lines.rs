//! Tests single lines of history: optional members, every kind of invalid line, and records that
//! `replay` printed.

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
fn missing_and_null_members_are_read_as_in_a_beacon() {
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

/// A place in a valid line, the value to put there, and words of the error that must follow.
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
fn an_invalid_visit_is_reported_with_its_rule() {
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
        ("/occurredAt", ahead, "5 minutes in the future"),
        ("/visitorId", json!(""), "visitorId must not be empty"),
        ("/visitorId", json!("x".repeat(129)), "at most 128"),
        ("/userId", json!(""), "userId must not be empty"),
        ("/userId", json!("x".repeat(129)), "at most 128"),
        ("/heartbeats", json!(-1), "heartbeats must be a whole"),
        (
            "/heartbeats",
            json!(1e12),
            "heartbeats must be a whole number from 0 to 2880",
        ),
        (
            "/heartbeats",
            json!(2_881),
            "heartbeats must be a whole number from 0 to 2880",
        ),
        (
            "/heartbeats",
            json!(u32::MAX),
            "heartbeats must be a whole number from 0 to 2880",
        ),
        ("/views", json!({}), "views must be an array"),
    ]);
}

#[test]
fn an_invalid_view_is_reported_with_its_rule_and_position() {
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
            "views[1].occurredAt is before that of the previous view",
        ),
        (
            "/views",
            twice,
            "views[1].eventId is already used by another view",
        ),
        (
            "/views/0/eventId",
            json!(null),
            "views[0].eventId is required",
        ),
        (
            "/views/0/occurredAt",
            earlier,
            "before the start of the visit",
        ),
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
fn a_line_that_is_not_a_visit_is_reported_with_its_reason() {
    let reason = |text: &str| {
        let bad = take_on(instance().intake.directory(), text).unwrap_err();
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
    assert_eq!(reason(r#"{"key":"k","event":{}}"#), Reason::NotAnEvent);
    assert_eq!(reason(r#"{"event":[{"event_id":1}]}"#), Reason::NotAnEvent);
    assert_eq!(reason(r#"[{"event_id":1}]"#), Reason::NotJson);
}

/// The error text of a rejected line.
fn said(line: &[u8]) -> String {
    let taken = take_on(instance().intake.directory(), line);
    taken.unwrap_err().to_string()
}

#[test]
fn a_bad_line_is_reported_by_its_rule_and_never_by_its_value() {
    let cases: [(&[u8], &str); 8] = [
        (br#""raw-visitor-42""#, "not a JSON object"),
        (b"42", "not a JSON object"),
        (br#"["raw-visitor-42"]"#, "not a JSON object"),
        (b"raw-visitor-42", "not JSON: expected value at character 1"),
        (
            br#"{"visitorId":"raw-visitor-42"#,
            "not JSON: EOF while parsing a string at character 28",
        ),
        (
            br#"{"event":1,"event":2}"#,
            "the event has no event_id, so the line is not a record of the events topic",
        ),
        (
            br#"{"event":"raw-visitor-42"}"#,
            "the event has no event_id, so the line is not a record of the events topic",
        ),
        (
            br#"{"event":{"event_id":"raw-visitor-42"}}"#,
            "the event is malformed: event_id must be a UUID",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(said(line), expected, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn errors_repeat_no_value_of_any_member() {
    const SECRET: &str = "raw-visitor-42";
    let whole = visit();
    let record: Value = serde_json::from_slice(&events(&whole)[0].to_bytes().unwrap()).unwrap();
    let lines = [
        (whole, String::new()),
        (json!({"event": record}), "/event".to_owned()),
        (json!({"event": record}), "/event/body".to_owned()),
        (json!({"event": record}), "/event/visitor".to_owned()),
    ];
    let mut refused = 0;
    for (line, parent) in lines {
        let members = line.pointer(&parent).unwrap().as_object().unwrap().clone();
        for name in members.keys() {
            for value in [json!(SECRET), json!([SECRET]), json!({SECRET: SECRET})] {
                let mut line = line.clone();
                line.pointer_mut(&parent).unwrap()[name] = value;
                if let Err(bad) = take(&line) {
                    refused += 1;
                    assert!(!bad.what.contains(SECRET), "{parent}/{name}: {bad}");
                    for ours in ["struct", "u16", "u32", "i64", "f64", "enum", "map"] {
                        assert!(!bad.what.contains(ours), "{parent}/{name}: {bad}");
                    }
                }
            }
        }
    }
    assert!(refused > 40, "{refused}");
}

#[test]
fn odd_bytes_in_a_text_do_not_affect_the_rest_of_the_line() {
    let plain = merge(visit(), &json!({"timezone": "ODD"})).to_string();
    let (before, after) = plain.split_once("ODD").unwrap();
    for odd in [
        &b"half \\ud83d"[..],
        b"nul \\u0000",
        b"nul \0",
        b"tab \t",
        b"latin \xe9",
        b"cut \xf0\x9f\x98",
    ] {
        let line = [before.as_bytes(), odd, after.as_bytes()].concat();
        let taken = take_on(instance().intake.directory(), &line);
        let Ok(Taken::Visit(visit)) = &taken else {
            panic!("{taken:?} of {}", odd.escape_ascii());
        };
        assert_eq!(visit.events.len(), 6, "{}", odd.escape_ascii());
    }
}

#[test]
fn an_event_that_is_null_counts_as_absent() {
    let with = merge(visit(), &json!({"event": null}));
    assert_eq!(take(&with), take(&visit()));
    // A record that `replay` prints for an erased key is not a visit either.
    let bad = take(&json!({"key": "k", "event": null})).unwrap_err();
    assert_eq!(bad.reason, Reason::Invalid);
}

#[test]
fn an_address_is_read_as_a_forwarded_one_and_an_invalid_one_has_no_place() {
    let place = |ip: Value| {
        let mut line = visit();
        line["ip"] = ip;
        events(&line)[0].visitor.clone().unwrap().place
    };
    let here = place(json!("81.2.69.142"));
    assert!(!here.is_empty());
    for ip in [
        "81.2.69.142:80",
        " 81.2.69.142 ",
        "::ffff:81.2.69.142",
        "[::ffff:81.2.69.142]",
        "[::ffff:81.2.69.142]:443",
    ] {
        assert_eq!(place(json!(ip)), here, "{ip}");
    }
    assert_eq!(
        place(json!("2001:4860::1")),
        place(json!("2001:4860::1%eth0"))
    );
    for ip in [
        json!("somewhere"),
        json!(""),
        json!(7),
        json!(["81.2.69.142"]),
    ] {
        assert!(place(ip.clone()).is_empty(), "{ip}");
    }
}

/// A visit whose views are `apart` seconds apart, each left after a second.
fn long_visit(views: u64, apart: i64, heartbeats: u64) -> Value {
    let start: jiff::Timestamp = "2026-02-20T10:30:00Z".parse().unwrap();
    let at = |index: u64| {
        let seconds = apart * i64::try_from(index).unwrap();
        (start + jiff::SignedDuration::from_secs(seconds)).to_string()
    };
    let views = (0..views).map(|index| {
        json!({
            "eventId": Uuid::from_u128(1_000 + u128::from(index)), "occurredAt": at(index),
            "leave": {"duration": 1},
        })
    });
    let mut line = visit();
    line["occurredAt"] = json!(start.to_string());
    line["views"] = views.collect();
    line["heartbeats"] = json!(heartbeats);
    line
}

/// The number of its events and of dropped beacons.
fn kept_and_over(line: &Value) -> (u64, u64) {
    match take(line).unwrap() {
        Taken::Visit(visit) => (visit.events.len() as u64, visit.over),
        other => panic!("{other:?}"),
    }
}

#[test]
fn beacons_beyond_the_bounds_of_a_live_session_are_dropped_and_counted() {
    // The session, 1,000 views with their leaves, and heartbeats for a day.
    let full = 1 + 2_000 + 2_879;
    assert_eq!(kept_and_over(&long_visit(1_000, 1, 2_879)), (full, 0));
    assert_eq!(
        kept_and_over(&long_visit(1_003, 1, 2_880)),
        (full, 2 * 3 + 1)
    );
    assert_eq!(
        kept_and_over(&long_visit(4_000, 0, 2_880)),
        (full, 2 * 3_000 + 1)
    );
    // A view within 24 hours of the start counts; one at 24 hours does not.
    assert_eq!(
        kept_and_over(&long_visit(27, 3_600, 0)),
        (1 + 2 * 24, 2 * 3)
    );
    // A dropped view is still checked.
    let mut line = long_visit(1_001, 1, 0);
    line["views"][1_000]["linkClicked"] = json!("x");
    let bad = take(&line).unwrap_err();
    assert!(bad.what.contains("views[1000].linkClicked"), "{bad}");
}

#[test]
fn every_broken_rule_is_reported_once_up_to_a_limit() {
    let mut line = visit();
    line["eventId"] = json!("x");
    line["userId"] = json!("");
    let bad = take(&line).unwrap_err();
    assert_eq!(
        bad.what.matches("eventId must be a UUID").count(),
        1,
        "{bad}"
    );
    assert!(bad.what.contains("userId must"), "{bad}");
    line["views"] = Value::Array(vec![json!({}); 5_000]);
    let bad = take(&line).unwrap_err();
    assert!(
        bad.what.len() < 500 && bad.what.ends_with("and more"),
        "{bad}"
    );
}

#[test]
fn a_record_that_replay_printed_keeps_its_bytes() {
    let event = events(&visit()).remove(0);
    // A record of another build: another order of members, and an unknown one.
    let mut record: Value = serde_json::from_slice(&event.to_bytes().unwrap()).unwrap();
    record["later"] = json!(1.0);
    let record = format!(" {} ", record.to_string().replace("\":", "\": "));
    let line = |record: &str| {
        format!(
            r#"{{"key":"k","partition":0,"offset":7,"time":"2026-02-20T10:30:00Z","event":{record}}}"#
        )
    };
    let directory = instance().intake.directory();
    let Taken::Record(taken) = take_on(directory, line(&record)).unwrap() else {
        panic!("no record");
    };
    assert_eq!(
        (taken.event_id, taken.workspace_no),
        (event.event_id, WORKSPACE_NO)
    );
    let outgoing = taken.outgoing;
    assert_eq!(outgoing.key, WORKSPACE.to_string());
    assert_eq!(String::from_utf8(outgoing.payload).unwrap(), record.trim());

    let reason = |record: &str| take_on(directory, line(record)).unwrap_err().reason;
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
    // A tenant of another installation must not become one of ours.
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
    let bad = take_on(&empty, line(&record)).unwrap_err();
    assert_eq!(bad.reason, Reason::UnknownWorkspace);
}

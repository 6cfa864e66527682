//! Describes the routes of beacons in the OpenAPI document.
//!
//! The one rule: breaking a bound of a schema is an error. A member that is cut, rounded or
//! dropped says so in its description.

use crate::{
    accept::{BeaconKind, members, read::invalid_data, rules::UNLIMITED},
    batch::{MAX_MEMBERS, Results},
    limits::{BATCH, PAGE_SESSIONS, PUBLISHED},
    outcome::BeaconType,
    redirect,
    sessions::{MAX_AGE, MAX_HEARTBEATS, MAX_VIEWS},
    tracker,
};
use axum::http::{Method, StatusCode};
use members::EXAMPLE_ID;
use runtime::openapi::{
    Access, Document, Operation, Schema, Throttled, constant, list, object, one_of, required, text,
    uuid, whole,
};
use serde_json::json;

const TAG: &str = "Beacons";
const OK: StatusCode = StatusCode::OK;

/// Describes every route of beacons.
pub fn describe(document: &mut Document) {
    document.tag(
        TAG,
        "What visitors' browsers send, from any origin. A beacon that does not count gets a normal answer; \
         an answer with an id means that the beacon is in the log permanently. Only members that identify or count can \
         refuse a beacon. A member that only describes is cut at its limit, rounded or clamped, and dropped if it has \
         another type. Half a surrogate pair and U+0000 become U+FFFD. Bodies may be compressed \
         (`Content-Encoding: gzip`); the limit applies to the inflated body. The tracker is a script that sends beacons.",
    );
    let id = || {
        answer(
            "id",
            uuid()
                .or_null()
                .about("`null` when the beacon is not counted."),
        )
    };
    let ok = || {
        answer(
            "ok",
            constant(true).about("Also for beacons that are not counted."),
        )
    };
    let tracked = || {
        answer(
            "tracked",
            constant(true).about("Also for beacons that are not counted."),
        )
    };

    let session_body = document.name("SessionBeacon", object(members::alone(BeaconKind::Session)));
    let pageview_body = document.name(
        "PageviewBeacon",
        object(members::alone(BeaconKind::Pageview)),
    );
    let track_body = document.name("TrackBeacon", object(members::alone(BeaconKind::Track)));
    let leave_body = document.name("LeaveBeacon", object(members::alone(BeaconKind::Leave)));
    let empty_body = document.name("EmptyBeacon", object(members::alone(BeaconKind::Heartbeat)));

    let session = beacon("/api/v1/analytics/session", "create_session")
        .summary("A visit begins.")
        .about(format!(
            "Each one opens a new session, unless its `eventId` was sent before. It counts if the visitor consented \
             and is not a crawler, and if the tracking token proves that the page was rendered recently. One address may \
             begin {PAGE_SESSIONS} sessions of a page a minute; more are answered without an id.",
        ))
        .beacon_body(session_body, true)
        .answers(OK, "The session's id.", id());
    document.add(alone(
        session,
        BeaconKind::Session,
        "visitor of a page at an address",
    ));
    let pageview = beacon("/api/v1/analytics/pageview", "record_pageview")
        .summary("A page is viewed, or a link on it clicked.")
        .about(format!(
            "A session has at most {MAX_VIEWS} views, all within {} hours of its start; later ones are answered without an id.",
            MAX_AGE.as_hours()
        ))
        .beacon_body(pageview_body, true)
        .answers(OK, "The view's id.", id());
    document.add(alone(pageview, BeaconKind::Pageview, "session"));
    let track = beacon("/api/v1/analytics/track", "track_event")
        .summary("A custom event of a signed-in visitor.")
        .access(Access::Bearer)
        .beacon_body(track_body, true)
        .refuses([invalid_data()])
        .answers(OK, "It was received.", tracked());
    document.add(alone(track, BeaconKind::Track, "user"));

    let heartbeat = later("/api/v1/analytics/session/{id}/heartbeat", "beat_session")
        .summary("A visit is still in view; sent every 30 seconds.")
        .about(format!(
            "A session has at most {MAX_HEARTBEATS} heartbeats, all within {} hours of its start; later ones are not counted.",
            MAX_AGE.as_hours()
        ))
        .path_parameter("id", text(UNLIMITED).about("The session's id.").example(EXAMPLE_ID))
        .beacon_body(empty_body.clone(), false)
        .answers(OK, "It was received.", ok());
    let identify = later(
        "/api/v1/analytics/session/{id}/identify",
        "identify_session",
    )
    .summary("A visit's user signed in: the subject of the token.")
    .access(Access::Bearer)
    .path_parameter(
        "id",
        text(UNLIMITED)
            .about("The session's id.")
            .example(EXAMPLE_ID),
    )
    .beacon_body(empty_body, false)
    .answers(OK, "It was received.", ok());
    let leave = later("/api/v1/analytics/pageview/{id}/leave", "leave_pageview")
        .summary("A page is left.")
        .path_parameter(
            "id",
            text(UNLIMITED).about("The view's id.").example(EXAMPLE_ID),
        )
        .beacon_body(leave_body, true)
        .answers(OK, "It was received.", ok());
    for (operation, kind, each) in [
        (heartbeat, BeaconKind::Heartbeat, "session"),
        (identify, BeaconKind::Identify, "user"),
        (leave, BeaconKind::Leave, "view"),
    ] {
        let operation = alone(operation, kind, each);
        // `navigator.sendBeacon` can only POST.
        document.add(operation.by(Method::POST));
        document.add(operation);
    }
    let batch_body = document.name("BeaconBatch", object([required("events", events())]));
    let verdicts = document.type_of::<Results>();
    document.add(limited(batch(batch_body, verdicts), BATCH, "address"));
    tracker::describe(document, TAG);
    redirect::describe(document);
}

fn beacon(path: &str, id: &str) -> Operation {
    Operation::new(Method::POST, path, TAG, id)
}

/// A route for a beacon about an earlier visit or view.
fn later(path: &str, id: &str) -> Operation {
    Operation::new(Method::PATCH, path, TAG, id)
}

/// Adds the limit and the 503 of a beacon in a request of its own.
fn alone(operation: Operation, kind: BeaconKind, each: &str) -> Operation {
    limited(operation, kind.throttle(), each).refuses_while_away()
}

/// Adds the published limit of this name; `each` says what it counts separately.
fn limited(operation: Operation, route: &str, each: &str) -> Operation {
    match PUBLISHED.iter().find(|limit| limit.route == route) {
        Some(limit) => operation.throttled(Throttled::WhenSpent, *limit, each),
        None => operation,
    }
}

fn answer(name: &str, schema: Schema) -> Schema {
    object([required(name, schema)])
}

fn batch(body: Schema, verdicts: Schema) -> Operation {
    beacon("/api/v1/analytics/events", "record_events")
        .summary("Many beacons at once, with a verdict for each.")
        .about(
            "Each member is judged as if sent alone, visits first. Instead of an id, a member may give the `eventId` of the \
             visit or view, and its page with a tracking token. So a client can send a whole visit without waiting for \
             ids. Members of type `track` need a token of the user.",
        )
        .access(Access::BearerForSome)
        .beacon_body(body, true)
        .answers(OK, "A verdict for each member, in their order.", verdicts)
        .answer_header(
            "Retry-After",
            false,
            whole(1..=i64::MAX).about("If a verdict is `retry`: seconds to wait before those members are sent again."),
        )
}

fn events() -> Schema {
    let either = |id: &str, event_id: &str| json!([{ "required": [id] }, { "required": [event_id, "bioPageId"] }]);
    let by_session = either("sessionId", "sessionEventId");
    let members = one_of([
        member(BeaconKind::Session),
        member(BeaconKind::Pageview).with("anyOf", by_session.clone()),
        member(BeaconKind::Heartbeat).with("anyOf", by_session),
        member(BeaconKind::Leave).with("anyOf", either("pageviewId", "pageviewEventId")),
        member(BeaconKind::Track),
    ]);
    list(members)
        .with("minItems", 1)
        .with("maxItems", MAX_MEMBERS)
}

/// The schema of a member of a batch.
fn member(kind: BeaconKind) -> Schema {
    let name = BeaconType::from(kind).name();
    let kind_of_member = required("type", constant(name));
    object([kind_of_member].into_iter().chain(members::in_batch(kind)))
}

//! The routes of beacons, as the OpenAPI document has them.
//!
//! The one rule: a bound in a schema is one that refuses; what is cut, rounded or left out says so in words.

use crate::{
    accept::{
        BeaconKind,
        read::{
            MAX_DURATION_SECONDS, MAX_EVENT_NAME_CHARS, MAX_NAME_CHARS, MAX_SCREEN,
            MAX_SCROLL_PERCENT, MAX_URL_CHARS, MAX_VISITOR_ID_CHARS, UNLIMITED, invalid_data,
        },
    },
    batch::{MAX_AGE_MS, MAX_MEMBERS, Results},
    limits::{BATCH, PAGE_SESSIONS, PUBLISHED},
    sessions::{MAX_AGE, MAX_HEARTBEATS, MAX_VIEWS},
    tracker,
};
use axum::http::{Method, StatusCode};
use runtime::openapi::{
    Access, Document, Member, Operation, Schema, Throttled, any_object, constant, list, nullable,
    number, object, one_of, required, text, uuid, whole,
};
use serde_json::{Value, json};

const TAG: &str = "Beacons";
const OK: StatusCode = StatusCode::OK;

/// Describes every route of beacons.
pub fn describe(document: &mut Document) {
    document.tag(
        TAG,
        "What visitors' browsers send, from any origin. A beacon that must not count is answered like any other; \
         an answer with an id says that the beacon is in the log for good. Only what identifies or counts can refuse a \
         beacon. A member that only describes is cut at its limit, rounded or clamped, and left out when it is of another \
         type. Half a surrogate pair and U+0000 become U+FFFD. Bodies may be compressed (`Content-Encoding: gzip`); their \
         limit holds for what they inflate to. The tracker is a script that sends them.",
    );
    let id = || {
        answer(
            "id",
            uuid()
                .or_null()
                .about("`null` when the beacon is not counted."),
        )
    };
    let ok = || answer("ok", constant(true).about("Also for what is not counted."));
    let tracked = || {
        answer(
            "tracked",
            constant(true).about("Also for what is not counted."),
        )
    };

    let session_body = document.name("SessionBeacon", object(session_members()));
    let pageview_body = document.name("PageviewBeacon", object(pageview_members([session_id()])));
    let track_body = document.name("TrackBeacon", object(track_members()));
    let leave_body = document.name("LeaveBeacon", object(leave_members(None)));
    let empty_body = document.name("EmptyBeacon", object([event_id()]));

    let session = beacon("/api/v1/analytics/session", "create_session")
        .summary("A visit begins.")
        .about(format!(
            "Each one opens a new session, unless its `eventId` was sent before. It is counted when the visitor agreed \
             and is not a crawler, and when the tracking token proves that the page was rendered a moment ago. One address may \
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
            "A session takes {MAX_VIEWS} views, and none more than {} hours after its start; later ones are answered without an id.",
            MAX_AGE.as_hours()
        ))
        .beacon_body(pageview_body, true)
        .answers(OK, "The view's id.", id());
    document.add(alone(pageview, BeaconKind::Pageview, "session"));
    let track = beacon("/api/v1/analytics/track", "track_event")
        .summary("An event of the site's own, of a visitor who is signed in.")
        .access(Access::Bearer)
        .beacon_body(track_body, true)
        .refuses([invalid_data()])
        .answers(OK, "It was received.", tracked());
    document.add(alone(track, BeaconKind::Track, "user"));

    let heartbeat = later("/api/v1/analytics/session/{id}/heartbeat", "beat_session")
        .summary("A visit is still in view; sent every 30 seconds.")
        .about(format!(
            "A session takes {MAX_HEARTBEATS}, and none more than {} hours after its start; later ones are not counted.",
            MAX_AGE.as_hours()
        ))
        .path_parameter("id", text(UNLIMITED).about("The session's id.").example(ID))
        .beacon_body(empty_body.clone(), false)
        .answers(OK, "It was received.", ok());
    let identify = later(
        "/api/v1/analytics/session/{id}/identify",
        "identify_session",
    )
    .summary("A visit's user signed in: the subject of the token.")
    .access(Access::Bearer)
    .path_parameter("id", text(UNLIMITED).about("The session's id.").example(ID))
    .beacon_body(empty_body, false)
    .answers(OK, "It was received.", ok());
    let leave = later("/api/v1/analytics/pageview/{id}/leave", "leave_pageview")
        .summary("A page is left.")
        .path_parameter("id", text(UNLIMITED).about("The view's id.").example(ID))
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
    let members = document.name("BeaconBatch", object([required("events", events())]));
    let verdicts = document.type_of::<Results>();
    document.add(limited(batch(members, verdicts), BATCH, "address"));
    tracker::describe(document, TAG);
}

const ID: &str = "0192e000-0000-8000-8000-00000000000a";

fn beacon(path: &str, id: &str) -> Operation {
    Operation::new(Method::POST, path, TAG, id)
}

/// A beacon about a visit or view that was sent before.
fn later(path: &str, id: &str) -> Operation {
    Operation::new(Method::PATCH, path, TAG, id)
}

/// A beacon that comes in a request of its own.
fn alone(operation: Operation, kind: BeaconKind, each: &str) -> Operation {
    limited(operation, kind.throttle(), each).refuses_while_away()
}

/// The published limit of that name, and what is counted by itself.
fn limited(operation: Operation, route: &str, each: &str) -> Operation {
    match PUBLISHED.iter().find(|limit| limit.route == route) {
        Some(limit) => operation.throttled(Throttled::WhenSpent, *limit, each),
        None => operation,
    }
}

fn answer(name: &str, schema: Schema) -> Schema {
    object([required(name, schema)])
}

fn batch(members: Schema, verdicts: Schema) -> Operation {
    beacon("/api/v1/analytics/events", "record_events")
        .summary("Many beacons at once, with a verdict for each.")
        .about(
            "Members are judged as they would be alone, visits first. In place of an id, a member may name the `eventId` that the \
             visit or view was sent with, and its page with a tracking token, so that a client can send a whole visit without \
             waiting for ids. Members of type `track` need a token of the user.",
        )
        .access(Access::BearerForSome)
        .beacon_body(members, true)
        .answers(OK, "A verdict for each member, in their order.", verdicts)
        .answer_header(
            "Retry-After",
            false,
            whole(1..=i64::MAX).about("Where a verdict is `retry`: seconds after which to send those members again."),
        )
}

fn events() -> Schema {
    let session = [
        uuid_named("sessionId", "The session."),
        page_id(),
        page_token(),
    ];
    let in_place = uuid_named(
        "sessionEventId",
        "In place of `sessionId`: the `eventId` it was sent with, with `bioPageId` and `trackingToken`.",
    );
    let of_session = || session.clone().into_iter().chain([in_place.clone()]);
    let either = |id: &str, event_id: &str| json!([{ "required": [id] }, { "required": [event_id, "bioPageId"] }]);
    let by_session = either("sessionId", "sessionEventId");
    let view = [
        uuid_named("pageviewId", "The view."),
        uuid_named(
            "pageviewEventId",
            "In place of `pageviewId`: the `eventId` it was sent with, with `bioPageId` and `trackingToken`.",
        ),
        page_id(),
        page_token(),
    ];
    let track = track_members()
        .into_iter()
        .filter(|member| member.name() != "sessionId");
    let members = one_of([
        member("session", session_members()),
        member("pageview", pageview_members(of_session())).with("anyOf", by_session.clone()),
        member("heartbeat", of_session().chain([event_id()])).with("anyOf", by_session),
        member("leave", leave_members(view)).with("anyOf", either("pageviewId", "pageviewEventId")),
        member("track", track.chain(of_session())),
    ]);
    list(members)
        .with("minItems", 1)
        .with("maxItems", MAX_MEMBERS)
}

/// A member of a batch.
fn member(kind: &str, members: impl IntoIterator<Item = Member>) -> Schema {
    let age = any_number().about(format!(
        "How many milliseconds ago it happened, where it had to wait. Rounded, and clamped to 0 to {MAX_AGE_MS}."
    ));
    let first = [required("type", constant(kind)), nullable("ageMs", age)];
    object(first.into_iter().chain(members))
}

fn session_members() -> Vec<Member> {
    let name = |about: &str| cut(about, MAX_NAME_CHARS);
    let side = || {
        any_number().about(format!(
            "In CSS pixels. Rounded, and left out above {MAX_SCREEN}."
        ))
    };
    let guess = "Used where the `User-Agent` header does not tell.";
    vec![
        required(
            "visitorId",
            not_empty(text(MAX_VISITOR_ID_CHARS))
                .about("The client's own id of its visitor. It is kept only as a keyed hash.")
                .example("3f0c8f6e-visitor"),
        ),
        nullable(
            "consentAnalytics",
            text(UNLIMITED)
                .about("The visit is counted only when this is exactly `granted`.")
                .example("granted"),
        ),
        nullable(
            "bioPageId",
            uuid().about("The page that is visited.").example(ID),
        ),
        nullable(
            "trackingToken",
            text(UNLIMITED)
                .about("Proof that the page was rendered a moment ago; needed with `bioPageId`.")
                .example("5b1c9c0e7f2a4d3b8e6f1a2b3c4d5e6f"),
        ),
        nullable(
            "referrer",
            cut("Where the visitor came from.", MAX_URL_CHARS)
                .example("https://www.instagram.com/"),
        ),
        nullable(
            "landingUrl",
            text(UNLIMITED)
                .about("Where the visitor landed; its path and `utm_…` parameters are kept."),
        ),
        nullable("device", name(guess)),
        nullable("browser", name(guess)),
        nullable("os", name(guess)),
        nullable("osVersion", name(guess)),
        nullable("timezone", name("The browser's time zone.")),
        nullable("language", name("The browser's language.")),
        nullable("screenWidth", side()),
        nullable("screenHeight", side()),
        event_id(),
    ]
}

fn pageview_members(of: impl IntoIterator<Item = Member>) -> Vec<Member> {
    let short = |about: &str| cut(about, MAX_URL_CHARS);
    let view = [
        nullable(
            "linkClicked",
            uuid().about("The link, when this is a click. A click is also a view."),
        ),
        nullable("path", short("Path of the page.").example("/")),
        nullable("title", short("Title of the page.")),
        nullable("referrer", short("Referrer of the page.")),
        event_id(),
    ];
    of.into_iter().chain(view).collect()
}

fn leave_members(of: impl IntoIterator<Item = Member>) -> Vec<Member> {
    let duration =
        number(0.0..=MAX_DURATION_SECONDS).about("How long the page was in view, in seconds.");
    let depth = any_number().about(format!(
        "How far down it was read, in percent. Clamped to 0 to {MAX_SCROLL_PERCENT}."
    ));
    let leave = [
        required("duration", duration.example(41.5)),
        nullable("scrollDepth", depth.example(80)),
        event_id(),
    ];
    of.into_iter().chain(leave).collect()
}

fn track_members() -> Vec<Member> {
    let session =
        "The session. Without one, or with something else, the event is answered and not recorded.";
    vec![
        required(
            "event",
            not_empty(text(MAX_EVENT_NAME_CHARS))
                .about("Name of the event.")
                .example("signup_step_complete"),
        ),
        nullable("sessionId", text(UNLIMITED).about(session).example(ID)),
        nullable(
            "properties",
            any_object()
                .about("Anything about it; its size as JSON is bounded.")
                .example(json!({ "step": 2 })),
        ),
        event_id(),
    ]
}

fn session_id() -> Member {
    required("sessionId", uuid().about("The session.").example(ID))
}

fn page_id() -> Member {
    uuid_named("bioPageId", "The page.")
}

fn page_token() -> Member {
    nullable(
        "trackingToken",
        text(UNLIMITED).about(
            "Proof of the page, needed with a name in place of an id; valid at the time that `ageMs` gives. Without it the \
             member is dropped (`token`).",
        ),
    )
}

fn event_id() -> Member {
    uuid_named(
        "eventId",
        "The client's own id of this beacon: sent again with the same one, it counts once.",
    )
}

fn uuid_named(name: &str, about: &str) -> Member {
    nullable(name, uuid().about(about))
}

/// A text that only describes.
fn cut(about: &str, max_chars: usize) -> Schema {
    text(UNLIMITED).about(format!("{about} Cut at {max_chars} characters."))
}

/// A number that only describes.
fn any_number() -> Schema {
    number(f64::NEG_INFINITY..=f64::INFINITY)
}

fn not_empty(schema: Schema) -> Schema {
    schema.with("minLength", Value::from(1))
}

//! Describes the events API in the OpenAPI document.

use super::{
    EXPORT, LIST, errors,
    export::SNAPSHOT,
    limits::Scope,
    params::{CLICK_SOURCES, DEFAULT_LIMIT, MAX_DAYS, MAX_LIMIT},
};
use crate::{auth::Plan, events::SCHEMA_VERSION, refusals};
use axum::http::{Method, StatusCode};
use runtime::openapi::{
    Access, Document, Operation, Schema, Throttled, any_of, boolean, constant, instant, list,
    object, optional, required, text, whole, word_of,
};

const TAG: &str = "Events";

/// Describes the routes of the events API.
pub(crate) fn describe(document: &mut Document) {
    document.tag(
        TAG,
        "Raw clicks and scans for data teams. Times are UTC with six digits of a second. Unknown parameters are answered 400.",
    );
    let event = document.name("RawEvent", event());
    // An empty page by arrival has all that a page by time needs.
    let pages = any_of([browse_page(event.clone()), sync_page(event)]);
    let listed = filters(of_window(operation(
        LIST,
        "list_events",
        Scope::Events,
        "Clicks and scans, page by page.",
    )))
    .about(
        "With `from` and `to`, the events of a time, in the order of `createdAt` and `eventId`: events that arrive after the first page are \
         on none of its pages. With `since`, the events that arrived after a position, in the order of their arrival: every event once, late \
         ones included. Send `nextSince` and `afterEventId` of the last answer again. A known `afterEventId` alone decides the position.",
    )
    .query_parameter("cursor", text(usize::MAX).about("`nextCursor` of the page before, with the same parameters; `limit` may differ."))
    .query_parameter("since", instant().about("The first page has the events after this time. Excludes `from` and `to`."))
    .query_parameter("afterEventId", text(usize::MAX).about("`afterEventId` of the last answer. With an unknown id, events at `since` or later follow."))
    .query_parameter("limit", whole(1..=MAX_LIMIT).default(DEFAULT_LIMIT).about("Events of a page."))
    .answers_as(StatusCode::OK, "A page.", "application/json", pages);
    document.add(listed);
    let exported = filters(of_window(operation(
        EXPORT,
        "export_events",
        Scope::Export,
        "Clicks and scans of a time as a file.",
    )))
    .about(
        "The file has what was visible when it began, in the order of `createdAt` and `eventId`. After a failure the connection breaks. To get the \
         rest, send `snapshot` with the value of `X-Snapshot-Id`, and `afterEventId` with the last event that arrived whole. The file is compressed (gzip or zstd) \
         when `Accept-Encoding` asks for it.",
    )
    .query_parameter("format", word_of(&["json", "csv"]).default("json").about("A JSON object on each line, or comma-separated values with a line of names."))
    .query_parameter("snapshot", text(usize::MAX).about("`X-Snapshot-Id` of an export with the same parameters."))
    .query_parameter("afterEventId", text(usize::MAX).about("With `snapshot`: the file begins after this event, without a line of names."))
    .answers_as(StatusCode::OK, "The file.", "application/x-ndjson", text(usize::MAX).about("A `RawEvent` on each line, or comma-separated values."))
    .answer_header("Content-Disposition", true, text(usize::MAX).about("The file's name."))
    .answer_header(SNAPSHOT, true, text(usize::MAX).about("Names what the file contains."));
    document.add(exported);
    super::short_urls::describe(document);
}

fn operation(path: &str, id: &str, scope: Scope, summary: &str) -> Operation {
    Operation::new(Method::GET, path, TAG, id)
        .access(Access::Key)
        .throttled(
            Throttled::Always,
            scope.limit(Plan::Starter),
            "key in the smallest plan",
        )
        .refuses_while_away()
        .summary(summary)
        .refuses([
            errors::invalid("Send both from and to."),
            refusals::key_missing(),
            refusals::invalid_key(),
            refusals::permission_missing(),
            errors::scope_spent("", 0, 1),
            refusals::report_busy(),
            refusals::report_timeout(""),
        ])
}

fn of_window(operation: Operation) -> Operation {
    let day = |about: String| text(40).example("2026-01-31").about(about);
    operation
        .query_parameter(
            "from",
            day("The first day, or the first instant.".to_owned()),
        )
        .query_parameter(
            "to",
            day(format!(
                "The last day, or the last instant; included. At most {MAX_DAYS} days after `from`."
            )),
        )
}

fn filters(operation: Operation) -> Operation {
    operation
        .query_parameter("shortCode", text(50).about("Only clicks on the link that has this code, in any case."))
        .query_parameter("shortUrlId", text(40).about("Only clicks on this link."))
        .query_parameter("eventType", word_of(&["CLICK"]).about("Only events of this type."))
        .query_parameter("clickSource", word_of(&CLICK_SOURCES).about("Only clicks from this source."))
        .query_parameter("includeBots", boolean().default(false).about("Whether clicks by machines, and repeated ones of a visitor within an hour, are among them."))
}

fn browse_page(event: Schema) -> Schema {
    object([
        required("data", list(event)),
        required("hasMore", boolean()),
        optional("nextCursor", text(usize::MAX).about("Only with `hasMore`.")),
    ])
    .about("A page by time.")
}

fn sync_page(event: Schema) -> Schema {
    object([
        required("data", list(event)),
        required("hasMore", boolean()),
        required("nextSince", instant()),
        optional(
            "afterEventId",
            text(usize::MAX).about("The last event that was served, if there was one."),
        ),
    ])
    .about("A page by arrival.")
}

fn event() -> Schema {
    let word = |example: &str| text(usize::MAX).example(example);
    let unknown = |example: &str| word(example).or_null();
    object([
        required("eventId", word("evt_0192e000-0000-7000-8000-00000000000a")),
        required("schemaVersion", constant(SCHEMA_VERSION)),
        required(
            "createdAt",
            instant()
                .example("2026-01-15T10:30:00.123456Z")
                .about("When the click happened."),
        ),
        required("shortCode", word("my-link")),
        required(
            "shortUrlId",
            word("url_0192e000-0000-7000-8000-00000000000b"),
        ),
        required("eventType", word_of(&["CLICK"])),
        required("clickSource", word_of(&CLICK_SOURCES)),
        required("referrer", unknown("https://facebook.com/")),
        required("referrerDomain", unknown("facebook.com")),
        required("country", unknown("United States")),
        required("countryCode", unknown("US")),
        required("city", unknown("San Francisco")),
        required("region", unknown("California")),
        required("browserName", unknown("Chrome")),
        required("browserVersion", unknown("122.0")),
        required("osName", unknown("iOS")),
        required("osVersion", unknown("17.4")),
        required(
            "deviceType",
            word_of(&["MOBILE", "DESKTOP", "TABLET"])
                .example("MOBILE")
                .or_null(),
        ),
        required("deviceBrand", unknown("Apple")),
        required("deviceModel", unknown("iPhone")),
        required("utmSource", unknown("facebook")),
        required("utmMedium", unknown("social")),
        required("utmCampaign", unknown("launch")),
    ])
    .about("A click, or a scan of a QR code. Unknown values are `null`.")
}

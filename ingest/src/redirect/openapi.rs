//! Describes short URLs in the OpenAPI document.

use super::PATH;
use axum::http::{Method, StatusCode};
use runtime::{
    http::ApiError,
    openapi::{Document, Operation, Schema, constant, list, object, required, text},
};

const TAG: &str = "Short links";

/// Describes short URLs.
pub(crate) fn describe(document: &mut Document) {
    document.tag(
        TAG,
        "What people open. Short links answer on the host of `PUBLIC_URL` and on verified domains, and only at paths that are no route.",
    );
    document.add(opening());
    document.add(unlocking());
}

fn code() -> Schema {
    text(usize::MAX)
        .about("The code, in any case. A slash and punctuation at its end are ignored.")
        .example("aB3xK9pQ")
}

/// Adds the answer of a closed link, and what all answers have.
fn closing(operation: Operation) -> Operation {
    let closed = object([required(
        "errors",
        list(object([
            required("code", constant("EN002")),
            required("message", text(usize::MAX)),
        ])),
    )]);
    operation
        .answers_as(
            StatusCode::GONE,
            "The link is switched off, archived, expired or used up.",
            "application/json",
            closed,
        )
        .answer_header("Cache-Control", true, constant("private, no-store"))
        .refuses([
            ApiError::from_status(StatusCode::NOT_FOUND),
            ApiError::from_status(StatusCode::SERVICE_UNAVAILABLE),
        ])
        .also_as_pages([StatusCode::NOT_FOUND, StatusCode::GONE])
}

fn opening() -> Operation {
    let operation = Operation::new(Method::GET, PATH, TAG, "open_link")
        .summary("Opens a short link.")
        .about(
            "The way depends on the link: its rules, the device, its limit and its password. A link that is switched off, expired or \
             used up is 410, and one with a password is a page that asks for it. The click is in the reports a moment later. It does not count when a machine sends it: a crawler, a \
             preview, HEAD, a request without `User-Agent`, one from a network that the operator lists, or one with the parameter `bot`. The same visitor (address and \
             agent) counts once an hour. With `no-track` in the query, or a header `X-No-Track`, nothing is recorded. With \
             `Sec-GPC: 1` or `DNT: 1` the click counts without a visitor.",
        )
        .path_parameter("shortCode", code())
        .answers_nothing(StatusCode::MOVED_PERMANENTLY, "The way to the destination, if the link says 301. No cache may keep it.")
        .answers_nothing(StatusCode::FOUND, "The way to the destination.")
        .answers_nothing(StatusCode::TEMPORARY_REDIRECT, "The way to the destination, if the link says 307.")
        .answers_nothing(StatusCode::PERMANENT_REDIRECT, "The way to the destination, if the link says 308. No cache may keep it.")
        .answer_header("Location", true, text(usize::MAX).about("The destination with what is added to it; nothing else is changed."))
        .answers_as(
            StatusCode::OK,
            "A page: it asks for the password and sends it by POST, waits, tries an app, or is the owner's preview for a program that makes one.",
            "text/html",
            text(usize::MAX),
        )
        .answers_nothing(StatusCode::NO_CONTENT, "Recorded; the link leads nowhere.");
    closing(operation)
}

fn unlocking() -> Operation {
    let page = || text(usize::MAX);
    let operation = Operation::new(Method::POST, PATH, TAG, "unlock_link")
        .summary("Opens a short link with its password.")
        .about(
            "What the page that asks for the password sends. With the right password the link opens as by GET, and the click is \
             recorded in the same way. An address may send 10 wrong passwords to a link in 15 minutes, and all addresses \
             together 200. More are answered 429, also right ones. A link without a password, and an unknown code, are 405.",
        )
        .path_parameter("shortCode", code())
        .form_body(object([required(
            "password",
            text(usize::MAX).about("The form has at most 4 KiB. Other fields are ignored."),
        )]))
        .answers_nothing(StatusCode::SEE_OTHER, "The way to the destination, also if the link says another status.")
        .header_of(
            StatusCode::SEE_OTHER,
            "Location",
            page().about("The destination with what is added to it; nothing else is changed."),
        )
        .answers_as(
            StatusCode::OK,
            "A page: it waits, tries an app, or is the owner's preview for a program that makes one.",
            "text/html",
            page(),
        )
        .answers_nothing(StatusCode::NO_CONTENT, "Recorded; the link leads nowhere.")
        .answers_as(
            StatusCode::FORBIDDEN,
            "This is not the password: the page that asks for it, again.",
            "text/html",
            page(),
        )
        .answers_as(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many wrong passwords: the page that asks for it, again.",
            "text/html",
            page(),
        )
        .header_of(
            StatusCode::TOO_MANY_REQUESTS,
            "Retry-After",
            constant(900).about("Seconds."),
        )
        .refuses([ApiError::from_status(StatusCode::METHOD_NOT_ALLOWED)]);
    closing(operation)
}

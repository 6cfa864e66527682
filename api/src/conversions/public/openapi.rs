//! Describes the routes that need no credential but a click's id.

use super::{Limited, PIXEL, POSTBACK, S2S, TRACK, s2s::Report, track::Tracking};
use crate::conversions::{
    refusals,
    wire::{WireAttributed, WirePosted, WireTracked},
};
use axum::http::{Method, StatusCode};
use runtime::{
    members::{self, Body},
    openapi::{Document, Operation, Throttled, constant, text},
};

/// The family of commands in `manage::conversions` has the same tag.
const TAG: &str = "Conversions";
const OK: StatusCode = StatusCode::OK;

/// Describes the routes.
pub(crate) fn describe(document: &mut Document) {
    let tracked = document.type_of::<WireTracked>();
    let posted = document.type_of::<WirePosted>();
    let attributed = document.type_of::<WireAttributed>();
    document.add(
        open(
            Method::POST,
            "/api/conversions/track",
            ("track_conversion", TRACK),
        )
        .summary("Reports a conversion of a click, from a page or a server.")
        .body(members::schema(Tracking::MEMBERS))
        .answers(
            OK,
            "The conversion, or the first one with the same order.",
            tracked,
        )
        .refuses_while_away()
        .refuses(of_click()),
    );
    document.add(
        of_query(open(
            Method::GET,
            "/api/conversions/postback",
            ("post_back", POSTBACK),
        ))
        .summary("Reports a conversion of a click by opening an address. HEAD does nothing.")
        .query_parameter(
            "token",
            text(100).about("The workspace's token, if it requires one."),
        )
        .answers(
            OK,
            "The conversion, or the first one with the same order.",
            posted,
        )
        .answer_header("Cache-Control", true, constant("no-store"))
        .refuses_parameters()
        .refuses_while_away()
        .refuses(of_click())
        .refuses([refusals::no_click(), refusals::wrong_token()]),
    );
    document.add(
        open(Method::POST, "/conversions/s2s", ("report_conversion", S2S))
            .summary("Reports a conversion from server to server. Without a click to credit it is not recorded.")
            .body(members::schema(Report::MEMBERS))
            .answers(OK, "The conversion, and whose click led to it.", attributed)
            .refuses_while_away()
            .refuses([refusals::too_many()]),
    );
    document.add(
        of_query(limited(
            Throttled::Never,
            Method::GET,
            "/api/conversions/pixel.gif",
            ("send_pixel", PIXEL),
        ))
        .summary("Reports a conversion of a click by loading a picture. HEAD does nothing.")
        .answers_as(
            OK,
            "A transparent picture, for every outcome.",
            "image/gif",
            text(usize::MAX),
        )
        .answer_header("Cache-Control", true, constant("no-store")),
    );
}

fn open(method: Method, path: &str, named: (&str, Limited)) -> Operation {
    limited(Throttled::Always, method, path, named)
}

fn limited(
    throttled: Throttled,
    method: Method,
    path: &str,
    (name, (id, allowance)): (&str, Limited),
) -> Operation {
    let operation = Operation::new(method, path, TAG, name);
    match allowance.limit(id) {
        Some(limit) => operation.throttled(throttled, limit, "address"),
        None => operation,
    }
}

fn of_click() -> [runtime::http::ApiError; 4] {
    [
        refusals::placeholder(),
        refusals::invalid_click(),
        refusals::click_expired(),
        refusals::too_many(),
    ]
}

fn of_query(operation: Operation) -> Operation {
    let word = |about: &str| text(super::super::call::MOST_CHARS).about(about);
    operation
        .query_parameter("lw_cid", word("The click."))
        .query_parameter("amount", word("The amount, such as 49.90."))
        .query_parameter("currency", word("Its currency; USD by default."))
        .query_parameter("event", word("The name of the event."))
        .query_parameter("type", word("The class, if not by the name."))
        .query_parameter("orderId", word("The order. It counts once."))
        .query_parameter("customerExternalId", word("Your id of the customer."))
        .query_parameter("payout", word("Kept as metadata."))
}

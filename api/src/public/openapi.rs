//! Describes the public routes in the OpenAPI document.

use super::{Limited, READ_EMBED, READ_PAGE, SHOW_PAGE, json::WirePublicPage};
use crate::refusals;
use axum::http::{Method, StatusCode};
use runtime::openapi::{Document, Operation, Schema, Throttled, constant, text};

const TAG: &str = "Public pages";
const OK: StatusCode = StatusCode::OK;

/// Describes the routes.
pub(crate) fn describe(document: &mut Document) {
    document.tag(
        TAG,
        "Public bio pages, with the links that are visible now.",
    );
    let page = document.type_of::<WirePublicPage<'static>>();
    let named = |operation: Operation| {
        operation
            .query_parameter("page", slug().about("The slug of a further page."))
            .answers(OK, "The page.", page.clone())
            .answer_header("Cache-Control", true, text(usize::MAX))
    };
    document.add(named(
        of_page("/api/v1/bio/{username}", ("read_page", READ_PAGE))
            .summary("A page with its visible links."),
    ));
    document.add(
        named(
            of_page("/api/v1/bio/embed/{username}", ("read_embed", READ_EMBED))
                .summary("The same for embedding, if the page allows it.")
                .refuses([refusals::embed_disabled()]),
        )
        .answer_header("X-Frame-Options", true, constant("ALLOWALL")),
    );
    let shown = |operation: Operation| {
        operation
            .answers_as(OK, "A page as HTML.", "text/html", html())
            .answer_header("Cache-Control", true, text(usize::MAX))
            .answer_header("Content-Security-Policy", true, text(usize::MAX))
            .refuses_with_pages()
    };
    document.add(shown(
        of_page("/@{username}", ("show_page", SHOW_PAGE))
            .summary("A creator's first page, with the tracker."),
    ));
    document.add(shown(
        of_page("/@{username}/{slug}", ("show_further_page", SHOW_PAGE))
            .summary("A further page of a creator, with the tracker.")
            .path_parameter("slug", slug()),
    ));
    document.add(
        Operation::new(Method::GET, "/favicon.svg", TAG, "send_favicon")
            .summary("The icon of pages.")
            .answers_as(
                OK,
                "An SVG image.",
                "image/svg+xml",
                text(usize::MAX).example("<svg>…"),
            )
            .answer_header("Cache-Control", true, text(usize::MAX)),
    );
}

/// A route that reads the database.
fn of_page(path: &str, (name, (id, allowance)): (&str, Limited)) -> Operation {
    let username = text(usize::MAX).about("The creator's username, in any case.");
    let mut operation = Operation::new(Method::GET, path, TAG, name);
    if let Some(limit) = allowance.limit(id) {
        operation = operation.throttled(Throttled::Always, limit, "address");
    }
    operation
        .path_parameter("username", username.example("ada"))
        .refuses([refusals::page_not_found()])
        .refuses_while_away()
}

fn slug() -> Schema {
    text(usize::MAX).example("second")
}

fn html() -> Schema {
    text(usize::MAX).example("<!doctype html>…")
}

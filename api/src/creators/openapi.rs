//! The routes of creators and their pages, as the OpenAPI document has them.

use super::{
    provision::{MAX_NAME_CHARS, WireCreator},
    username,
    wire::{CONSENTS, MAX_BIO_CHARS, MAX_CSS_CHARS, MAX_SLUG_CHARS, WireBioPage},
};
use crate::{
    jsonb,
    limits::{ADD_PAGE, CREATE_CREATOR, GET_CREATOR, GET_PAGE, UPDATE_PAGE},
    openapi::{guarded, page_id},
    refusals,
};
use axum::http::{Method, StatusCode};
use runtime::openapi::{
    Document, Operation, Schema, boolean, nullable, object, required, success, text, uuid, word_of,
};

const TAG: &str = "Creators and pages";

/// Describes the routes.
pub(crate) fn describe(document: &mut Document) {
    document.tag(
        TAG,
        "The token's user as a creator, with one or more bio pages.",
    );
    let creator = document.type_of::<WireCreator>();
    let page = document.type_of::<WireBioPage>();

    document.add(
        guarded(Method::POST, "/api/v1/creators", TAG, ("create_creator", CREATE_CREATOR))
            .summary("Makes a creator with a first page for the token's user.")
            .body(object([
                required(
                    "username",
                    text(username::MAX_CHARS)
                        .with("minLength", username::MIN_CHARS)
                        .with("pattern", username::PATTERN)
                        .about("As in `/@username`. It is kept in lower case; names that would pass for the operator, a host or a route are reserved.")
                        .example("ada"),
                ),
                nullable(
                    "displayName",
                    text(MAX_NAME_CHARS)
                        .about("Plain text: HTML is removed, and something must be left. The username where none is given.")
                        .example("Ada"),
                ),
            ]))
            .answers(StatusCode::CREATED, "The creator.", creator.clone())
            .refuses([
                refusals::invalid_username(),
                refusals::creator_exists(),
                refusals::username_taken(),
            ]),
    );
    document.add(
        guarded(
            Method::GET,
            "/api/v1/creators/me",
            TAG,
            ("get_creator", GET_CREATOR),
        )
        .summary("The token's user as a creator.")
        .answers(StatusCode::OK, "The creator.", creator)
        .refuses([refusals::creator_not_found()]),
    );
    document.add(
        below_creator(Method::GET, ("get_page", GET_PAGE))
            .summary("A page with all its links, also inactive and future ones.")
            .query_parameter("bioPageId", page_id())
            .answers(StatusCode::OK, "The page.", page.clone())
            .refuses([refusals::page_not_found()]),
    );
    document.add(
        below_creator(Method::POST, ("add_page", ADD_PAGE))
            .summary("Adds a page, public at `/@username/slug`.")
            .body(object([
                required(
                    "slug",
                    text(MAX_SLUG_CHARS)
                        .with("pattern", "^[a-z0-9]+(-[a-z0-9]+)*$")
                        .example("second"),
                ),
                nullable("bio", bio()),
            ]))
            .answers(StatusCode::CREATED, "The page.", page)
            .refuses([
                refusals::page_flagged(),
                refusals::page_limit_reached(20),
                refusals::slug_taken(),
            ]),
    );
    document.add(
        below_creator(Method::PATCH, ("update_page", UPDATE_PAGE))
            .summary("Changes settings of a page.")
            .query_parameter("bioPageId", page_id())
            .body(settings())
            .answers_json(StatusCode::OK, "It is as asked.", success())
            .refuses([refusals::page_flagged(), refusals::page_not_found()]),
    );
}

fn below_creator(method: Method, of: (&str, &str)) -> Operation {
    guarded(method, "/api/v1/creators/{creatorId}/bio", TAG, of)
        .path_parameter("creatorId", uuid().about("Your creator."))
        .refuses_parameters()
        .refuses([refusals::not_owner()])
}

fn bio() -> Schema {
    text(MAX_BIO_CHARS)
        .about("Plain text; HTML is removed.")
        .example("Notes on engines")
}

fn settings() -> Schema {
    let css = text(MAX_CSS_CHARS).about("A style sheet; it must not hold `</style`.");
    object([
        nullable("bioPageId", page_id()),
        nullable("bio", bio()),
        nullable("templateId", uuid()),
        nullable("themeOverride", jsonb::schema()),
        nullable("customCss", css.example("a { color: teal }")),
        nullable("embedEnabled", boolean()),
        nullable("published", boolean()),
        nullable("emailCollectionEnabled", boolean()),
        nullable(
            "consent",
            word_of(&CONSENTS).about("Whether a visitor is asked before anything is counted."),
        ),
    ])
}

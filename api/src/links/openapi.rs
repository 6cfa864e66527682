//! The routes of links, as the OpenAPI document has them.

use super::{
    embed,
    members::{MAX_NAME_CHARS, MAX_SORT_ORDER, MAX_TITLE_CHARS, MAX_URL_CHARS},
    wire::WireLink,
};
use crate::{
    jsonb,
    limits::{ADD_LINK, DELETE_LINK, REORDER_LINKS, UPDATE_LINK},
    openapi::{guarded, page_id},
    refusals,
};
use axum::http::{Method, StatusCode};
use runtime::openapi::{
    Document, Member, Operation, Schema, boolean, instant, list, nullable, object, required,
    success, text, uuid, whole, word_of,
};

const TAG: &str = "Links";

/// Describes the routes.
pub(crate) fn describe(document: &mut Document) {
    document.tag(TAG, "The links of a page.");
    let link = document.type_of::<WireLink>();
    let page = || nullable("bioPageId", page_id());

    let add = below_creator("/api/v1/creators/{creatorId}/links", ("add_link", ADD_LINK))
        .summary("Puts a link on a page.")
        .about("Where no `embedType` is given, it is detected by the url.")
        .body(object(new_link().chain([page()])))
        .answers(StatusCode::CREATED, "The link.", link.clone());
    document.add(refuses_contents(add).refuses([refusals::limit_reached(100)]));

    let order = list(uuid())
        .with("uniqueItems", true)
        .about("A link's index becomes its `sortOrder`; links left out keep theirs.");
    document.add(
        below_creator(
            "/api/v1/creators/{creatorId}/links/reorder",
            ("reorder_links", REORDER_LINKS),
        )
        .summary("Orders the links of a page.")
        .body(object([required("linkIds", order), page()]))
        .answers_json(StatusCode::OK, "It is as asked.", success())
        .refuses([refusals::links_not_owned()]),
    );

    let update = of_link(Method::PATCH, ("update_link", UPDATE_LINK))
        .summary("Changes what the body mentions of a link.")
        .about(
            "Another url takes its embed with it, unless `embedType` or `embedMeta` is given too.",
        )
        .body(object(link_members()))
        .answers(StatusCode::OK, "The link.", link);
    document.add(refuses_contents(update));
    document.add(
        of_link(Method::DELETE, ("delete_link", DELETE_LINK))
            .summary("Takes a link off its page for good. Its clicks stay in the reports.")
            .answers_json(StatusCode::OK, "It is gone.", success()),
    );
}

fn below_creator(path: &str, of: (&str, &str)) -> Operation {
    guarded(Method::POST, path, TAG, of)
        .path_parameter("creatorId", uuid().about("Your creator."))
        .query_parameter(
            "bioPageId",
            page_id()
                .about("The page, where the body names none; the first one where neither does."),
        )
        .refuses_parameters()
        .refuses([refusals::not_owner(), refusals::page_not_found()])
}

fn of_link(method: Method, of: (&str, &str)) -> Operation {
    guarded(method, "/api/v1/creators/links/{linkId}", TAG, of)
        .path_parameter("linkId", uuid().about("The link."))
        .refuses_parameters()
        .refuses([refusals::not_link_owner(), refusals::link_not_found()])
}

/// What a link's own members may be refused for.
fn refuses_contents(operation: Operation) -> Operation {
    operation.refuses([
        refusals::invalid_url(),
        refusals::invalid_schedule(),
        refusals::link_flagged(),
    ])
}

fn title() -> Schema {
    text(MAX_TITLE_CHARS)
        .with("minLength", 1)
        .about("Plain text: HTML is removed, and something must be left.")
        .example("My Portfolio")
}

fn url() -> Schema {
    text(MAX_URL_CHARS)
        .with("pattern", r"^\s*[hH][tT][tT][pP][sS]?://[^\s<>]+\s*$")
        .about("A full http or https address, kept as given.")
        .example("https://example.com")
}

fn new_link() -> impl Iterator<Item = Member> {
    let first = [
        required("title", title()),
        required("url", url()),
        nullable("isSocial", boolean().default(false)),
        nullable("platform", text(MAX_NAME_CHARS)),
    ];
    let named = |member: &Member| !["title", "url"].contains(&member.name());
    first
        .into_iter()
        .chain(link_members().into_iter().filter(named))
}

fn link_members() -> Vec<Member> {
    let moment = |about: &str| instant().about(about);
    vec![
        nullable("title", title()),
        nullable("url", url()),
        nullable("icon", text(MAX_NAME_CHARS).example("globe")),
        nullable(
            "sortOrder",
            whole(0..=MAX_SORT_ORDER).about("Its place; behind the others where none is given."),
        ),
        nullable("active", boolean().about("Whether it is shown at all.")),
        nullable(
            "embedType",
            word_of(&embed::TYPES).about("What it can be played with."),
        ),
        nullable("embedMeta", jsonb::schema()),
        nullable(
            "scheduledStart",
            moment("From when on it is shown; also a date, or without an offset."),
        ),
        nullable("scheduledEnd", moment("Until when; after the start.")),
    ]
}

//! Describes link management of the events API in the OpenAPI document.

use super::{
    BULK_SAVE, LIST, ONE, SAVE,
    body::{Bulk, MAX_RECORDS, NewShortUrl, ShortUrlChange},
    read::{DEFAULT_SIZE, MAX_PAGE, MAX_SIZE, WirePage},
    wire::WireShortUrl,
};
use crate::{
    auth::Plan,
    refusals,
    surfaces::events::{errors, limits::Scope},
};
use axum::http::{Method, StatusCode};
use runtime::{
    http::ApiError,
    members::{self, Body},
    openapi::{Access, Document, Operation, Throttled, list, text, whole},
};

const TAG: &str = "Events: links";

/// Describes the routes.
pub(in crate::surfaces::events) fn describe(document: &mut Document) {
    document.tag(
        TAG,
        "The links of a workspace for programs that also read its events. They are the same links as those of `/api/links`.",
    );
    let link = document.type_of::<WireShortUrl>();
    let saved = written(Method::POST, SAVE, "save_short_url")
        .summary("Creates a link, or changes the workspace's link that has the code.")
        .about(
            "The code is looked up on the default domain of the workspace. Of an existing link, only the members in the body change; for that, \
             the key needs the scope `links:update` as well.",
        )
        .body(members::schema(NewShortUrl::MEMBERS))
        .refuses([errors::code_taken(), errors::quota_exceeded(25)])
        .answers(StatusCode::OK, "The link, new or not.", link.clone());
    document.add(saved);
    let saved = written(Method::POST, BULK_SAVE, "save_short_urls")
        .summary(format!("Does the same for up to {MAX_RECORDS} links, all or none."))
        .about("It counts as one request. An error has the index and a message for every fault, a taken code included.")
        .body(members::schema(Bulk::MEMBERS))
        .refuses([errors::quota_exceeded(25)])
        .answers(
            StatusCode::OK,
            "The links, in the order of the request.",
            list(link.clone()),
        );
    document.add(saved);
    let page = document.type_of::<WirePage>();
    let listed = operation(Method::GET, LIST, "list_short_urls")
        .summary("The links of the workspace, the newest first.")
        .query_parameter(
            "page",
            whole(0..=MAX_PAGE)
                .default(0)
                .about("The page, counted from 0."),
        )
        .query_parameter(
            "size",
            whole(1..=MAX_SIZE)
                .default(DEFAULT_SIZE)
                .about("Links of a page."),
        )
        .refuses([errors::invalid("Unknown parameter `limit`.")])
        .answers(StatusCode::OK, "A page.", page);
    document.add(listed);
    let found = of_one(operation(Method::GET, ONE, "get_short_url"))
        .summary("A link.")
        .answers(StatusCode::OK, "The link.", link.clone());
    document.add(found);
    let changed = of_one(written(Method::PATCH, ONE, "update_short_url"))
        .summary("Changes the members of a link that the body contains.")
        .about("Absent members keep their value; `null` clears one. Another code frees the former one at once.")
        .body(members::schema(ShortUrlChange::MEMBERS))
        .refuses([errors::code_taken()])
        .answers(StatusCode::OK, "The link.", link);
    document.add(changed);
}

fn operation(method: Method, path: &str, id: &str) -> Operation {
    Operation::new(method, path, TAG, id)
        .access(Access::Key)
        .throttled(
            Throttled::Always,
            Scope::Crud.limit(Plan::Starter),
            "key in the smallest plan",
        )
        .refuses_while_away()
        .refuses([
            refusals::key_missing(),
            refusals::invalid_key(),
            refusals::permission_missing(),
            errors::scope_spent("", 0, 1),
        ])
}

fn written(method: Method, path: &str, id: &str) -> Operation {
    let invalid = ApiError::validation(vec!["url is required".to_owned()]);
    let unknown = "deepLinks[0].mobileAppId names no app of this workspace";
    let unknown = ApiError::validation(vec![unknown.to_owned()]);
    operation(method, path, id).refuses([
        errors::body_invalid(invalid),
        refusals::events_unknown_app(unknown),
        refusals::rules_too_large(),
    ])
}

fn of_one(operation: Operation) -> Operation {
    operation
        .path_parameter(
            "id",
            text(40).example("url_0192e000-0000-7000-8000-00000000000b"),
        )
        .refuses([refusals::short_link_not_found()])
}

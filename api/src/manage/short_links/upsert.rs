//! `PUT /api/links/upsert`: creates a link, or changes the one that has its code.

use super::{
    WireShortLink,
    edit::CodedLink,
    save::{Save, commit_links},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE, body},
    extract::JsonBody,
    refusals,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use std::sync::Arc;

pub(super) const UPSERT_SHORT_LINK: Command = Command {
    id: "links.upsert",
    verb: Verb::Put,
    path: "/api/links/upsert",
    permission: Permission("links:create"),
    handler: ("upsert_short_link", |by| on(by, upsert_short_link)),
    summary: "Creates a link with this code, or changes the workspace's link that has it.",
    about: "Of an existing link, only the members in the body change. For that, the permission `links:update` is needed as well.",
    body: body::<CodedLink>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The link, new or not.",
        Document::type_of::<WireShortLink>,
    ),
    refusals: || {
        let own = [
            refusals::short_code_exists(),
            refusals::limit_exceeded(25),
            refusals::rules_too_large(),
        ];
        own.into_iter().chain(refusals::of_references()).collect()
    },
    ..WORKSPACE
};

/// Creates or changes the link with the code: 200 with the link.
pub(crate) async fn upsert_short_link(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(given): JsonBody<CodedLink>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let app = &*app;
    let save = Save::new(app, tenant, now);
    let given = save.check_one(given.0).await?;
    let mut work = save.begin().await?;
    let upserted = save.upsert(&mut work.tx, given).await?;
    let (id, trace) = save.trace(&mut work.tx, upserted).await?;
    let link = save.answer(&mut work.tx, id).await?;
    commit_links(work, Vec::from_iter(trace)).await?;
    Ok(ok(link))
}

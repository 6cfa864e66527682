//! `POST /api/links`: creates a link.

use super::{
    WireShortLink,
    edit::NewLink,
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
    http::{ApiError, created},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const CREATE_SHORT_LINK: Command = Command {
    id: "links.create",
    verb: Verb::Post,
    path: "/api/links",
    permission: Permission("links:create"),
    handler: ("create_short_link", |by| on(by, create_short_link)),
    summary: "Creates a link with a short URL.",
    about: "It redirects from the next second on, on every instance.",
    body: body::<NewLink>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The link.",
        Document::type_of::<WireShortLink>,
    ),
    refusals: || {
        let own = [refusals::short_code_exists(), refusals::limit_exceeded(25)];
        own.into_iter().chain(refusals::of_references()).collect()
    },
    ..WORKSPACE
};

/// Creates a link: 201 with the link.
pub(crate) async fn create_short_link(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(new): JsonBody<NewLink>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let app = &*app;
    let save = Save::new(app, tenant, now);
    let new = save.check_one(new.0).await?;
    let mut work = save.begin().await?;
    save.check_limit(&mut work.tx, 1).await?;
    let id = save.create(&mut work.tx, new).await?;
    let link = save.answer(&mut work.tx, id).await?;
    let detail = json!({ "link": link });
    commit_links(work, vec![("link.created", id, detail)]).await?;
    Ok(created(link))
}

//! `POST /api/links`: creates a link.

use super::{WireShortLink, edit::NewLink, save::Save};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE, body},
    extract::JsonBody,
    refusals, store,
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::on,
};
use runtime::{
    http::{ApiError, ok},
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
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, tenant.workspace.id).await?;
    save.check_limit(&mut tx, 1).await?;
    let id = save.create(&mut tx, new).await?;
    let link = save.answer(&mut tx, id).await?;
    let detail = json!({ "link": link });
    save.record(&mut tx, "link.created", vec![(id, detail)])
        .await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, ok(link)).into_response())
}

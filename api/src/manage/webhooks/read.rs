//! `GET /api/webhooks` and `GET /api/webhooks/{webhookId}`: reads webhooks, without their secrets.

use super::{WEBHOOK, errors, wire::WireWebhook};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    extract::{ObjectId, Query},
    paging::Paging,
    store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use std::sync::Arc;

pub(super) const LIST_WEBHOOKS: Command = Command {
    id: "webhooks.list",
    verb: Verb::Get,
    path: "/api/webhooks",
    permission: Permission("webhooks:read"),
    handler: ("list_webhooks", |by| on(by, list_webhooks)),
    summary: "The webhooks of the workspace, the oldest first.",
    answer: Answer::List("A page of webhooks.", Document::type_of::<WireWebhook>),
    ..WORKSPACE
};

pub(super) const GET_WEBHOOK: Command = Command {
    id: "webhooks.get",
    verb: Verb::Get,
    path: "/api/webhooks/{webhookId}",
    subject: Subject::Object(WEBHOOK),
    permission: Permission("webhooks:read"),
    handler: ("get_webhook", |by| on(by, get_webhook)),
    summary: "A webhook.",
    answer: Answer::Data(
        StatusCode::OK,
        "The webhook.",
        Document::type_of::<WireWebhook>,
    ),
    refusals: || vec![errors::not_found()],
    ..WORKSPACE
};

/// A page of the workspace's webhooks.
pub(crate) async fn list_webhooks(
    State(app): State<Arc<App>>,
    access: Access,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let (pool, workspace_id) = (app.main.pool()?, access.tenant()?.workspace.id);
    let total = store::webhooks::count(pool, workspace_id).await?;
    let place = paging.limit_and_offset();
    let webhooks = store::webhooks::list(pool, workspace_id, place).await?;
    let webhooks: Vec<WireWebhook> = webhooks.into_iter().map(WireWebhook::from).collect();
    Ok(paging.answer(&webhooks, total))
}

/// A webhook, or 404.
pub(crate) async fn get_webhook(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(errors::not_found)?;
    let workspace_id = access.tenant()?.workspace.id;
    let found = store::webhooks::find(app.main.pool()?, id, workspace_id).await?;
    let found = found.ok_or_else(errors::not_found)?;
    Ok(ok(WireWebhook::from(found)))
}

//! `GET /api/keys` and `GET /api/keys/{keyId}`: reads API keys, without their secrets.

use super::{KEY, wire::WireKey};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    extract::{ObjectId, Query},
    paging::Paging,
    refusals, store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use std::sync::Arc;

pub(super) const LIST_KEYS: Command = Command {
    id: "keys.list",
    verb: Verb::Get,
    path: "/api/keys",
    permission: Permission("api_keys:read"),
    handler: ("list_keys", |by| on(by, list_keys)),
    summary: "The API keys of the workspace, the newest first, revoked ones included.",
    answer: Answer::List("A page of keys.", Document::type_of::<WireKey>),
    ..WORKSPACE
};

pub(super) const GET_KEY: Command = Command {
    id: "keys.get",
    verb: Verb::Get,
    path: "/api/keys/{keyId}",
    subject: Subject::Object(KEY),
    permission: Permission("api_keys:read"),
    handler: ("get_key", |by| on(by, get_key)),
    summary: "An API key.",
    answer: Answer::Data(StatusCode::OK, "The key.", Document::type_of::<WireKey>),
    refusals: || vec![refusals::key_not_found()],
    ..WORKSPACE
};

/// A page of the workspace's keys.
pub(crate) async fn list_keys(
    State(app): State<Arc<App>>,
    access: Access,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let (pool, workspace_id) = (app.main.pool()?, access.tenant()?.workspace.id);
    let total = store::keys::count(pool, workspace_id).await?;
    let keys = store::keys::list(pool, workspace_id, paging.limit_and_offset()).await?;
    let keys: Vec<WireKey> = keys.into_iter().map(WireKey::from).collect();
    Ok(paging.answer(&keys, total))
}

/// A key of the workspace, or 404.
pub(crate) async fn get_key(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::key_not_found)?;
    let workspace_id = access.tenant()?.workspace.id;
    let key = store::keys::find(app.main.pool()?, id, workspace_id).await?;
    let key = key.ok_or_else(refusals::key_not_found)?;
    Ok(ok(WireKey::from(key)))
}

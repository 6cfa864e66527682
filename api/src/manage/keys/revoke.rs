//! `DELETE /api/keys/{keyId}`: revokes an API key.

use super::{KEY, wire::WireKey};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    extract::ObjectId,
    manage::work::Work,
    refusals, store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const REVOKE_KEY: Command = Command {
    id: "keys.revoke",
    verb: Verb::Delete,
    path: "/api/keys/{keyId}",
    subject: Subject::Object(KEY),
    permission: Permission("api_keys:delete"),
    handler: ("revoke_key", |by| on(by, revoke_key)),
    summary: "Revokes an API key, at once and for good.",
    about: "It stays in the list. A key that is revoked already is answered 404.",
    answer: Answer::Data(
        StatusCode::OK,
        "The revoked key.",
        Document::type_of::<WireKey>,
    ),
    refusals: || vec![refusals::key_not_found()],
    ..WORKSPACE
};

/// Revokes a key of the workspace.
pub(crate) async fn revoke_key(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::key_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut work = Work::begin_unlocked(&app, tenant, now).await?;
    let key = store::keys::revoke(&mut work.tx, id, tenant.workspace.id, now).await?;
    let key = key.ok_or_else(refusals::key_not_found)?;
    let detail = json!({ "name": key.name, "prefix": key.prefix });
    work.commit("api_key.deleted", id, detail).await?;
    Ok(ok(WireKey::from(key)))
}

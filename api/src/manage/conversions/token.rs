//! `PUT` and `DELETE /api/conversions/postback-token`: requires a token in postbacks, or not.

use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE},
    manage::work::Work,
    store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, done, ok},
    openapi::Document,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

const PATH: &str = "/api/conversions/postback-token";

pub(super) const SET_TOKEN: Command = Command {
    id: "conversions.set_token",
    verb: Verb::Put,
    path: PATH,
    permission: Permission("workspace:update"),
    handler: ("set_postback_token", |by| on(by, set_postback_token)),
    summary: "Makes a token that postbacks must carry as `token`, instead of a former one. Only this answer shows it.",
    about: "The pixel is then refused, because everyone can read it in a page.",
    answer: Answer::Data(StatusCode::OK, "The token.", Document::type_of::<WireToken>),
    ..WORKSPACE
};

pub(super) const CLEAR_TOKEN: Command = Command {
    id: "conversions.clear_token",
    verb: Verb::Delete,
    path: PATH,
    permission: Permission("workspace:update"),
    handler: ("clear_postback_token", |by| on(by, clear_postback_token)),
    summary: "Accepts postbacks without a token.",
    answer: Answer::Done("Done."),
    ..WORKSPACE
};

/// The token of postbacks.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[schemars(rename = "PostbackToken", description = "The token of postbacks.")]
pub(super) struct WireToken {
    token: String,
}

/// Makes a token and requires it.
pub(crate) async fn set_postback_token(
    State(app): State<Arc<App>>,
    access: Access,
) -> Result<Response, ApiError> {
    let (member, now) = (access.tenant()?, app.clock.now());
    let workspace_id = member.workspace.id;
    let token = Uuid::from_bytes(app.ids.random_16()).simple().to_string();
    let mut work = Work::begin_unlocked(&app, member, now).await?;
    store::postback_tokens::set(&mut work.tx, workspace_id, &token, now).await?;
    work.commit("postback_token.set", workspace_id, json!({}))
        .await?;
    Ok(ok(WireToken { token }))
}

/// Requires no token any more.
pub(crate) async fn clear_postback_token(
    State(app): State<Arc<App>>,
    access: Access,
) -> Result<Response, ApiError> {
    let (member, now) = (access.tenant()?, app.clock.now());
    let workspace_id = member.workspace.id;
    let mut work = Work::begin_unlocked(&app, member, now).await?;
    store::postback_tokens::clear(&mut work.tx, workspace_id).await?;
    work.commit("postback_token.cleared", workspace_id, json!({}))
        .await?;
    Ok(done())
}

//! `GET /api/members`: lists the members of a workspace.

use super::wire::WireMember;
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE},
    extract::Query,
    paging::Paging,
    store,
};
use axum::{extract::State, response::Response, routing::on};
use runtime::{http::ApiError, openapi::Document};
use std::sync::Arc;

pub(super) const LIST_MEMBERS: Command = Command {
    id: "members.list",
    verb: Verb::Get,
    path: "/api/members",
    permission: Permission("members:read"),
    handler: ("list_members", |by| on(by, list_members)),
    summary: "The members of the workspace, in the order in which they joined.",
    answer: Answer::List("A page of members.", Document::type_of::<WireMember>),
    ..WORKSPACE
};

/// A page of the workspace's members.
pub(crate) async fn list_members(
    State(app): State<Arc<App>>,
    access: Access,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let (pool, workspace_id) = (app.main.pool()?, access.tenant()?.workspace.id);
    let total = store::members::count(pool, workspace_id).await?;
    let members = store::members::list(pool, workspace_id, paging.limit_and_offset()).await?;
    let members: Vec<WireMember> = members.into_iter().map(WireMember::from).collect();
    Ok(paging.answer(&members, total))
}

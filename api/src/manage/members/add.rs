//! `POST /api/members`: makes a user a member of a workspace.

use super::{
    check_owner, errors,
    wire::{ROLE, USER_ID, WireMember},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE, body},
    extract::JsonBody,
    manage::{managed::check_count, work::Work},
    refusals,
    store::{self, broken_constraint, members::Member},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, created},
    members::{Body, Declared},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const ADD_MEMBER: Command = Command {
    id: "members.add",
    verb: Verb::Post,
    path: "/api/members",
    permission: Permission("members:create"),
    handler: ("add_member", |by| on(by, add_member)),
    summary: "Makes a user a member of the workspace.",
    body: body::<Draft>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The member.",
        Document::type_of::<WireMember>,
    ),
    refusals: || {
        vec![
            errors::only_owners(),
            errors::member_exists(),
            refusals::limit_exceeded(10),
        ]
    },
    ..WORKSPACE
};

/// Who becomes a member, and in which role.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    user_id: String,
    role: String,
}

impl Body for Draft {
    const MEMBERS: &'static [&'static dyn Declared] = &[&USER_ID, &ROLE];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            user_id: USER_ID.read(fields).unwrap_or_default().to_owned(),
            role: ROLE.read(fields).unwrap_or_default().to_owned(),
        }
    }
}

/// Adds a member: 201 with it.
pub(crate) async fn add_member(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(draft): JsonBody<Draft>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    check_owner(tenant, &[&draft.role])?;
    let (id, workspace_id) = (app.ids.uuid_v7(now), tenant.workspace.id);
    let mut work = Work::begin(&app, tenant, now).await?;
    let count = store::members::count(&mut *work.tx, workspace_id).await?;
    if let Some(max) = tenant.workspace.plan().limits().members {
        check_count(count, max)?;
    }
    let named = (&*draft.user_id, &*draft.role);
    store::workspaces::insert_member(&mut work.tx, (id, workspace_id), named, now)
        .await
        .map_err(refusal)?;
    let member = store::find::<Member>(&mut *work.tx, id, workspace_id).await?;
    let member = member.ok_or_else(errors::not_found)?;
    let detail = json!({ "userId": draft.user_id, "role": draft.role });
    work.commit("member.created", id, detail).await?;
    Ok(created(WireMember::from(member)))
}

/// The error for a user who is a member already.
fn refusal(error: sqlx::Error) -> ApiError {
    match broken_constraint(&error) {
        Some("members_sub_key") => errors::member_exists(),
        _ => error.into(),
    }
}

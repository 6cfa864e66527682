//! `POST /api/members`: makes a user a member of a workspace.

use super::{
    check_owner,
    wire::{ROLE, USER_ID, WireMember},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE, body},
    extract::JsonBody,
    refusals,
    store::{self, broken_constraint},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::on,
};
use runtime::{
    http::{ApiError, Fields, ok},
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
            refusals::only_owners(),
            refusals::member_exists(),
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
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, workspace_id).await?;
    let count = store::members::count(&mut *tx, workspace_id).await?;
    if let Some(max) = tenant.workspace.plan().limits().members
        && count >= i64::from(max)
    {
        return Err(refusals::limit_exceeded(max));
    }
    let named = (&*draft.user_id, &*draft.role);
    store::workspaces::insert_member(&mut tx, (id, workspace_id), named, now)
        .await
        .map_err(refusal)?;
    let audit = store::audit::Entry {
        workspace_id,
        actor: &tenant.actor(),
        action: "member.created",
        subject: id,
        at: now,
        detail: json!({ "userId": draft.user_id, "role": draft.role }),
    };
    store::audit::insert(&mut tx, audit).await?;
    let member = store::members::find(&mut *tx, id, workspace_id).await?;
    let member = member.ok_or_else(refusals::member_not_found)?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, ok(WireMember::from(member))).into_response())
}

/// The error for a user who is a member already.
fn refusal(error: sqlx::Error) -> ApiError {
    match broken_constraint(&error) {
        Some("members_sub_key") => refusals::member_exists(),
        _ => error.into(),
    }
}

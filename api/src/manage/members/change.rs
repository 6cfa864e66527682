//! `PATCH` and `DELETE /api/members/{memberId}`: changes the role of a member, and removes one.

use super::{
    MEMBER, OWNER, check_owner,
    wire::{ROLE, WireMember},
};
use crate::{
    app::App,
    auth::{Access, Permission, Tenant},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    refusals,
    store::{self, Tx, members::Member},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, done, ok},
    members::{Body, Declared},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

pub(super) const UPDATE_MEMBER: Command = Command {
    id: "members.update",
    verb: Verb::Patch,
    path: "/api/members/{memberId}",
    subject: Subject::Object(MEMBER),
    permission: Permission("members:update"),
    handler: ("update_member", |by| on(by, update_member)),
    summary: "Changes the role of a member.",
    body: body::<Change>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The member.",
        Document::type_of::<WireMember>,
    ),
    refusals,
    ..WORKSPACE
};

pub(super) const REMOVE_MEMBER: Command = Command {
    id: "members.remove",
    verb: Verb::Delete,
    path: "/api/members/{memberId}",
    subject: Subject::Object(MEMBER),
    permission: Permission("members:delete"),
    handler: ("remove_member", |by| on(by, remove_member)),
    summary: "Removes a member. The keys that they made become invalid at once.",
    answer: Answer::Done("Removed."),
    refusals,
    ..WORKSPACE
};

fn refusals() -> Vec<ApiError> {
    vec![
        refusals::member_not_found(),
        refusals::only_owners(),
        refusals::last_owner(),
    ]
}

/// The role that a member gets.
#[derive(Clone, Debug)]
pub(super) struct Change {
    role: String,
}

impl Body for Change {
    const MEMBERS: &'static [&'static dyn Declared] = &[&ROLE];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            role: ROLE.read(fields).unwrap_or_default().to_owned(),
        }
    }
}

/// Changes a member's role.
pub(crate) async fn update_member(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<Change>,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::member_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    let member = lock(&mut tx, tenant, id).await?;
    check_owner(tenant, &[&member.role, &change.role])?;
    if member.role == change.role {
        return Ok(ok(WireMember::from(member)));
    }
    keep_an_owner(&mut tx, tenant, &member).await?;
    let audit = store::audit::Entry {
        workspace_id: tenant.workspace.id,
        actor: &tenant.actor(),
        action: "member.updated",
        subject: id,
        at: now,
        detail: json!({ "role": { "from": member.role, "to": change.role } }),
    };
    store::audit::insert(&mut tx, audit).await?;
    let member = store::members::update(&mut tx, id, &change.role).await?;
    tx.commit().await?;
    Ok(ok(WireMember::from(member)))
}

/// Removes a member.
pub(crate) async fn remove_member(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::member_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    let member = lock(&mut tx, tenant, id).await?;
    check_owner(tenant, &[&member.role])?;
    keep_an_owner(&mut tx, tenant, &member).await?;
    store::members::delete(&mut tx, id).await?;
    let audit = store::audit::Entry {
        workspace_id: tenant.workspace.id,
        actor: &tenant.actor(),
        action: "member.deleted",
        subject: id,
        at: now,
        detail: json!({ "userId": member.sub, "role": member.role }),
    };
    store::audit::insert(&mut tx, audit).await?;
    tx.commit().await?;
    Ok(done())
}

/// A member of the workspace, while no other request changes its members.
async fn lock(tx: &mut Tx<'_>, tenant: &Tenant, id: Uuid) -> Result<Member, ApiError> {
    store::workspaces::lock(tx, tenant.workspace.id).await?;
    let member = store::members::find(&mut **tx, id, tenant.workspace.id).await?;
    member.ok_or_else(refusals::member_not_found)
}

/// Refuses to change the only owner: nobody could make another one.
async fn keep_an_owner(tx: &mut Tx<'_>, tenant: &Tenant, member: &Member) -> Result<(), ApiError> {
    let owners = store::members::count_owners(tx, tenant.workspace.id).await?;
    if member.role == OWNER && owners <= 1 {
        return Err(refusals::last_owner());
    }
    Ok(())
}

//! `PATCH` and `DELETE /api/members/{memberId}`: changes the role of a member, and removes one.

use super::{
    MEMBER, OWNER, check_owner, errors,
    wire::{ROLE, WireMember},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    manage::work::Work,
    store::{self, members::Member},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, done, ok},
    members::{Body, Declared},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

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
        errors::not_found(),
        errors::only_owners(),
        errors::last_owner(),
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
    let (mut work, former) = Work::on::<Member>(&app, &access, id).await?;
    check_owner(work.tenant, &[&former.role, &change.role])?;
    if former.role == change.role {
        return Ok(ok(WireMember::from(former)));
    }
    keep_an_owner(&mut work, &former).await?;
    let member = store::members::update(&mut work.tx, former.id, &change.role).await?;
    let detail = json!({ "role": { "from": former.role, "to": change.role } });
    work.commit("member.updated", member.id, detail).await?;
    Ok(ok(WireMember::from(member)))
}

/// Removes a member.
pub(crate) async fn remove_member(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let (mut work, member) = Work::on::<Member>(&app, &access, id).await?;
    check_owner(work.tenant, &[&member.role])?;
    keep_an_owner(&mut work, &member).await?;
    store::members::delete(&mut work.tx, member.id).await?;
    let detail = json!({ "userId": member.sub, "role": member.role });
    work.commit("member.deleted", member.id, detail).await?;
    Ok(done())
}

/// Refuses to change the only owner, because only an owner can appoint another one.
async fn keep_an_owner(work: &mut Work<'_>, member: &Member) -> Result<(), ApiError> {
    let workspace_id = work.tenant.workspace.id;
    let owners = store::members::count_owners(&mut work.tx, workspace_id).await?;
    if member.role == OWNER && owners <= 1 {
        return Err(errors::last_owner());
    }
    Ok(())
}

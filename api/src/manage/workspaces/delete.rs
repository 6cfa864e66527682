//! `DELETE /api/workspaces/{workspaceId}`: ends a workspace with everything in it.
//!
//! The one rule: the deletion is one row and one entry of the directory, however much the workspace
//! has. Everything else is found through that row, or is judged with that entry. Only webhooks, which
//! work by themselves, are switched off.

use super::{ID, errors};
use crate::{
    app::App,
    auth::{Access, Allowance, Permission, Role, Tenant},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    extract::ObjectId,
    manage::work::Work,
    refusals, store,
};
use axum::{extract::State, response::Response, routing::on};
use runtime::http::{ApiError, done};
use schemas::directory::{self, Entry};
use serde_json::json;
use std::sync::Arc;

pub(super) const DELETE_WORKSPACE: Command = Command {
    id: "workspaces.delete",
    verb: Verb::Delete,
    path: "/api/workspaces/{workspaceId}",
    subject: Subject::OwnWorkspace(ID),
    permission: Permission("workspace:delete"),
    limit: Allowance::an_hour(30),
    handler: ("delete_workspace", |by| on(by, delete_workspace)),
    summary: "Deletes a workspace. Only its owners may, and only with a token.",
    about: "From then on its short links answer 404, its domains and mobile apps are gone, its keys and its members get no answer for it, and its webhooks send nothing. Its codes on the \
            host of `PUBLIC_URL` are not given to others. A creator's workspace cannot be deleted.",
    answer: Answer::Done("Deleted."),
    refusals: || {
        vec![
            refusals::workspace_not_found(),
            errors::workspace_of_creator(),
        ]
    },
    ..WORKSPACE
};

/// Why a webhook sends no more, for the owner of a workspace that the operator has brought back.
const REASON: &str = "the workspace was deleted";

/// Deletes a workspace of the caller: 200. A second deletion is 404.
pub(crate) async fn delete_workspace(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let tenant = find(&app, &access, id).await?;
    let (id, now) = (tenant.workspace.id, app.clock.now());
    let mut work = Work::begin_unlocked(&app, &tenant, now).await?;
    // A creator is made together with its workspace, so none appears in this one later.
    if store::workspaces::has_creator(&mut work.tx, id).await? {
        return Err(errors::workspace_of_creator());
    }
    let deleted = store::workspaces::delete(&mut work.tx, id, now).await?;
    let workspace = deleted.ok_or_else(refusals::workspace_not_found)?;
    store::webhooks::switch_all_off(&mut work.tx, id, (now, REASON)).await?;
    store::webhook_deliveries::end_all(&mut work.tx, id, (now, REASON)).await?;
    let entry = directory::Workspace {
        deleted: true,
        ..workspace.directory_entry()
    };
    work.publish(&[Entry::Workspace(entry)]).await?;
    let detail = json!({ "name": workspace.name, "slug": workspace.slug });
    work.commit("workspace.deleted", id, detail).await?;
    Ok(done())
}

/// The workspace of that id. It need not be the default one of its user.
async fn find(app: &App, access: &Access, id: ObjectId) -> Result<Tenant, ApiError> {
    let id = id.get(refusals::workspace_not_found)?;
    let sub = access.user()?;
    let found = store::workspaces::find_membership(app.main.pool()?, sub, Some(id)).await?;
    let found = found.ok_or_else(refusals::workspace_not_found)?;
    let role = Role::named(&found.role);
    access.check(role)?;
    Ok(Tenant {
        workspace: found.workspace,
        sub: sub.into(),
        role,
        key: None,
    })
}

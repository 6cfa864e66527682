//! `GET` and `PATCH /api/workspaces/{workspaceId}`: reads and changes the settings of a workspace, its
//! plan included.

use super::{
    ID, errors,
    members::{DEFAULT_CURRENCY, NEW_NAME, PLAN, SLUG, TIMEZONE},
    refusal,
    wire::WireWorkspace,
};
use crate::{
    app::App,
    auth::{Access, Permission, Plan, Role, Tenant},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    manage::work::Work,
    patch::{apply, differences},
    refusals,
    store::{
        self,
        workspaces::{Membership, Settings},
    },
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, ok},
    members::{Body, Declared},
    openapi::Document,
};
use std::sync::Arc;

pub(super) const GET_WORKSPACE: Command = Command {
    id: "workspaces.get",
    verb: Verb::Get,
    path: "/api/workspaces/{workspaceId}",
    subject: Subject::Object(ID),
    permission: Permission("workspace:read"),
    handler: ("get_workspace", |by| on(by, get_workspace)),
    summary: "A workspace, with the features and limits of its plan.",
    answer: Answer::Data(
        StatusCode::OK,
        "The workspace.",
        Document::type_of::<WireWorkspace>,
    ),
    refusals: || vec![refusals::workspace_not_found()],
    ..WORKSPACE
};

pub(super) const UPDATE_WORKSPACE: Command = Command {
    id: "workspaces.update",
    verb: Verb::Patch,
    path: "/api/workspaces/{workspaceId}",
    subject: Subject::Object(ID),
    permission: Permission("workspace:update"),
    handler: ("update_workspace", |by| on(by, update_workspace)),
    summary: "Changes the settings of a workspace.",
    about: "Only owners change the `plan`, and only to those that the operator offers (`WORKSPACE_OWNER_PLANS`; none by default). A smaller plan keeps everything that the workspace has, \
            and refuses more of it.",
    body: body::<Change>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The workspace.",
        Document::type_of::<WireWorkspace>,
    ),
    refusals: || {
        vec![
            refusals::workspace_not_found(),
            refusals::workspace_slug_taken(),
            errors::plan_not_offered(&[]),
        ]
    },
    ..WORKSPACE
};

/// What a change of the plan requires, besides the permission to change settings.
const BILLING: Permission = Permission("billing:manage");

/// What changes.
#[derive(Clone, Debug)]
pub(super) struct Change {
    name: Option<String>,
    slug: Option<String>,
    plan: Option<Plan>,
    timezone: Option<String>,
    default_currency: Option<String>,
}

impl Body for Change {
    const MEMBERS: &'static [&'static dyn Declared] =
        &[&NEW_NAME, &SLUG, &PLAN, &TIMEZONE, &DEFAULT_CURRENCY];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: NEW_NAME.read(fields),
            slug: SLUG.read(fields).map(str::to_owned),
            plan: PLAN.read(fields).and_then(Plan::named),
            timezone: TIMEZONE.read(fields).map(str::to_owned),
            default_currency: DEFAULT_CURRENCY.read(fields).map(str::to_owned),
        }
    }
}

/// A workspace of the caller.
pub(crate) async fn get_workspace(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let tenant = find(&app, &access, id).await?;
    Ok(ok(WireWorkspace::from(membership(tenant))))
}

/// Changes a workspace of the caller.
pub(crate) async fn update_workspace(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<Change>,
) -> Result<Response, ApiError> {
    let tenant = find(&app, &access, id).await?;
    if change.plan.is_some() && !tenant.may(BILLING) {
        return Err(refusals::permission_missing());
    }
    let id = tenant.workspace.id;
    let mut work = Work::begin_unlocked(&app, &tenant, app.clock.now()).await?;
    let before = store::workspaces::lock_settings(&mut work.tx, id).await?;
    let before = before.ok_or_else(refusals::workspace_not_found)?;
    let mut after = Settings::clone(&before);
    apply(change.name, &mut after.name);
    apply(change.slug, &mut after.slug);
    if let Some(plan) = change.plan {
        // The plan that the workspace has is no change, so it needs no offer.
        if plan.name() != before.plan && !app.owner_plans.contains(&plan) {
            return Err(errors::plan_not_offered(&app.owner_plans));
        }
        plan.name().clone_into(&mut after.plan);
    }
    apply(change.timezone, &mut after.timezone);
    apply(change.default_currency, &mut after.default_currency);
    let changed = differences(&before, &after)?;
    let workspace = store::workspaces::update(&mut work.tx, id, &after)
        .await
        .map_err(refusal)?;
    let trace = (!changed.is_empty()).then(|| ("workspace.updated", id, changed.into()));
    work.commit_all(Vec::from_iter(trace)).await?;
    let tenant = Tenant {
        workspace,
        ..tenant
    };
    Ok(ok(WireWorkspace::from(membership(tenant))))
}

/// The workspace of that id. A user may name any of their own in the path, a key only its own.
async fn find(app: &App, access: &Access, id: ObjectId) -> Result<Tenant, ApiError> {
    let id = id.get(refusals::workspace_not_found)?;
    let tenant = access.tenant()?;
    if tenant.workspace.id == id {
        return Ok(Tenant::clone(tenant));
    }
    if tenant.key.is_some() {
        return Err(refusals::workspace_not_found());
    }
    let found = store::workspaces::find_membership(app.main.pool()?, &tenant.sub, Some(id)).await?;
    let other = found.ok_or_else(refusals::workspace_not_found)?;
    let role = Role::named(&other.role);
    access.check(role)?;
    Ok(Tenant {
        workspace: other.workspace,
        role,
        ..Tenant::clone(tenant)
    })
}

fn membership(tenant: Tenant) -> Membership {
    Membership {
        role: tenant.role.to_string(),
        workspace: tenant.workspace,
    }
}

//! `POST /api/workspaces` and `GET /api/workspaces`: creates and lists a user's workspaces.

use super::{
    members::{DEFAULT_CURRENCY, NAME, SLUG, TIMEZONE},
    random_slug, refusal,
    wire::WireWorkspace,
};
use crate::{
    app::App,
    auth::{Access, Allowance, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::JsonBody,
    refusals,
    store::{
        self,
        workspaces::{Draft, Membership},
    },
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, created, ok},
    members::{Body, Declared},
    openapi::{Document, list},
};
use schemas::directory::Entry;
use serde_json::json;
use std::sync::Arc;

/// Most workspaces of a user, deleted ones included. Each takes a number that is never given again.
const MAX_WORKSPACES: u32 = 100;

pub(super) const CREATE_WORKSPACE: Command = Command {
    id: "workspaces.create",
    verb: Verb::Post,
    path: "/api/workspaces",
    subject: Subject::Workspaces,
    permission: Permission::USER,
    limit: Allowance::an_hour(30),
    handler: ("create_workspace", |by| on(by, create_workspace)),
    summary: "Creates a workspace whose owner is the token's user.",
    about: "A user may have 100. Deleted ones count for their owners.",
    body: body::<Settings>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The workspace.",
        Document::type_of::<WireWorkspace>,
    ),
    refusals: || {
        vec![
            refusals::workspace_slug_taken(),
            refusals::too_many_workspaces(MAX_WORKSPACES),
        ]
    },
    ..WORKSPACE
};

pub(super) const LIST_WORKSPACES: Command = Command {
    id: "workspaces.list",
    verb: Verb::Get,
    path: "/api/workspaces",
    subject: Subject::Workspaces,
    permission: Permission::USER,
    limit: Allowance::a_minute(60),
    handler: ("list_workspaces", |by| on(by, list_workspaces)),
    summary: "The workspaces of the token's user, the default one first.",
    answer: Answer::Data(StatusCode::OK, "All of them.", |document| {
        list(document.type_of::<WireWorkspace>())
    }),
    ..WORKSPACE
};

/// What a new workspace is asked to be.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    name: String,
    slug: Option<String>,
    timezone: Option<String>,
    default_currency: Option<String>,
}

impl Body for Settings {
    const MEMBERS: &'static [&'static dyn Declared] = &[&NAME, &SLUG, &TIMEZONE, &DEFAULT_CURRENCY];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: NAME.read(fields).unwrap_or_default(),
            slug: SLUG.read(fields).map(str::to_owned),
            timezone: TIMEZONE.read(fields).map(str::to_owned),
            default_currency: DEFAULT_CURRENCY.read(fields).map(str::to_owned),
        }
    }
}

/// Creates a workspace: 201 with it.
pub(crate) async fn create_workspace(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(settings): JsonBody<Settings>,
) -> Result<Response, ApiError> {
    let (sub, now) = (access.user()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    if store::workspaces::count_of_user(&mut tx, sub).await? >= i64::from(MAX_WORKSPACES) {
        return Err(refusals::too_many_workspaces(MAX_WORKSPACES));
    }
    let utc = || "UTC".to_owned();
    let dollars = || "USD".to_owned();
    let draft = Draft {
        name: settings.name,
        slug: settings.slug.unwrap_or_else(|| random_slug(&*app.ids)),
        plan: app.plan,
        timezone: settings.timezone.unwrap_or_else(utc),
        default_currency: settings.default_currency.unwrap_or_else(dollars),
    };
    let workspace = store::workspaces::insert(&mut tx, &*app.ids, draft, sub, now)
        .await
        .map_err(refusal)?;
    let audit = store::audit::Entry {
        workspace_id: workspace.id,
        actor: sub,
        action: "workspace.created",
        subject: workspace.id,
        at: now,
        detail: json!({ "name": workspace.name, "slug": workspace.slug }),
    };
    store::audit::insert(&mut tx, audit).await?;
    let entry = Entry::Workspace(workspace.directory_entry());
    store::outbox::insert(&mut tx, &[entry], now).await?;
    tx.commit().await?;
    let role = "owner".to_owned();
    let answer = WireWorkspace::from(Membership { workspace, role });
    Ok(created(answer))
}

/// The caller's workspaces.
pub(crate) async fn list_workspaces(
    State(app): State<Arc<App>>,
    access: Access,
) -> Result<Response, ApiError> {
    let max = i64::from(MAX_WORKSPACES);
    let own = store::workspaces::list_of_user(app.main.pool()?, access.user()?, max).await?;
    let own: Vec<WireWorkspace> = own.into_iter().map(WireWorkspace::from).collect();
    Ok(ok(own))
}

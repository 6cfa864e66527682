//! The commands that create, change and delete apps.

use super::{
    MAX_APPS, MOBILE_APP,
    edit::{AppChange, NewApp},
    wire::WireMobileApp,
};
use crate::{
    app::App,
    auth::{Access, Permission, Tenant},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    manage::{
        short_links::find_hosts,
        target::{Hosts, candidates},
        trace::trace,
    },
    patch::differences,
    refusals,
    store::{self, Tx, broken_constraint, mobile_apps::MobileApp},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::on,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, done, ok},
    openapi::Document,
};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

pub(super) const CREATE_MOBILE_APP: Command = Command {
    id: "mobile_apps.create",
    verb: Verb::Post,
    path: "/api/mobile-apps",
    permission: Permission("mobile_apps:create"),
    handler: ("create_mobile_app", |by| on(by, create_mobile_app)),
    summary: "Adds an app. A workspace has up to 100.",
    about: "`teamId` is for iOS, `fingerprints` are for Android.",
    body: body::<NewApp>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The app.",
        Document::type_of::<WireMobileApp>,
    ),
    refusals: || {
        vec![
            refusals::mobile_app_exists(),
            refusals::limit_exceeded(MAX_APPS),
        ]
    },
    ..WORKSPACE
};

pub(super) const UPDATE_MOBILE_APP: Command = Command {
    id: "mobile_apps.update",
    verb: Verb::Patch,
    path: "/api/mobile-apps/{mobileAppId}",
    subject: Subject::Object(MOBILE_APP),
    permission: Permission("mobile_apps:update"),
    handler: ("update_mobile_app", |by| on(by, update_mobile_app)),
    summary: "Changes the members of an app that the body contains.",
    about: "Absent members keep their value; `null` clears one. Links that name the app follow the change at once.",
    body: body::<AppChange>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The app.",
        Document::type_of::<WireMobileApp>,
    ),
    refusals: || {
        vec![
            refusals::mobile_app_not_found(),
            refusals::mobile_app_exists(),
        ]
    },
    ..WORKSPACE
};

pub(super) const DELETE_MOBILE_APP: Command = Command {
    id: "mobile_apps.delete",
    verb: Verb::Delete,
    path: "/api/mobile-apps/{mobileAppId}",
    subject: Subject::Object(MOBILE_APP),
    permission: Permission("mobile_apps:delete"),
    handler: ("delete_mobile_app", |by| on(by, delete_mobile_app)),
    summary: "Deletes an app.",
    about: "Links that name it stay, and lead to their destination from then on.",
    answer: Answer::Done("Deleted."),
    refusals: || vec![refusals::mobile_app_not_found()],
    ..WORKSPACE
};

/// Writes the audit row and the app's entry.
async fn record(
    tx: &mut Tx<'_>,
    by: (&Tenant, Timestamp),
    (action, id): (&'static str, Uuid),
    detail: Value,
) -> Result<(), ApiError> {
    trace(tx, by, (action, id), detail).await?;
    let entry = store::directory::find_app(tx, id).await?;
    store::outbox::insert(tx, &[entry], by.1).await?;
    Ok(())
}

/// The error for a package that the workspace has on this platform already.
fn refusal(error: sqlx::Error) -> ApiError {
    match broken_constraint(&error) {
        Some("mobile_apps_package") => refusals::mobile_app_exists(),
        _ => error.into(),
    }
}

/// The hosts of short URLs to which a store's address may lead.
async fn hosts_of(app: &App, address: Option<&str>) -> Result<Hosts, ApiError> {
    find_hosts(app, address.map(candidates).unwrap_or_default()).await
}

/// Creates an app: 201.
pub(crate) async fn create_mobile_app(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(new): JsonBody<NewApp>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let workspace_id = tenant.workspace.id;
    let mut row = MobileApp {
        id: app.ids.uuid_v7(now),
        platform: new.platform,
        name: new.package.clone(),
        package: new.package,
        team_id: None,
        fingerprints: Vec::new(),
        store_url: None,
        created_at: now.to_sqlx(),
        updated_at: now.to_sqlx(),
    };
    let hosts = hosts_of(&app, new.edit.address()).await?;
    new.edit.apply(&mut row, &hosts)?;
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, workspace_id).await?;
    if store::mobile_apps::count(&mut *tx, workspace_id).await? >= i64::from(MAX_APPS) {
        return Err(refusals::limit_exceeded(MAX_APPS));
    }
    let inserted = store::mobile_apps::insert(&mut tx, workspace_id, &row).await;
    inserted.map_err(refusal)?;
    let id = row.id;
    let wire = WireMobileApp::from(row);
    let detail = json!({ "app": wire });
    record(&mut tx, (tenant, now), ("mobile_app.created", id), detail).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, ok(wire)).into_response())
}

/// Changes an app: 200. A change to the stored values writes nothing.
pub(crate) async fn update_mobile_app(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(AppChange(change)): JsonBody<AppChange>,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::mobile_app_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let hosts = hosts_of(&app, change.address()).await?;
    let mut tx = app.main.pool()?.begin().await?;
    let stored = lock(&mut tx, id, tenant.workspace.id).await?;
    let mut row = stored.clone();
    change.apply(&mut row, &hosts)?;
    let before = WireMobileApp::from(stored);
    let changes = differences(&before, &WireMobileApp::from(row.clone()))?;
    if changes.is_empty() {
        return Ok(ok(before));
    }
    row.updated_at = now.to_sqlx();
    store::mobile_apps::update(&mut tx, &row)
        .await
        .map_err(refusal)?;
    let detail = json!({ "changes": changes });
    record(&mut tx, (tenant, now), ("mobile_app.updated", id), detail).await?;
    tx.commit().await?;
    Ok(ok(WireMobileApp::from(row)))
}

/// Deletes an app.
pub(crate) async fn delete_mobile_app(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::mobile_app_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    let row = lock(&mut tx, id, tenant.workspace.id).await?;
    store::mobile_apps::delete(&mut tx, id, now).await?;
    let detail = json!({ "platform": row.platform, "packageId": row.package });
    record(&mut tx, (tenant, now), ("mobile_app.deleted", id), detail).await?;
    tx.commit().await?;
    Ok(done())
}

/// An app of the workspace, while no other request changes one; 404 without it.
async fn lock(tx: &mut Tx<'_>, id: Uuid, workspace_id: Uuid) -> Result<MobileApp, ApiError> {
    store::workspaces::lock(tx, workspace_id).await?;
    let found = store::mobile_apps::find(&mut **tx, id, workspace_id).await?;
    found.ok_or_else(refusals::mobile_app_not_found)
}

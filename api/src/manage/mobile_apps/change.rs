//! The commands that create, change and delete apps.

use super::{
    MAX_APPS, MOBILE_APP,
    edit::{AppChange, NewApp},
    wire::WireMobileApp,
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    manage::{
        managed::{changes, check_count},
        short_links::find_hosts,
        target::{Hosts, candidates},
        work::Work,
    },
    refusals,
    store::{self, broken_constraint, mobile_apps::MobileApp},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, created, done, ok},
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
    about: "`teamId` is for iOS, `fingerprints` are for Android. A web app (`web`) has a `storeUrl`, its own address, and no `packageId`; links open in it on devices of neither.",
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

/// Commits a change with its audit row and the app's entry.
async fn commit(
    mut work: Work<'_>,
    action: &'static str,
    id: Uuid,
    detail: Value,
) -> Result<(), ApiError> {
    let entry = store::directory::find_app(&mut work.tx, id).await?;
    work.publish(&[entry]).await?;
    work.commit(action, id, detail).await
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
    let mut row = MobileApp {
        id: app.ids.uuid_v7(now),
        platform: new.platform,
        name: new.package.clone().unwrap_or_default(),
        package: new.package,
        team_id: None,
        fingerprints: Vec::new(),
        store_url: None,
        created_at: now.to_sqlx(),
        updated_at: now.to_sqlx(),
    };
    let hosts = hosts_of(&app, new.edit.address()).await?;
    new.edit.apply(&mut row, &hosts)?;
    let mut work = Work::begin(&app, tenant, now).await?;
    let count = store::mobile_apps::count(&mut *work.tx, tenant.workspace.id).await?;
    check_count(count, MAX_APPS)?;
    let inserted = store::mobile_apps::insert(&mut work.tx, tenant.workspace.id, &row).await;
    inserted.map_err(refusal)?;
    let id = row.id;
    let wire = WireMobileApp::from(row);
    let detail = json!({ "app": wire });
    commit(work, "mobile_app.created", id, detail).await?;
    Ok(created(wire))
}

/// Changes an app: 200. A change to the stored values writes nothing.
pub(crate) async fn update_mobile_app(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(AppChange(change)): JsonBody<AppChange>,
) -> Result<Response, ApiError> {
    // Before the transaction, which holds a connection of its own.
    let hosts = hosts_of(&app, change.address()).await?;
    let (mut work, stored) = Work::on::<MobileApp>(&app, &access, id).await?;
    let mut row = stored.clone();
    change.apply(&mut row, &hosts)?;
    let Some(changes) = changes(&stored, &row)? else {
        return Ok(ok(WireMobileApp::from(stored)));
    };
    row.updated_at = work.now.to_sqlx();
    let updated = store::mobile_apps::update(&mut work.tx, &row).await;
    updated.map_err(refusal)?;
    commit(work, "mobile_app.updated", row.id, changes).await?;
    Ok(ok(WireMobileApp::from(row)))
}

/// Deletes an app.
pub(crate) async fn delete_mobile_app(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let (mut work, row) = Work::on::<MobileApp>(&app, &access, id).await?;
    store::mobile_apps::delete(&mut work.tx, row.id, work.now).await?;
    let detail = json!({ "platform": row.platform, "packageId": row.package });
    commit(work, "mobile_app.deleted", row.id, detail).await?;
    Ok(done())
}

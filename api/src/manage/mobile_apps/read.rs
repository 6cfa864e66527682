//! `GET /api/mobile-apps` and `GET /api/mobile-apps/{mobileAppId}`: reads apps.

use super::{MOBILE_APP, wire::WireMobileApp};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    extract::{ObjectId, Query},
    paging::Paging,
    refusals, store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use std::sync::Arc;

pub(super) const LIST_MOBILE_APPS: Command = Command {
    id: "mobile_apps.list",
    verb: Verb::Get,
    path: "/api/mobile-apps",
    permission: Permission("mobile_apps:read"),
    handler: ("list_mobile_apps", |by| on(by, list_mobile_apps)),
    summary: "The apps of the workspace, the oldest first.",
    answer: Answer::List("A page of apps.", Document::type_of::<WireMobileApp>),
    ..WORKSPACE
};

pub(super) const GET_MOBILE_APP: Command = Command {
    id: "mobile_apps.get",
    verb: Verb::Get,
    path: "/api/mobile-apps/{mobileAppId}",
    subject: Subject::Object(MOBILE_APP),
    permission: Permission("mobile_apps:read"),
    handler: ("get_mobile_app", |by| on(by, get_mobile_app)),
    summary: "An app.",
    answer: Answer::Data(
        StatusCode::OK,
        "The app.",
        Document::type_of::<WireMobileApp>,
    ),
    refusals: || vec![refusals::mobile_app_not_found()],
    ..WORKSPACE
};

/// A page of the workspace's apps.
pub(crate) async fn list_mobile_apps(
    State(app): State<Arc<App>>,
    access: Access,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let (pool, workspace_id) = (app.main.pool()?, access.tenant()?.workspace.id);
    let total = store::mobile_apps::count(pool, workspace_id).await?;
    let place = paging.limit_and_offset();
    let apps = store::mobile_apps::list(pool, workspace_id, place).await?;
    let apps: Vec<WireMobileApp> = apps.into_iter().map(WireMobileApp::from).collect();
    Ok(paging.answer(&apps, total))
}

/// An app, or 404.
pub(crate) async fn get_mobile_app(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::mobile_app_not_found)?;
    let workspace_id = access.tenant()?.workspace.id;
    let found = store::mobile_apps::find(app.main.pool()?, id, workspace_id).await?;
    let found = found.ok_or_else(refusals::mobile_app_not_found)?;
    Ok(ok(WireMobileApp::from(found)))
}

//! `GET /api/mobile-apps` and `GET /api/mobile-apps/{mobileAppId}`: reads apps.

use super::{MOBILE_APP, wire::WireMobileApp};
use crate::{
    auth::Permission,
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    manage::{
        asked::Asked,
        managed::{Managed, get_object, list_objects},
    },
    refusals,
    store::mobile_apps::MobileApp,
};
use axum::{http::StatusCode, routing::on};
use runtime::{http::ApiError, openapi::Document};

pub(super) const LIST_MOBILE_APPS: Command = Command {
    id: "mobile_apps.list",
    verb: Verb::Get,
    path: "/api/mobile-apps",
    permission: Permission("mobile_apps:read"),
    handler: ("list_mobile_apps", |by| on(by, list_objects::<MobileApp>)),
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
    handler: ("get_mobile_app", |by| on(by, get_object::<MobileApp>)),
    summary: "An app.",
    answer: Answer::Data(
        StatusCode::OK,
        "The app.",
        Document::type_of::<WireMobileApp>,
    ),
    refusals: || vec![refusals::mobile_app_not_found()],
    ..WORKSPACE
};

impl Managed for MobileApp {
    type Wire = WireMobileApp;
    const NOT_FOUND: fn() -> ApiError = refusals::mobile_app_not_found;

    fn filter(_: &mut Asked<'_>) {}
}

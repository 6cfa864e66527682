//! `GET /api/keys` and `GET /api/keys/{keyId}`: reads API keys, without their secrets.

use super::{KEY, wire::WireKey};
use crate::{
    auth::Permission,
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    manage::{
        asked::Asked,
        managed::{Managed, get_object, list_objects},
    },
    refusals,
    store::keys::Key,
};
use axum::{http::StatusCode, routing::on};
use runtime::{http::ApiError, openapi::Document};

pub(super) const LIST_KEYS: Command = Command {
    id: "keys.list",
    verb: Verb::Get,
    path: "/api/keys",
    permission: Permission("api_keys:read"),
    handler: ("list_keys", |by| on(by, list_objects::<Key>)),
    summary: "The API keys of the workspace, the newest first, revoked ones included.",
    answer: Answer::List("A page of keys.", Document::type_of::<WireKey>),
    ..WORKSPACE
};

pub(super) const GET_KEY: Command = Command {
    id: "keys.get",
    verb: Verb::Get,
    path: "/api/keys/{keyId}",
    subject: Subject::Object(KEY),
    permission: Permission("api_keys:read"),
    handler: ("get_key", |by| on(by, get_object::<Key>)),
    summary: "An API key.",
    answer: Answer::Data(StatusCode::OK, "The key.", Document::type_of::<WireKey>),
    refusals: || vec![refusals::key_not_found()],
    ..WORKSPACE
};

impl Managed for Key {
    type Wire = WireKey;
    const NOT_FOUND: fn() -> ApiError = refusals::key_not_found;

    fn filter(_: &mut Asked<'_>) {}
}

//! `GET /api/webhooks` and `GET /api/webhooks/{webhookId}`: reads webhooks, without their secrets.

use super::{WEBHOOK, errors, wire::WireWebhook};
use crate::{
    auth::Permission,
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    manage::{
        asked::Asked,
        managed::{Managed, get_object, list_objects},
    },
    store::webhooks::Webhook,
};
use axum::{http::StatusCode, routing::on};
use runtime::{http::ApiError, openapi::Document};

pub(super) const LIST_WEBHOOKS: Command = Command {
    id: "webhooks.list",
    verb: Verb::Get,
    path: "/api/webhooks",
    permission: Permission("webhooks:read"),
    handler: ("list_webhooks", |by| on(by, list_objects::<Webhook>)),
    summary: "The webhooks of the workspace, the oldest first.",
    answer: Answer::List("A page of webhooks.", Document::type_of::<WireWebhook>),
    ..WORKSPACE
};

pub(super) const GET_WEBHOOK: Command = Command {
    id: "webhooks.get",
    verb: Verb::Get,
    path: "/api/webhooks/{webhookId}",
    subject: Subject::Object(WEBHOOK),
    permission: Permission("webhooks:read"),
    handler: ("get_webhook", |by| on(by, get_object::<Webhook>)),
    summary: "A webhook.",
    answer: Answer::Data(
        StatusCode::OK,
        "The webhook.",
        Document::type_of::<WireWebhook>,
    ),
    refusals: || vec![errors::not_found()],
    ..WORKSPACE
};

impl Managed for Webhook {
    type Wire = WireWebhook;
    const NOT_FOUND: fn() -> ApiError = errors::not_found;

    fn filter(_: &mut Asked<'_>) {}
}

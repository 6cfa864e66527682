//! The commands that create, change and delete webhooks.

use super::{
    MAX_WEBHOOKS, WEBHOOK,
    edit::{NewWebhook, WebhookChange},
    errors,
    wire::{WireSecretWebhook, WireWebhook},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    manage::{
        managed::{changes, check_count},
        work::Work,
    },
    refusals,
    store::{self, webhooks::Webhook},
    webhooks::{CONVERSIONS, Secret},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, created, done, ok},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const CREATE_WEBHOOK: Command = Command {
    id: "webhooks.create",
    verb: Verb::Post,
    path: "/api/webhooks",
    permission: Permission("webhooks:create"),
    handler: ("create_webhook", |by| on(by, create_webhook)),
    summary: "Adds a webhook. A workspace has up to 20.",
    about: "Only this answer shows the secret that signs.",
    body: body::<NewWebhook>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The webhook, with its secret.",
        Document::type_of::<WireSecretWebhook>,
    ),
    refusals: || {
        vec![
            refusals::limit_exceeded(MAX_WEBHOOKS),
            refusals::short_link_not_found(),
            refusals::campaign_not_found(),
        ]
    },
    ..WORKSPACE
};

pub(super) const UPDATE_WEBHOOK: Command = Command {
    id: "webhooks.update",
    verb: Verb::Patch,
    path: "/api/webhooks/{webhookId}",
    subject: Subject::Object(WEBHOOK),
    permission: Permission("webhooks:update"),
    handler: ("update_webhook", |by| on(by, update_webhook)),
    summary: "Changes the members of a webhook that the body contains.",
    about: "Absent members keep their value; `null` clears one.",
    body: body::<WebhookChange>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The webhook.",
        Document::type_of::<WireWebhook>,
    ),
    refusals: || {
        vec![
            errors::not_found(),
            refusals::short_link_not_found(),
            refusals::campaign_not_found(),
        ]
    },
    ..WORKSPACE
};

pub(super) const DELETE_WEBHOOK: Command = Command {
    id: "webhooks.delete",
    verb: Verb::Delete,
    path: "/api/webhooks/{webhookId}",
    subject: Subject::Object(WEBHOOK),
    permission: Permission("webhooks:delete"),
    handler: ("delete_webhook", |by| on(by, delete_webhook)),
    summary: "Deletes a webhook.",
    answer: Answer::Done("Deleted."),
    refusals: || vec![errors::not_found()],
    ..WORKSPACE
};

/// Creates a webhook: 201 with its secret, which is not shown again.
pub(crate) async fn create_webhook(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(NewWebhook(new)): JsonBody<NewWebhook>,
) -> Result<Response, ApiError> {
    let new = new.checked(app.webhooks.targets)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let (id, secret) = (app.ids.uuid_v7(now), Secret::draw(&*app.ids));
    let mut work = Work::begin(&app, tenant, now).await?;
    let workspace_id = tenant.workspace.id;
    let count = store::webhooks::count(&mut *work.tx, workspace_id).await?;
    check_count(count, MAX_WEBHOOKS)?;
    new.check_references(&mut work.tx, workspace_id).await?;
    let mut row = Webhook {
        id,
        workspace_id,
        url: String::new(),
        events: Vec::new(),
        link_id: None,
        campaign_id: None,
        description: None,
        enabled: true,
        clicks_since: now.to_sqlx(),
        conversions_since: now.to_sqlx(),
        secret: app.webhooks.seal(&secret, id, &*app.ids)?,
        former_secret: None,
        former_until: None,
        failing_since: None,
        disabled_at: None,
        disabled_reason: None,
        created_at: now.to_sqlx(),
        updated_at: now.to_sqlx(),
    };
    new.apply(&mut row);
    store::webhooks::insert(&mut work.tx, &row).await?;
    let wire = WireWebhook::from(row);
    let detail = json!({ "webhook": wire });
    work.commit("webhook.created", id, detail).await?;
    Ok(created(WireSecretWebhook::new(wire, &secret)))
}

/// Changes a webhook: 200. A change to the stored values writes nothing.
pub(crate) async fn update_webhook(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(WebhookChange(change)): JsonBody<WebhookChange>,
) -> Result<Response, ApiError> {
    let change = change.checked(app.webhooks.targets)?;
    let (mut work, stored) = Work::on::<Webhook>(&app, &access, id).await?;
    let workspace_id = stored.workspace_id;
    change.check_references(&mut work.tx, workspace_id).await?;
    let mut row = stored.clone();
    change.apply(&mut row);
    begin(&stored, &mut row, work.now);
    let Some(changes) = changes(&stored, &row)? else {
        return Ok(ok(WireWebhook::from(stored)));
    };
    row.updated_at = work.now.to_sqlx();
    store::webhooks::update(&mut work.tx, &row).await?;
    // What the statement itself sets is in the answer.
    let row = store::find::<Webhook>(&mut *work.tx, row.id, workspace_id).await?;
    let row = row.ok_or_else(errors::not_found)?;
    work.commit("webhook.updated", row.id, changes).await?;
    Ok(ok(WireWebhook::from(row)))
}

/// Lets a webhook begin now that was off, or with the kind of events that it did not have.
fn begin(stored: &Webhook, row: &mut Webhook, now: Timestamp) {
    let has = |webhook: &Webhook, conversions: bool| {
        let mut events = webhook.events.iter();
        let is_conversion = |event: &String| CONVERSIONS.contains(&&**event);
        webhook.enabled && events.any(|event| is_conversion(event) == conversions)
    };
    if !has(stored, false) && has(row, false) {
        row.clicks_since = now.to_sqlx();
    }
    if !has(stored, true) && has(row, true) {
        row.conversions_since = now.to_sqlx();
    }
}

/// Deletes a webhook.
pub(crate) async fn delete_webhook(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let (mut work, row) = Work::on::<Webhook>(&app, &access, id).await?;
    store::webhooks::delete(&mut work.tx, row.id).await?;
    work.commit("webhook.deleted", row.id, json!({ "url": row.url }))
        .await?;
    Ok(done())
}

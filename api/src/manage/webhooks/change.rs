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
    manage::trace::trace,
    patch::differences,
    refusals,
    store::{self, Tx, webhooks::Webhook},
    webhooks::{CONVERSIONS, Secret},
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
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

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
    let workspace_id = tenant.workspace.id;
    let (id, secret) = (app.ids.uuid_v7(now), Secret::draw(&*app.ids));
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, workspace_id).await?;
    if store::webhooks::count(&mut *tx, workspace_id).await? >= i64::from(MAX_WEBHOOKS) {
        return Err(refusals::limit_exceeded(MAX_WEBHOOKS));
    }
    new.check_references(&mut tx, workspace_id).await?;
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
    store::webhooks::insert(&mut tx, &row).await?;
    let wire = WireWebhook::from(row);
    let detail = json!({ "webhook": wire });
    trace(&mut tx, (tenant, now), ("webhook.created", id), detail).await?;
    tx.commit().await?;
    let answer = WireSecretWebhook::new(wire, &secret);
    Ok((StatusCode::CREATED, ok(answer)).into_response())
}

/// Changes a webhook: 200. A change to the stored values writes nothing.
pub(crate) async fn update_webhook(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(WebhookChange(change)): JsonBody<WebhookChange>,
) -> Result<Response, ApiError> {
    let id = id.get(errors::not_found)?;
    let change = change.checked(app.webhooks.targets)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    let stored = lock(&mut tx, id, tenant.workspace.id).await?;
    change
        .check_references(&mut tx, tenant.workspace.id)
        .await?;
    let mut row = stored.clone();
    change.apply(&mut row);
    begin(&stored, &mut row, now);
    let before = WireWebhook::from(stored);
    let changes = differences(&before, &WireWebhook::from(row.clone()))?;
    if changes.is_empty() {
        return Ok(ok(before));
    }
    row.updated_at = now.to_sqlx();
    store::webhooks::update(&mut tx, &row).await?;
    let detail = json!({ "changes": changes });
    trace(&mut tx, (tenant, now), ("webhook.updated", id), detail).await?;
    let row = store::webhooks::find(&mut *tx, id, tenant.workspace.id).await?;
    tx.commit().await?;
    let row = row.ok_or_else(errors::not_found)?;
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
    let id = id.get(errors::not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    let row = lock(&mut tx, id, tenant.workspace.id).await?;
    store::webhooks::delete(&mut tx, id).await?;
    let detail = json!({ "url": row.url });
    trace(&mut tx, (tenant, now), ("webhook.deleted", id), detail).await?;
    tx.commit().await?;
    Ok(done())
}

/// A webhook of the workspace, while no other request changes one; 404 without it.
pub(super) async fn lock(
    tx: &mut Tx<'_>,
    id: Uuid,
    workspace_id: Uuid,
) -> Result<Webhook, ApiError> {
    store::workspaces::lock(tx, workspace_id).await?;
    let found = store::webhooks::find(&mut **tx, id, workspace_id).await?;
    found.ok_or_else(errors::not_found)
}

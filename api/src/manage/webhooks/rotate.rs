//! `POST /api/webhooks/{webhookId}/rotate-secret`: replaces the secret that signs.

use super::{
    WEBHOOK, errors,
    wire::{WireSecretWebhook, WireWebhook},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    extract::ObjectId,
    manage::work::Work,
    store::{self, webhooks::Webhook},
    webhooks::Secret,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

/// How long the former secret signs too, so that a receiver can change its own without a loss.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

pub(super) const ROTATE_WEBHOOK_SECRET: Command = Command {
    id: "webhooks.rotate_secret",
    verb: Verb::Post,
    path: "/api/webhooks/{webhookId}/rotate-secret",
    subject: Subject::Object(WEBHOOK),
    permission: Permission("webhooks:update"),
    handler: ("rotate_webhook_secret", |by| on(by, rotate_webhook_secret)),
    summary: "Replaces the secret of a webhook.",
    about: "Only this answer shows the new secret. For 24 hours the former one signs too; one before it ends at once.",
    answer: Answer::Data(
        StatusCode::OK,
        "The webhook, with its new secret.",
        Document::type_of::<WireSecretWebhook>,
    ),
    refusals: || vec![errors::not_found()],
    ..WORKSPACE
};

/// Replaces the secret of a webhook: 200 with the new one, which is not shown again.
pub(crate) async fn rotate_webhook_secret(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let secret = Secret::draw(&*app.ids);
    let (mut work, mut row) = Work::on::<Webhook>(&app, &access, id).await?;
    let (id, now) = (row.id, work.now);
    let seal = |secret: &Secret| app.webhooks.seal(secret, id, &*app.ids);
    // A secret of another installation cannot sign. Otherwise it is encrypted under the newest key.
    let former = app.webhooks.vault.open(&row.secret, id);
    let until = now.saturating_add(OVERLAP).unwrap_or(now);
    row.former_until = former.as_ref().map(|_| until.to_sqlx());
    row.former_secret = former.as_ref().map(seal).transpose()?;
    row.secret = seal(&secret)?;
    row.updated_at = now.to_sqlx();
    store::webhooks::rotate(&mut work.tx, &row, now).await?;
    let detail = json!({ "rotated": "secret" });
    work.commit("webhook.updated", id, detail).await?;
    Ok(ok(WireSecretWebhook::new(WireWebhook::from(row), &secret)))
}

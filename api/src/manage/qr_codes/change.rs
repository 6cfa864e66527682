//! The commands that create, change and delete QR codes.

use super::{
    MAX_QR_CODES, QR,
    edit::{NewQr, QrChange},
    wire::{WireQr, url},
};
use crate::{
    app::App,
    auth::{Access, Permission, Tenant},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    manage::{
        short_links::{LINK, short_code::generated},
        trace::trace,
    },
    patch::differences,
    refusals,
    store::{
        self, Tx,
        qr_codes::{Design, QrRow},
        record,
        short_links::ShortLink,
    },
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
use sqlx::types::Json;
use std::sync::Arc;
use uuid::Uuid;

pub(super) const CREATE_QR: Command = Command {
    id: "qr.create",
    verb: Verb::Post,
    path: "/api/qr/links/{linkId}",
    subject: Subject::Object(LINK),
    permission: Permission("qr:create"),
    handler: ("create_qr", |by| on(by, create_qr)),
    summary: "Creates a QR code of a link.",
    about: "A link has up to 100. `imageUrl` in the answer leads to the picture.",
    body: body::<NewQr>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The QR code.",
        Document::type_of::<WireQr>,
    ),
    refusals: || {
        vec![
            refusals::short_link_not_found(),
            refusals::qr_code_exists(),
            refusals::limit_exceeded(MAX_QR_CODES),
            refusals::rules_too_large(),
        ]
    },
    ..WORKSPACE
};

pub(super) const UPDATE_QR: Command = Command {
    id: "qr.update",
    verb: Verb::Patch,
    path: "/api/qr/{qrId}",
    subject: Subject::Object(QR),
    permission: Permission("qr:update"),
    handler: ("update_qr", |by| on(by, update_qr)),
    summary: "Changes the members of a QR code that the body contains.",
    about: "Prints stay valid: a QR code keeps its link and its code.",
    body: body::<QrChange>(),
    answer: Answer::Data(StatusCode::OK, "The QR code.", Document::type_of::<WireQr>),
    refusals: || vec![refusals::qr_not_found(), refusals::rules_too_large()],
    ..WORKSPACE
};

pub(super) const DELETE_QR: Command = Command {
    id: "qr.delete",
    verb: Verb::Delete,
    path: "/api/qr/{qrId}",
    subject: Subject::Object(QR),
    permission: Permission("qr:delete"),
    handler: ("delete_qr", |by| on(by, delete_qr)),
    summary: "Deletes a QR code.",
    about: "Prints still lead to the link; their clicks have the trigger `qr`, without a QR code. Earlier scans stay in the reports.",
    answer: Answer::Done("Deleted."),
    refusals: || vec![refusals::qr_not_found(), refusals::rules_too_large()],
    ..WORKSPACE
};

/// Raises the link's version, and writes the audit row and the link's entry.
async fn record(
    tx: &mut Tx<'_>,
    by: (&Tenant, Timestamp),
    (action, qr): (&'static str, &QrRow),
    detail: Value,
) -> Result<(), ApiError> {
    trace(tx, by, (action, qr.id), detail).await?;
    store::short_links::touch(tx, qr.link_id, by.1).await?;
    let entries = store::directory::find_links(tx, &[qr.link_id]).await?;
    record::publish(tx, &entries, by.1).await
}

/// Locks a link against other changes; 404 when it is not the workspace's, or is deleted.
async fn lock_link(tx: &mut Tx<'_>, id: Uuid, workspace_id: Uuid) -> Result<ShortLink, ApiError> {
    store::workspaces::lock(tx, workspace_id).await?;
    let link = store::short_links::lock(tx, id, workspace_id).await?;
    let link = link.filter(|link| link.deleted_at.is_none());
    link.ok_or_else(refusals::short_link_not_found)
}

/// Creates a QR code: 201.
async fn create_qr(
    State(app): State<Arc<App>>,
    access: Access,
    link_id: ObjectId,
    JsonBody(new): JsonBody<NewQr>,
) -> Result<Response, ApiError> {
    let link_id = link_id.get(refusals::short_link_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let workspace_id = tenant.workspace.id;
    let mut tx = app.main.pool()?.begin().await?;
    let link = lock_link(&mut tx, link_id, workspace_id).await?;
    let code = new.code;
    let code = code.unwrap_or_else(|| generated(app.ids.random_16()));
    let mut qr = QrRow {
        id: app.ids.uuid_v7(now),
        link_id,
        short_code: link.short_code,
        host: link.host,
        name: code.clone(),
        code,
        design: Json(Design::default()),
        created_at: now.to_sqlx(),
        updated_at: now.to_sqlx(),
    };
    let text = url(&qr, &app.short_urls);
    new.edit.apply(&mut qr, &text)?;
    if store::qr_codes::count(&mut tx, link_id).await? >= i64::from(MAX_QR_CODES) {
        return Err(refusals::limit_exceeded(MAX_QR_CODES));
    }
    if !store::qr_codes::insert(&mut tx, workspace_id, &qr).await? {
        return Err(refusals::qr_code_exists());
    }
    let wire = WireQr::new(qr.clone(), &app.short_urls);
    let detail = json!({ "qr": wire });
    record(&mut tx, (tenant, now), ("qr.created", &qr), detail).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, ok(wire)).into_response())
}

/// A QR code with its link locked; 404 when the workspace has none of that id.
async fn lock(tx: &mut Tx<'_>, id: Uuid, workspace_id: Uuid) -> Result<QrRow, ApiError> {
    store::workspaces::lock(tx, workspace_id).await?;
    let qr = store::qr_codes::find(tx, id, workspace_id).await?;
    let qr = qr.ok_or_else(refusals::qr_not_found)?;
    lock_link(tx, qr.link_id, workspace_id).await?;
    Ok(qr)
}

/// Changes a QR code: 200. A change to the stored values writes nothing.
async fn update_qr(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<QrChange>,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::qr_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    let stored = lock(&mut tx, id, tenant.workspace.id).await?;
    let mut qr = stored.clone();
    let text = url(&qr, &app.short_urls);
    change.0.apply(&mut qr, &text)?;
    let wire = |qr: QrRow| WireQr::new(qr, &app.short_urls);
    let before = wire(stored);
    let changes = differences(&before, &wire(qr.clone()))?;
    if changes.is_empty() {
        return Ok(ok(before));
    }
    qr.updated_at = now.to_sqlx();
    store::qr_codes::update(&mut tx, &qr).await?;
    let detail = json!({ "changes": changes });
    record(&mut tx, (tenant, now), ("qr.updated", &qr), detail).await?;
    tx.commit().await?;
    Ok(ok(wire(qr)))
}

/// Deletes a QR code.
async fn delete_qr(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::qr_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    let qr = lock(&mut tx, id, tenant.workspace.id).await?;
    store::qr_codes::delete(&mut tx, id, now.to_sqlx()).await?;
    let detail = json!({ "name": qr.name, "code": qr.code, "linkId": qr.link_id });
    record(&mut tx, (tenant, now), ("qr.deleted", &qr), detail).await?;
    tx.commit().await?;
    Ok(done())
}

//! The commands that create, change and delete QR codes.

use super::{
    MAX_QR_CODES, QR,
    edit::{NewQr, QrChange},
    wire::{WireQr, url},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    manage::{
        managed::check_count,
        short_links::{LINK, lock_link, short_code::generated},
        work::Work,
    },
    patch::differences,
    refusals,
    store::{
        self,
        qr_codes::{Design, QrRow},
    },
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, created, done, ok},
    openapi::Document,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use std::sync::Arc;

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

/// Commits a change of a QR code: raises the link's version, and publishes the link's entry.
async fn commit(
    mut work: Work<'_>,
    action: &'static str,
    qr: &QrRow,
    detail: Value,
) -> Result<(), ApiError> {
    store::short_links::touch(&mut work.tx, qr.link_id, work.now).await?;
    let entries = store::directory::find_links(&mut work.tx, &[qr.link_id]).await?;
    work.publish(&entries).await?;
    work.commit(action, qr.id, detail).await
}

/// Begins a change of a QR code with its link locked; 404 when the workspace has none of that id.
async fn begin<'a>(
    app: &App,
    access: &'a Access,
    id: ObjectId,
) -> Result<(Work<'a>, QrRow), ApiError> {
    let id = id.get(refusals::qr_not_found)?;
    let tenant = access.tenant()?;
    let mut work = Work::begin(app, tenant, app.clock.now()).await?;
    let qr = store::qr_codes::find(&mut *work.tx, id, tenant.workspace.id).await?;
    let qr = qr.ok_or_else(refusals::qr_not_found)?;
    lock_link(&mut work, qr.link_id).await?;
    Ok((work, qr))
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
    let mut work = Work::begin(&app, tenant, now).await?;
    let link = lock_link(&mut work, link_id).await?;
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
    let count = store::qr_codes::count(&mut work.tx, link_id).await?;
    check_count(count, MAX_QR_CODES)?;
    if !store::qr_codes::insert(&mut work.tx, tenant.workspace.id, &qr).await? {
        return Err(refusals::qr_code_exists());
    }
    let wire = WireQr::new(qr.clone(), &app.short_urls);
    let detail = json!({ "qr": wire });
    commit(work, "qr.created", &qr, detail).await?;
    Ok(created(wire))
}

/// Changes a QR code: 200. A change to the stored values writes nothing.
async fn update_qr(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<QrChange>,
) -> Result<Response, ApiError> {
    let (mut work, stored) = begin(&app, &access, id).await?;
    let mut qr = stored.clone();
    let text = url(&qr, &app.short_urls);
    change.0.apply(&mut qr, &text)?;
    let wire = |qr: QrRow| WireQr::new(qr, &app.short_urls);
    let before = wire(stored);
    let changes = differences(&before, &wire(qr.clone()))?;
    if changes.is_empty() {
        return Ok(ok(before));
    }
    qr.updated_at = work.now.to_sqlx();
    store::qr_codes::update(&mut work.tx, &qr).await?;
    commit(work, "qr.updated", &qr, json!({ "changes": changes })).await?;
    Ok(ok(wire(qr)))
}

/// Deletes a QR code.
async fn delete_qr(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let (mut work, qr) = begin(&app, &access, id).await?;
    let now = work.now.to_sqlx();
    store::qr_codes::delete(&mut work.tx, qr.id, now).await?;
    let detail = json!({ "name": qr.name, "code": qr.code, "linkId": qr.link_id });
    commit(work, "qr.deleted", &qr, detail).await?;
    Ok(done())
}

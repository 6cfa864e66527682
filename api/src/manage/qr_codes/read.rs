//! `GET /api/qr/links/{linkId}` and `GET /api/qr/{qrId}`: reads QR codes.

use super::{
    QR,
    wire::{ReadQr, WireQr},
};
use crate::{
    app::App,
    auth::{Access, CommandTurn, Permission},
    catalog::OF_QR_CODES,
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    extract::{ObjectId, Query},
    manage::{
        asked::Asked,
        counts::{self, Wanted},
        short_links::LINK,
    },
    paging::Paging,
    refusals, store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use std::sync::Arc;
use uuid::Uuid;

pub(super) const LIST_QR: Command = Command {
    id: "qr.list",
    verb: Verb::Get,
    path: "/api/qr/links/{linkId}",
    subject: Subject::Object(LINK),
    permission: Permission("qr:read"),
    handler: ("list_qr", |by| on(by, list_qr)),
    summary: "The QR codes of a link, the oldest first.",
    query: &[counts::INCLUDE],
    answer: Answer::List("A page of QR codes.", Document::type_of::<ReadQr>),
    refusals: || vec![refusals::short_link_not_found()],
    ..WORKSPACE
};

pub(super) const GET_QR: Command = Command {
    id: "qr.get",
    verb: Verb::Get,
    path: "/api/qr/{qrId}",
    subject: Subject::Object(QR),
    permission: Permission("qr:read"),
    handler: ("get_qr", |by| on(by, get_qr)),
    summary: "A QR code.",
    query: &[counts::INCLUDE],
    answer: Answer::Data(StatusCode::OK, "The QR code.", Document::type_of::<ReadQr>),
    refusals: || vec![refusals::qr_not_found()],
    ..WORKSPACE
};

/// A page of the QR codes of a link.
pub(crate) async fn list_qr(
    State(app): State<Arc<App>>,
    access: Access,
    turn: CommandTurn,
    id: ObjectId,
    query: Query,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::short_link_not_found)?;
    let paging = Paging::read(&query)?;
    let mut asked = Asked::new(&query);
    let wanted = counts::wanted(&mut asked, &access, &turn)?;
    asked.finish()?;
    let mut connection = app.main.pool()?.acquire().await?;
    let workspace_id = access.tenant()?.workspace.id;
    let link = store::short_links::find(&mut *connection, id, workspace_id).await?;
    if link.is_none_or(|link| link.deleted_at.is_some()) {
        return Err(refusals::short_link_not_found());
    }
    let part = paging.limit_and_offset();
    let (codes, total) = store::qr_codes::list(&mut connection, id, part).await?;
    drop(connection);
    let codes = codes.into_iter();
    let codes = codes.map(|qr| WireQr::new(qr, &app.short_urls)).collect();
    let codes = with_counts(&app, (id, codes), wanted).await?;
    Ok(paging.answer(&codes, total))
}

/// A QR code, or 404.
pub(crate) async fn get_qr(
    State(app): State<Arc<App>>,
    access: Access,
    turn: CommandTurn,
    id: ObjectId,
    query: Query,
) -> Result<Response, ApiError> {
    let mut asked = Asked::new(&query);
    let wanted = counts::wanted(&mut asked, &access, &turn)?;
    asked.finish()?;
    let id = id.get(refusals::qr_not_found)?;
    let workspace_id = access.tenant()?.workspace.id;
    let qr = store::qr_codes::find(app.main.pool()?, id, workspace_id).await?;
    let qr = qr.ok_or_else(refusals::qr_not_found)?;
    let qr = WireQr::new(qr, &app.short_urls);
    let codes = with_counts(&app, (qr.link_id, vec![qr]), wanted).await?;
    Ok(ok(codes.into_iter().next()))
}

/// QR codes of a link, with their counts if the request asks for them.
async fn with_counts(
    app: &App,
    (link_id, codes): (Uuid, Vec<WireQr>),
    wanted: Option<Wanted<'_>>,
) -> Result<Vec<ReadQr>, ApiError> {
    let codes = codes.into_iter();
    let Some(wanted) = wanted else {
        return Ok(codes.map(ReadQr::plain).collect());
    };
    let tallied = wanted.count(app, &OF_QR_CODES, vec![link_id]).await?;
    let counted = codes.map(|qr| ReadQr::counted(qr, tallied.as_ref()));
    Ok(counted.collect())
}

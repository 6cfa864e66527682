//! `GET /api/qr/{qrId}/image.png` and `image.svg`: the picture of a QR code.

use super::{
    QR,
    draw::{Drawing, SIZES},
    wire::url,
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Parameter, Subject, Verb, WORKSPACE},
    extract::{ObjectId, Query},
    refusals,
    store::{self, qr_codes::Design},
};
use axum::{
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::on,
};
use runtime::{http::ApiError, openapi::whole};
use std::sync::Arc;

const PNG: &str = "image/png";
const SVG: &str = "image/svg+xml";

/// The parameter of both pictures.
const SIZE: &[Parameter] = &[Parameter {
    name: "size",
    schema: || whole(SIZES).about("Width and height in pixels, instead of the QR code's own."),
}];

const ABOUT: &str = "Every module is a whole number of pixels; what is left of the size is background around the code.";

pub(super) const QR_PNG: Command = Command {
    id: "qr.png",
    path: "/api/qr/{qrId}/image.png",
    handler: ("qr_png", |by| on(by, send_png)),
    summary: "The picture of a QR code as a PNG.",
    answer: Answer::File("The picture.", PNG),
    ..PICTURE
};

pub(super) const QR_SVG: Command = Command {
    id: "qr.svg",
    path: "/api/qr/{qrId}/image.svg",
    handler: ("qr_svg", |by| on(by, send_svg)),
    summary: "The picture of a QR code as an SVG, for print.",
    answer: Answer::File("The picture.", SVG),
    ..PICTURE
};

const PICTURE: Command = Command {
    verb: Verb::Get,
    subject: Subject::Object(QR),
    permission: Permission("qr:read"),
    about: ABOUT,
    query: SIZE,
    refusals: || vec![refusals::qr_not_found()],
    ..WORKSPACE
};

async fn send_png(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    query: Query,
) -> Result<Response, ApiError> {
    let (design, drawing) = draw(&app, &access, id, &query).await?;
    Ok(file(PNG, drawing.png(&design)?))
}

async fn send_svg(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    query: Query,
) -> Result<Response, ApiError> {
    let (design, drawing) = draw(&app, &access, id, &query).await?;
    Ok(file(SVG, drawing.svg(&design).into_bytes()))
}

fn file(media_type: &'static str, bytes: Vec<u8>) -> Response {
    // A change of the design must show at once.
    let headers = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "private, no-cache"),
    ];
    (headers, bytes).into_response()
}

/// The design and the modules of a picture.
async fn draw(
    app: &App,
    access: &Access,
    id: ObjectId,
    query: &Query,
) -> Result<(Design, Drawing), ApiError> {
    let id = id.get(refusals::qr_not_found)?;
    let size = match query.first("size") {
        Some(text) => Some(read_size(&text)?),
        None => None,
    };
    let workspace_id = access.tenant()?.workspace.id;
    let qr = store::qr_codes::find(app.main.pool()?, id, workspace_id).await?;
    let qr = qr.ok_or_else(refusals::qr_not_found)?;
    let text = url(&qr, &app.short_urls);
    let mut design = qr.design.0;
    design.size = size.unwrap_or(design.size);
    let drawing = Drawing::new(&text, &design);
    let drawing = drawing.map_err(|problem| ApiError::validation(vec![problem]))?;
    Ok((design, drawing))
}

fn read_size(text: &str) -> Result<u32, ApiError> {
    let given = text.parse().ok().filter(|given| SIZES.contains(given));
    let given = given.and_then(|given| u32::try_from(given).ok());
    given.ok_or_else(|| {
        let (least, most) = (SIZES.start(), SIZES.end());
        let problem = format!("size must be a whole number from {least} to {most}");
        ApiError::validation(vec![problem])
    })
}

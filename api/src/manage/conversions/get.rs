//! `GET /api/conversions/{conversionId}`: reads a conversion.

use super::CONVERSION;
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    conversions::{refusals, wire::WireConversion},
    extract::ObjectId,
    store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use std::sync::Arc;

pub(super) const GET_CONVERSION: Command = Command {
    id: "conversions.get",
    verb: Verb::Get,
    path: "/api/conversions/{conversionId}",
    subject: Subject::Object(CONVERSION),
    permission: Permission("conversions:read"),
    handler: ("get_conversion", |by| on(by, get_conversion)),
    summary: "A conversion in its present state.",
    answer: Answer::Data(
        StatusCode::OK,
        "The conversion.",
        Document::type_of::<WireConversion>,
    ),
    refusals: || vec![refusals::not_found()],
    ..WORKSPACE
};

/// A conversion of the workspace, or 404.
pub(crate) async fn get_conversion(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::not_found)?;
    let workspace_id = access.tenant()?.workspace.id;
    let found = store::conversions::find(app.main.pool()?, workspace_id, id).await?;
    let found = found.ok_or_else(refusals::not_found)?;
    Ok(ok(WireConversion::from(found)))
}

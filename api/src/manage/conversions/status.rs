//! `PATCH /api/conversions/{conversionId}`: judges a conversion.

use super::{CONVERSION, tenant};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    conversions::{change, refusals, wire::WireConversion},
    extract::{JsonBody, ObjectId},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, ok},
    members::{Body, Declared, Member, OneOf},
    openapi::Document,
};
use schemas::events::ConversionStatus;
use serde_json::json;
use std::sync::Arc;

pub(super) const SET_STATUS: Command = Command {
    id: "conversions.update",
    verb: Verb::Patch,
    path: "/api/conversions/{conversionId}",
    subject: Subject::Object(CONVERSION),
    permission: Permission("conversions:update"),
    handler: ("set_conversion_status", |by| on(by, set_conversion_status)),
    summary: "Sets the status of a conversion. Pending and approved ones count.",
    body: body::<Judgement>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The conversion.",
        Document::type_of::<WireConversion>,
    ),
    refusals: || vec![refusals::not_found()],
    ..WORKSPACE
};

const STATUS: Member<OneOf> = Member::new("status", OneOf(ConversionStatus::NAMES))
    .required()
    .about("`refunded` means that all of the amount was given back.")
    .example(|| json!("approved"));

/// A judgement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judgement(ConversionStatus);

impl Body for Judgement {
    const MEMBERS: &'static [&'static dyn Declared] = &[&STATUS];

    fn read(fields: &mut Fields<'_>) -> Self {
        let status = STATUS.read(fields).and_then(ConversionStatus::from_name);
        Self(status.unwrap_or(ConversionStatus::Pending))
    }
}

/// Sets the status, and answers with the conversion.
pub(crate) async fn set_conversion_status(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(Judgement(status)): JsonBody<Judgement>,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::not_found)?;
    let member = access.tenant()?;
    let by = (tenant(member), &*member.actor());
    let conversion = change::set_status(&app, by, id, status).await?;
    Ok(ok(WireConversion::from(conversion)))
}

//! `GET /api/customers/{customerId}/journey`: what a customer did.

use super::{CUSTOMER, find, member};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    conversions::{refusals, wire::WireConversion},
    extract::ObjectName,
    store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

pub(super) const GET_JOURNEY: Command = Command {
    id: "customers.journey",
    verb: Verb::Get,
    path: "/api/customers/{customerId}/journey",
    subject: Subject::Object(CUSTOMER),
    permission: Permission("customers:read"),
    handler: ("get_journey", |by| on(by, get_journey)),
    summary: "The first click of a customer and its conversions, in the order of time.",
    answer: Answer::Data(
        StatusCode::OK,
        "The journey.",
        Document::type_of::<WireJourney>,
    ),
    refusals: || {
        vec![
            refusals::customer_not_found(),
            refusals::feature_not_available(),
        ]
    },
    ..WORKSPACE
};

/// Most conversions of an answer.
const MOST: i64 = 1_000;

/// What a customer did.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Journey", description = "What a customer did.")]
pub(super) struct WireJourney {
    customer_id: Uuid,
    first_click_id: Option<Uuid>,
    /// The first 1,000.
    conversions: Vec<WireConversion>,
}

/// The journey of a customer of the workspace, or 404.
pub(crate) async fn get_journey(
    State(app): State<Arc<App>>,
    access: Access,
    ObjectName(named): ObjectName,
) -> Result<Response, ApiError> {
    let (pool, workspace_id) = (app.main.pool()?, member(&access)?.workspace.id);
    let customer = find(pool, workspace_id, named.as_deref()).await?;
    let conversions = store::conversions::list_of_customer(pool, customer.id, MOST).await?;
    Ok(ok(WireJourney {
        customer_id: customer.id,
        first_click_id: customer.first_click_id,
        conversions: conversions.into_iter().map(WireConversion::from).collect(),
    }))
}

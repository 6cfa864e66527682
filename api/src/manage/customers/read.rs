//! `GET /api/customers`, `/api/customers/count` and `/api/customers/{customerId}`.

use super::{CUSTOMER, find, member, wire::WireCustomer};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    conversions::refusals,
    extract::{ObjectName, Query},
    paging::Paging,
    store::{self, customers::Customer},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

pub(super) const LIST_CUSTOMERS: Command = Command {
    id: "customers.list",
    verb: Verb::Get,
    path: "/api/customers",
    permission: Permission("customers:read"),
    handler: ("list_customers", |by| on(by, list_customers)),
    summary: "The customers of the workspace, the newest first.",
    answer: Answer::List("A page of customers.", Document::type_of::<WireCustomer>),
    refusals: || vec![refusals::feature_not_available()],
    ..WORKSPACE
};

pub(super) const COUNT_CUSTOMERS: Command = Command {
    id: "customers.count",
    verb: Verb::Get,
    path: "/api/customers/count",
    permission: Permission("customers:read"),
    handler: ("count_customers", |by| on(by, count_customers)),
    summary: "How many customers the workspace has.",
    answer: Answer::Data(
        StatusCode::OK,
        "The number.",
        Document::type_of::<WireCount>,
    ),
    refusals: || vec![refusals::feature_not_available()],
    ..WORKSPACE
};

pub(super) const GET_CUSTOMER: Command = Command {
    id: "customers.get",
    verb: Verb::Get,
    path: "/api/customers/{customerId}",
    subject: Subject::Object(CUSTOMER),
    permission: Permission("customers:read"),
    handler: ("get_customer", |by| on(by, get_customer)),
    summary: "A customer.",
    answer: Answer::Data(
        StatusCode::OK,
        "The customer.",
        Document::type_of::<WireCustomer>,
    ),
    refusals: || {
        vec![
            refusals::customer_not_found(),
            refusals::feature_not_available(),
        ]
    },
    ..WORKSPACE
};

/// A number of customers.
#[derive(Clone, Copy, Debug, JsonSchema, Serialize)]
#[schemars(rename = "CustomerCount", description = "A number of customers.")]
pub(super) struct WireCount {
    count: i64,
}

/// A page of the workspace's customers.
pub(crate) async fn list_customers(
    State(app): State<Arc<App>>,
    access: Access,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let workspace_id = member(&access)?.workspace.id;
    let mut connection = app.main.pool()?.acquire().await?;
    let part = paging.limit_and_offset();
    let (customers, total) =
        store::list::<Customer>(&mut connection, workspace_id, &(), part).await?;
    let customers: Vec<WireCustomer> = customers.into_iter().map(WireCustomer::from).collect();
    Ok(paging.answer(&customers, total))
}

/// The number of the workspace's customers.
pub(crate) async fn count_customers(
    State(app): State<Arc<App>>,
    access: Access,
) -> Result<Response, ApiError> {
    let workspace_id = member(&access)?.workspace.id;
    let count = store::customers::count(app.main.pool()?, workspace_id).await?;
    Ok(ok(WireCount { count }))
}

/// A customer of the workspace, or 404.
pub(crate) async fn get_customer(
    State(app): State<Arc<App>>,
    access: Access,
    ObjectName(named): ObjectName,
) -> Result<Response, ApiError> {
    let workspace_id = member(&access)?.workspace.id;
    let customer = find(app.main.pool()?, workspace_id, named.as_deref()).await?;
    Ok(ok(WireCustomer::from(customer)))
}

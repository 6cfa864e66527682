//! `DELETE /api/customers/{customerId}`: erases the personal data of a customer.

use super::{CUSTOMER, find};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    conversions::refusals,
    extract::ObjectName,
    manage::work::Work,
    store,
};
use axum::{extract::State, response::Response, routing::on};
use runtime::http::{ApiError, done};
use serde_json::json;
use std::sync::Arc;

pub(super) const DELETE_CUSTOMER: Command = Command {
    id: "customers.delete",
    verb: Verb::Delete,
    path: "/api/customers/{customerId}",
    subject: Subject::Object(CUSTOMER),
    permission: Permission("customers:delete"),
    handler: ("delete_customer", |by| on(by, delete_customer)),
    summary: "Erases the personal data of a customer. Their conversions stay, without metadata here.",
    answer: Answer::Done("Erased."),
    about: "Every plan may do this: it is the customers' right.",
    refusals: || vec![refusals::customer_not_found()],
    ..WORKSPACE
};

/// Erases external id, email, name and metadata. The conversions and their sums stay.
pub(crate) async fn delete_customer(
    State(app): State<Arc<App>>,
    access: Access,
    ObjectName(named): ObjectName,
) -> Result<Response, ApiError> {
    let (member, now) = (access.tenant()?, app.clock.now());
    let (pool, workspace_id) = (app.main.pool()?, member.workspace.id);
    let customer = find(pool, workspace_id, named.as_deref()).await?;
    let mut work = Work::begin_unlocked(&app, member, now).await?;
    if !store::customers::erase(&mut work.tx, customer.id, now).await? {
        return Err(refusals::customer_not_found());
    }
    store::conversions::forget_metadata(&mut work.tx, customer.id).await?;
    work.commit("customer.erased", customer.id, json!({}))
        .await?;
    Ok(done())
}

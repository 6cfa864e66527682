//! `POST /api/customers`: adds a customer.

use super::wire::WireCustomer;
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE, body},
    conversions::{call::MOST_CHARS, members::Word, refusals},
    extract::JsonBody,
    manage::work::Work,
    store::{self, customers::Person},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, created},
    members::{Body, Declared, Member, Text},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const ADD_CUSTOMER: Command = Command {
    id: "customers.create",
    verb: Verb::Post,
    path: "/api/customers",
    permission: Permission("customers:create"),
    handler: ("add_customer", |by| on(by, add_customer)),
    summary: "Adds a customer. Conversions add theirs by themselves.",
    body: body::<NewCustomer>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The customer.",
        Document::type_of::<WireCustomer>,
    ),
    refusals: || {
        vec![
            refusals::customer_exists(),
            refusals::feature_not_available(),
        ]
    },
    ..WORKSPACE
};

const EXTERNAL_ID: Member<Word> = Member::new("externalId", Word)
    .about("Your id of the customer. An empty one is none.")
    .example(|| json!("C-1"));
const EMAIL: Member<Text> =
    Member::new("email", Text(MOST_CHARS)).example(|| json!("ada@a.example"));
const NAME: Member<Text> = Member::new("name", Text(MOST_CHARS)).example(|| json!("Ada"));

/// A customer, as a request gives it.
#[derive(Clone, Debug)]
pub(super) struct NewCustomer(Person);

impl Body for NewCustomer {
    const MEMBERS: &'static [&'static dyn Declared] = &[&EXTERNAL_ID, &EMAIL, &NAME];

    fn read(fields: &mut Fields<'_>) -> Self {
        let filled = |text: &str| {
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        Self(Person {
            external_id: EXTERNAL_ID.read(fields).and_then(|text| filled(&text)),
            email: EMAIL.read(fields).and_then(filled),
            name: NAME.read(fields).and_then(filled),
        })
    }
}

/// Adds a customer: 201.
pub(crate) async fn add_customer(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(NewCustomer(person)): JsonBody<NewCustomer>,
) -> Result<Response, ApiError> {
    let (member, now) = (super::member(&access)?, app.clock.now());
    let mut work = Work::begin_unlocked(&app, member, now).await?;
    let ids = (app.ids.uuid_v7(now), member.workspace.id);
    let customer = store::customers::insert(&mut work.tx, ids, &person, now).await?;
    let customer = customer.ok_or_else(refusals::customer_exists)?;
    // Nothing personal: the audit log outlives an erasure.
    work.commit("customer.created", customer.id, json!({}))
        .await?;
    Ok(created(WireCustomer::from(customer)))
}

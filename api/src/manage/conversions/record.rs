//! `POST /api/conversions`: a server reports a conversion with its workspace's credential.

use super::tenant;
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE, body},
    conversions::{
        Tenant,
        call::Given,
        members::{
            CURRENCY, CUSTOMER, EMAIL, EVENT, METADATA, NAME, OPTIONAL_CLICK_ID, ORDER_ID,
            TIMESTAMP, TYPE, VALUE, read,
        },
        public::observe,
        record::{Recorded, record_now},
        refusals,
        wire::WireTracked,
    },
    extract::JsonBody,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, ok},
    members::{Body, Declared},
    openapi::Document,
};
use schemas::events::ConversionSource;
use std::sync::Arc;

pub(super) const RECORD_CONVERSION: Command = Command {
    id: "conversions.create",
    verb: Verb::Post,
    path: "/api/conversions",
    permission: Permission("conversions:create"),
    handler: ("record_conversion", |by| on(by, record_conversion)),
    summary: "Records a conversion of a click or of a customer.",
    about: "A customer's later sales need no click: they belong to the link of the customer's first click.",
    body: body::<Draft>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The conversion, or the first one with the same order.",
        Document::type_of::<WireTracked>,
    ),
    refusals: || {
        vec![
            refusals::placeholder(),
            refusals::invalid_click(),
            refusals::click_expired(),
            refusals::no_click(),
            refusals::too_many(),
        ]
    },
    ..WORKSPACE
};

/// A conversion, as a request gives it.
#[derive(Clone, Debug)]
pub(super) struct Draft(Given);

impl Body for Draft {
    const MEMBERS: &'static [&'static dyn Declared] = &[
        &OPTIONAL_CLICK_ID,
        &EVENT,
        &TYPE,
        &VALUE,
        &CURRENCY,
        &ORDER_ID,
        &CUSTOMER,
        &EMAIL,
        &NAME,
        &TIMESTAMP,
        &METADATA,
    ];

    fn read(fields: &mut Fields<'_>) -> Self {
        let click = OPTIONAL_CLICK_ID.read(fields).map(str::to_owned);
        Self(Given {
            click,
            ..read(fields)
        })
    }
}

/// Records a conversion: 200 with the first result, also when it is a repeat.
pub(crate) async fn record_conversion(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(Draft(given)): JsonBody<Draft>,
) -> Result<Response, ApiError> {
    let recorded = judge(&app, tenant(access.tenant()?), given).await;
    observe(ConversionSource::Api, &recorded);
    Ok(ok(WireTracked::new(&recorded?, None)))
}

async fn judge(app: &App, tenant: Tenant, given: Given) -> Result<Recorded, ApiError> {
    let call = given.read(ConversionSource::Api, app.clock.now())?;
    // The click of another workspace is as unknown as a made-up one.
    let is_foreign = |click| app.clicks.verify_click(click).map(|(no, _)| no) != Some(tenant.no);
    if call.click.is_some_and(is_foreign) {
        return Err(refusals::invalid_click());
    }
    record_now(app, tenant, &call).await
}

//! `POST /api/conversions/track`: reports a conversion from a page or a server.

use super::receive;
use crate::{
    app::App,
    conversions::{
        call::Given,
        members::{
            CLICK_ID, CURRENCY, CUSTOMER, EMAIL, EVENT, METADATA, NAME, ORDER_ID, TIMESTAMP, TYPE,
            VALUE, read,
        },
        wire::WireTracked,
    },
    extract::JsonBody,
};
use axum::{extract::State, response::Response};
use runtime::{
    http::{ApiError, Fields, ok, validate::parse_uuid},
    members::{Body, Declared},
};
use schemas::events::ConversionSource;
use std::sync::Arc;

/// A call of `track`.
#[derive(Clone, Debug)]
pub(super) struct Tracking(Given);

impl Body for Tracking {
    const MEMBERS: &'static [&'static dyn Declared] = &[
        &CLICK_ID, &EVENT, &TYPE, &VALUE, &CURRENCY, &ORDER_ID, &CUSTOMER, &EMAIL, &NAME,
        &TIMESTAMP, &METADATA,
    ];

    fn read(fields: &mut Fields<'_>) -> Self {
        let click = CLICK_ID.read(fields).map(str::to_owned);
        Self(Given {
            click,
            ..read(fields)
        })
    }
}

/// Records a conversion of a click: 200 with the first result, also when it is a repeat.
pub(super) async fn track_conversion(
    State(app): State<Arc<App>>,
    JsonBody(Tracking(given)): JsonBody<Tracking>,
) -> Result<Response, ApiError> {
    let named = given.click.as_deref().map(str::trim).and_then(parse_uuid);
    let recorded = receive(&app, ConversionSource::Track, given, None).await?;
    Ok(ok(WireTracked::new(&recorded, named)))
}

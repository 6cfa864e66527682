//! `POST /conversions/s2s`: a server reports a conversion, with the click's id as credential.
//!
//! A click that cannot be credited is no error here: servers send every order, and most of them
//! belong to no click.

use super::receive;
use crate::{
    app::App,
    conversions::{
        call::{Given, MOST_CHARS},
        members::{CURRENCY, Decimal, Word},
        wire::WireAttributed,
    },
    extract::JsonBody,
    store,
};
use axum::{extract::State, response::Response};
use jiff::SignedDuration;
use runtime::{
    http::{ApiError, Fields, ok},
    members::{Body, Declared, Member, Text},
};
use schemas::{ClickId, events::ConversionSource, routed::click_time};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// How long an answer may wait for the click's link, which callers can do without.
const MOST_WAIT: Duration = Duration::from_millis(300);

const CLICK: Member<Text> = Member::new("click_id", Text(MOST_CHARS))
    .about("The value of `lw_cid` in the address of the landing page.")
    .example(|| json!("0000002a-3c11-8067-a1e0-5bfb8b7d4e5f"));
const EVENT: Member<Text> = Member::new("event", Text(MOST_CHARS))
    .about("The name of the event; `conversion` by default.")
    .example(|| json!("purchase"));
const VALUE: Member<Decimal> = Member::new("value", Decimal).example(|| json!("49.90"));
const ORDER: Member<Word> = Member::new("order_id", Word)
    .about("The order. It counts once.")
    .example(|| json!("A-1"));
const CUSTOMER: Member<Word> =
    Member::new("customer_external_id", Word).about("Your id of the customer.");
const TIMESTAMP: Member<Word> = Member::new("timestamp", Word)
    .about("When it happened: RFC 3339, or seconds since 1970. Now, by default.");

/// A call of `s2s`.
#[derive(Clone, Debug)]
pub(super) struct Report(Given);

impl Body for Report {
    const MEMBERS: &'static [&'static dyn Declared] = &[
        &CLICK, &EVENT, &VALUE, &CURRENCY, &ORDER, &CUSTOMER, &TIMESTAMP,
    ];

    fn read(fields: &mut Fields<'_>) -> Self {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Self(Given {
            click: text(CLICK.read(fields)),
            event: text(EVENT.read(fields)),
            value: VALUE.read(fields),
            currency: text(CURRENCY.read(fields)),
            order_id: ORDER.read(fields),
            customer: CUSTOMER.read(fields),
            timestamp: TIMESTAMP.read(fields),
            ..Given::default()
        })
    }
}

/// Records a conversion, and says which click it belongs to: 200, also when it belongs to none.
pub(super) async fn report_conversion(
    State(app): State<Arc<App>>,
    JsonBody(Report(given)): JsonBody<Report>,
) -> Result<Response, ApiError> {
    let recorded = match receive(&app, ConversionSource::S2s, given, None).await {
        Ok(recorded) => recorded,
        Err(error) if belongs_to_none(&error) => return Ok(ok(WireAttributed::default())),
        Err(error) => return Err(error),
    };
    let context = match recorded.conversion.click_id {
        Some(click) => find_context(&app, recorded.conversion.workspace_id, ClickId(click)).await,
        None => None,
    };
    let (link_id, campaign_id) = context.unwrap_or_default();
    Ok(ok(WireAttributed {
        conversion_id: Some(recorded.conversion.id),
        attributed: true,
        link_id,
        campaign_id,
        duplicate: recorded.is_duplicate,
    }))
}

/// True for a call that is well-formed and has no click to credit.
fn belongs_to_none(error: &ApiError) -> bool {
    matches!(
        error.code,
        "conversions.invalid_click"
            | "conversions.click_expired"
            | "conversions.no_click"
            | "conversions.placeholder"
    )
}

/// The link and the campaign of a click; `None` until the click is in the tables, and while they cannot
/// be read. The conversion is recorded by then, so nothing may fail or take long here.
async fn find_context(
    app: &App,
    workspace_id: Uuid,
    click: ClickId,
) -> Option<(Option<Uuid>, Option<Uuid>)> {
    let (no, at) = (app.clicks.verify_click(click)?.0, click_time(click)?);
    let until = at.checked_add(SignedDuration::from_millis(1)).ok()?;
    let pool = app.analytics.pool().ok()?;
    let finding = store::clicks::find_context(pool, no, click, (at, until));
    let found = tokio::time::timeout(MOST_WAIT, finding).await.ok()?;
    found
        .inspect_err(|error| {
            let error = runtime::database::message(error);
            tracing::warn!(workspace.id = %workspace_id, "cannot read the link of a click: {error}");
        })
        .ok()?
}

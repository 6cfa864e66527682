//! `POST /api/conversions/{conversionId}/refunds`: gives back an amount.

use super::{CONVERSION, tenant};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    conversions::{
        change::{self, Refunded, Refunding},
        members::{Decimal, Word},
        refusals,
        wire::{WireConversion, decimal},
    },
    extract::{JsonBody, ObjectId},
    number::Number,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, ok},
    members::{Body, Declared, Member, Text},
    openapi::Document,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

pub(super) const REFUND_CONVERSION: Command = Command {
    id: "conversions.refund",
    verb: Verb::Post,
    path: "/api/conversions/{conversionId}/refunds",
    subject: Subject::Object(CONVERSION),
    permission: Permission("conversions:update"),
    handler: ("refund_conversion", |by| on(by, refund_conversion)),
    summary: "Gives back a part of the amount, at the sale's own rate, on the day of the sale.",
    about: "A repeated `refundId` changes nothing and gets the first answer. When nothing is left, the status is `refunded`.",
    body: body::<Refund>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The refund, and the conversion after it.",
        Document::type_of::<WireRefund>,
    ),
    refusals: || {
        vec![
            refusals::not_found(),
            refusals::refund_too_large(),
            refusals::nothing_to_refund(),
        ]
    },
    ..WORKSPACE
};

/// Longest reason.
const MOST_REASON_CHARS: usize = 500;

const REFUND_ID: Member<Word> = Member::new("refundId", Word)
    .required()
    .about("Your id of the refund. It counts once.")
    .example(|| json!("R-1"));
const AMOUNT: Member<Decimal> = Member::new("amount", Decimal)
    .about("In the currency of the conversion; all that is left by default.")
    .example(|| json!(15));
const REASON: Member<Text> = Member::new("reason", Text(MOST_REASON_CHARS));

/// A refund, as a request gives it.
#[derive(Clone, Debug)]
pub(super) struct Refund(Refunding);

impl Body for Refund {
    const MEMBERS: &'static [&'static dyn Declared] = &[&REFUND_ID, &AMOUNT, &REASON];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self(Refunding {
            refund_id: REFUND_ID.read(fields).unwrap_or_default(),
            amount: AMOUNT.read(fields),
            reason: REASON.read(fields).map(str::to_owned),
        })
    }
}

/// A refund.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Refund", description = "A refund.")]
pub(super) struct WireRefund {
    refund_id: String,
    #[schemars(with = "Option<f64>")]
    amount: Option<Number>,
    reason: Option<String>,
    /// Whether an earlier call had made it.
    duplicate: bool,
    conversion: WireConversion,
}

impl From<Refunded> for WireRefund {
    fn from(from: Refunded) -> Self {
        let currency = from.conversion.currency();
        Self {
            refund_id: from.refund.refund_id,
            amount: currency.map(|currency| decimal(from.refund.amount_minor, currency)),
            reason: from.refund.reason,
            duplicate: from.is_duplicate,
            conversion: from.conversion.into(),
        }
    }
}

/// Makes a refund, and answers with it.
pub(crate) async fn refund_conversion(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(Refund(refunding)): JsonBody<Refund>,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::not_found)?;
    let member = access.tenant()?;
    let by = (tenant(member), &*member.actor());
    let refunded = change::refund(&app, by, id, &refunding).await?;
    Ok(ok(WireRefund::from(refunded)))
}

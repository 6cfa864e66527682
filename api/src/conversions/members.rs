//! The members of bodies that report conversions, each declared once.

use super::call::{Given, MOST_CHARS, MOST_METADATA_BYTES, as_text};
use runtime::{
    http::Fields,
    members::{Member, OneOf, Rule, Text},
    openapi::{Schema, any_object, number, one_of, text},
};
use schemas::events::ConversionClass;
use serde_json::{Map, Value, json};

/// A text, which may be written as a number: shops number their orders and customers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word;

impl Rule for Word {
    type Value<'a> = String;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<String> {
        match fields.get(name)? {
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
            // Large numbers have lost digits by now, and two orders would become one.
            Value::Number(_) => {
                fields.problem(format!(
                    "{name} must be a whole number below 2^64, or a text"
                ));
                None
            }
            _ => fields.string(name, MOST_CHARS).map(str::to_owned),
        }
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        one_of([text(MOST_CHARS), number(f64::NEG_INFINITY..=f64::INFINITY)])
    }
}

/// An amount, as a number or as decimal text. Its digits are checked with its currency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal;

impl Rule for Decimal {
    type Value<'a> = String;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<String> {
        let given = as_text(fields.get(name)?);
        if given.is_none() {
            fields.problem(format!("{name} must be a number, such as 49.90"));
        }
        given
    }

    fn schema(&self) -> Schema {
        one_of([text(MOST_CHARS), number(0.0..=f64::INFINITY)])
    }
}

/// An object of the caller's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metadata;

impl Rule for Metadata {
    type Value<'a> = Map<String, Value>;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Map<String, Value>> {
        let object = fields.object(name)?;
        let length = serde_json::to_string(object).map_or(usize::MAX, |text| text.len());
        if length > MOST_METADATA_BYTES {
            let most = MOST_METADATA_BYTES;
            fields.problem(format!("{name} must have at most {most} bytes as JSON"));
            return None;
        }
        Some(object.clone())
    }

    fn schema(&self) -> Schema {
        any_object()
    }
}

/// A time, as RFC 3339 or in seconds since 1970.
pub(crate) const TIMESTAMP: Member<Word> = Member::new("timestamp", Word)
    .about("When it happened: RFC 3339, or seconds since 1970. Now, by default.");

pub(crate) const CLICK_ID: Member<Text> = Member::new("clickId", Text(MOST_CHARS))
    .required()
    .about("The value of `lw_cid` in the address of the landing page.")
    .example(|| json!("0000002a-3c11-8067-a1e0-5bfb8b7d4e5f"));
pub(crate) const OPTIONAL_CLICK_ID: Member<Text> = Member::new("clickId", Text(MOST_CHARS))
    .about("The click. Without one, the customer's first click counts.");
pub(crate) const EVENT: Member<Text> = Member::new("event", Text(MOST_CHARS))
    .about("The name of the event; `conversion` by default. It decides the class.")
    .example(|| json!("purchase"));
pub(crate) const TYPE: Member<OneOf> =
    Member::new("type", OneOf(ConversionClass::NAMES)).about("The class, if not by the name.");
pub(crate) const VALUE: Member<Decimal> = Member::new("value", Decimal)
    .about("The amount, with at most the decimals of its currency.")
    .example(|| json!(49.9));
pub(crate) const CURRENCY: Member<Text> = Member::new("currency", Text(3))
    .about("Its currency, a code of ISO 4217; USD by default.")
    .example(|| json!("EUR"));
pub(crate) const ORDER_ID: Member<Word> = Member::new("orderId", Word)
    .about("The order. It counts once; a repeat gets the first answer again.")
    .example(|| json!("A-1"));
pub(crate) const CUSTOMER: Member<Word> =
    Member::new("customerExternalId", Word).about("Your id of the customer.");
pub(crate) const EMAIL: Member<Text> =
    Member::new("customerEmail", Text(MOST_CHARS)).about("For a new customer.");
pub(crate) const NAME: Member<Text> =
    Member::new("customerName", Text(MOST_CHARS)).about("For a new customer.");
pub(crate) const METADATA: Member<Metadata> = Member::new("metadata", Metadata)
    .about("Members of your own, at most 4096 bytes, without personal data: the log keeps them.");

/// Reads the members that every body has; the click id is read by its own member.
pub(crate) fn read(fields: &mut Fields<'_>) -> Given {
    let text = |text: Option<&str>| text.map(str::to_owned);
    Given {
        click: None,
        event: text(EVENT.read(fields)),
        class: text(TYPE.read(fields)),
        value: VALUE.read(fields),
        currency: text(CURRENCY.read(fields)),
        order_id: ORDER_ID.read(fields),
        customer: CUSTOMER.read(fields),
        email: text(EMAIL.read(fields)),
        name: text(NAME.read(fields)),
        timestamp: TIMESTAMP.read(fields),
        metadata: METADATA.read(fields).unwrap_or_default(),
    }
}

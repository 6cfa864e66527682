//! Reads what a caller says about a conversion, from a JSON body or from a query.
//!
//! Does not know whether the click is real. The one rule: a placeholder that a network did not
//! replace is refused, because as an order it would swallow all later sales, and as a customer it
//! would become everyone.

use super::{class::class, refusals};
use crate::store::customers::Person;
use jiff::{SignedDuration, Timestamp};
use runtime::http::{ApiError, validate::parse_uuid};
use schemas::{
    ClickId,
    events::{ConversionClass, ConversionSource},
    money::Currency,
};
use serde_json::{Map, Value};

/// The name of an event without one.
const DEFAULT_EVENT: &str = "conversion";
/// Most characters of a name, an order or an external id.
pub(crate) const MOST_CHARS: usize = 200;
/// Most bytes of the added members, as JSON.
pub(crate) const MOST_METADATA_BYTES: usize = 4_096;
/// How far a caller's clock may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// The texts of a call, by what they mean.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) click: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) currency: Option<String>,
    pub(crate) order_id: Option<String>,
    pub(crate) customer: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) timestamp: Option<String>,
    pub(crate) metadata: Map<String, Value>,
}

/// A call that may be true.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The click that it names.
    pub(crate) click: Option<ClickId>,
    pub(crate) event_name: String,
    pub(crate) class: ConversionClass,
    pub(crate) amount: Option<(i64, Currency)>,
    /// Trimmed, never empty.
    pub(crate) order_id: Option<String>,
    /// With an external id.
    pub(crate) customer: Option<Person>,
    pub(crate) occurred_at: Timestamp,
    pub(crate) source: ConversionSource,
    pub(crate) metadata: Value,
}

/// A text of JSON's: numbers as they are written. A number has at most 15 digits that count, see
/// [`schemas::money::MOST_MINOR`], so its shortest form is the one that was sent.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Given {
    /// Checks the texts.
    ///
    /// # Errors
    /// 400 for a click id that is none, for a placeholder, or with every broken rule.
    pub(crate) fn read(self, source: ConversionSource, now: Timestamp) -> Result<Call, ApiError> {
        let trimmed = |text: Option<String>| {
            let text = text.map(|text| text.trim().to_owned());
            text.filter(|text| !text.is_empty())
        };
        let click = trimmed(self.click);
        let order_id = trimmed(self.order_id);
        // Shops send words like `null` for a guest, whose sale counts without a customer.
        let external_id = trimmed(self.customer).filter(|text| !is_placeholder(text));
        if click.as_deref().is_some_and(is_placeholder) {
            return Err(refusals::placeholder());
        }
        let click = match click {
            None => None,
            Some(text) => Some(ClickId(
                parse_uuid(&text).ok_or_else(refusals::invalid_click)?,
            )),
        };
        let event_name = trimmed(self.event).unwrap_or_else(|| DEFAULT_EVENT.to_owned());

        let mut problems = Vec::new();
        if order_id.as_deref().is_some_and(is_placeholder) {
            problems.push("the order id is a placeholder that was not replaced".to_owned());
        }
        let (email, name) = (trimmed(self.email), trimmed(self.name));
        for (what, text) in [
            ("the event", Some(&event_name)),
            ("the order id", order_id.as_ref()),
            ("the customer's id", external_id.as_ref()),
            ("the email", email.as_ref()),
            ("the name", name.as_ref()),
        ] {
            let Some(text) = text else { continue };
            if text.chars().count() > MOST_CHARS {
                problems.push(format!("{what} must have at most {MOST_CHARS} characters"));
            }
            if text.contains('\0') {
                problems.push(format!("{what} must not contain the character U+0000"));
            }
        }
        let amount = read_amount(
            trimmed(self.value),
            trimmed(self.currency).as_deref(),
            &mut problems,
        );
        let explicit = trimmed(self.class).and_then(|word| {
            let class = ConversionClass::from_name(&word);
            if class.is_none() {
                let words = ConversionClass::NAMES.join(", ");
                problems.push(format!("the type must be one of {words}"));
            }
            class
        });
        let occurred_at = read_time(trimmed(self.timestamp), now, &mut problems);
        let metadata = Value::Object(self.metadata);
        if metadata.to_string().len() > MOST_METADATA_BYTES {
            let most = MOST_METADATA_BYTES;
            problems.push(format!("the metadata must have at most {most} bytes"));
        }
        if !problems.is_empty() {
            return Err(ApiError::validation(problems));
        }
        let minor = amount.map(|(minor, _)| minor);
        Ok(Call {
            click,
            class: explicit.unwrap_or_else(|| class(&event_name, minor)),
            event_name,
            amount,
            order_id,
            customer: external_id.map(|external_id| Person {
                external_id: Some(external_id),
                email,
                name,
            }),
            occurred_at,
            source,
            metadata: without_nul(metadata),
        })
    }
}

/// Texts that stand where a value should be: macros that were not replaced, and what scripts write
/// for a missing value.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let bracketed = [
        ("{", "}"),
        ("[", "]"),
        ("%7b", "%7d"),
        ("<", ">"),
        ("$", "}"),
        ("__", "__"),
    ];
    let stands_in = bracketed
        .into_iter()
        .any(|(start, end)| lower.starts_with(start) && lower.ends_with(end));
    stands_in
        || matches!(
            &*lower,
            "undefined" | "null" | "nan" | "none" | "lw_cid" | "click_id"
        )
}

fn read_amount(
    value: Option<String>,
    currency: Option<&str>,
    problems: &mut Vec<String>,
) -> Option<(i64, Currency)> {
    let code = currency.unwrap_or(Currency::USD.code());
    let Some(currency) = Currency::from_code(code) else {
        problems.push("the currency must be a code of ISO 4217, such as EUR".to_owned());
        return None;
    };
    match currency.read(&value?) {
        Ok(minor) => Some((minor, currency)),
        Err(error) => {
            problems.push(format!("the value {error}"));
            None
        }
    }
}

/// When it happened: now, unless the caller says so, as RFC 3339 or in seconds since 1970.
fn read_time(text: Option<String>, now: Timestamp, problems: &mut Vec<String>) -> Timestamp {
    let Some(text) = text else { return now };
    // The plus of an offset arrives as a space if it was not encoded in a query.
    let spaced = text.replacen(' ', "+", usize::from(text.contains('T')));
    let seconds = || Timestamp::from_second(text.parse().ok()?).ok();
    let at = spaced.parse::<Timestamp>().ok().or_else(seconds);
    let latest = now.checked_add(AHEAD).unwrap_or(now);
    match at {
        Some(at) if at <= latest && at.as_second() >= 0 => to_micros(at),
        Some(_) => {
            problems.push("the timestamp must not be in the future".to_owned());
            now
        }
        None => {
            problems
                .push("the timestamp must be RFC 3339, such as 2026-02-20T10:30:00Z".to_owned());
            now
        }
    }
}

/// The precision that the tables have.
fn to_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// PostgreSQL cannot store U+0000.
fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(members) => {
            let cleaned = members.into_iter();
            let cleaned =
                cleaned.map(|(key, value)| (key.replace('\0', "\u{fffd}"), without_nul(value)));
            Value::Object(cleaned.collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;

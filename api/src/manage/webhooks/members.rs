//! The members of a webhook's body, each declared once.

use crate::webhooks::{CONVERSION, CONVERSIONS, MAX_URL_CHARS, TYPES};
use runtime::{
    http::Fields,
    members::{Flag, Id, Member, Rule, Text},
    openapi::{Schema, list, word_of},
};
use serde_json::{Value, json};

/// Longest description.
const MAX_DESCRIPTION_CHARS: usize = 200;
/// The words of `events`.
const WORDS: [&str; TYPES.len() + 1] = {
    let [click, qr_scan, lead, sale, custom] = TYPES;
    [click, qr_scan, lead, sale, custom, CONVERSION]
};

pub(super) const URL: Member<Text> = Member::new("url", Text(MAX_URL_CHARS))
    .about(
        "An https address on a public host. Its addresses are checked again at every attempt to send.",
    )
    .example(|| json!("https://hooks.example/footfall"));
pub(super) const NEW_URL: Member<Text> = URL.required();

pub(super) const EVENTS: Member<Events> = Member::new("events", Events)
    .about("The types of events. `conversion` means `lead`, `sale` and `custom`.")
    .example(|| json!(["click", "conversion"]));
pub(super) const NEW_EVENTS: Member<Events> = EVENTS.required();

pub(super) const LINK: Member<Id> =
    Member::new("linkId", Id).about("Only events of this link; by default of all.");

pub(super) const CAMPAIGN: Member<Id> = Member::new("campaignId", Id)
    .about("Only events whose click had this campaign; by default all.");

pub(super) const ENABLED: Member<Flag> = Member::new("enabled", Flag(None))
    .about("Whether it is switched on; true by default. What happens while it is off is not sent.")
    .example(|| json!(true));

pub(super) const DESCRIPTION: Member<Text> =
    Member::new("description", Text(MAX_DESCRIPTION_CHARS)).about("A note for its owner.");

/// Types of events in their order, without repetitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Events;

impl Rule for Events {
    type Value<'a> = Vec<String>;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Vec<String>> {
        let given = fields.get(name)?.as_array();
        let words = given.map(|given| given.iter().map(Value::as_str));
        let words: Option<Vec<&str>> = words.and_then(Iterator::collect);
        let words = words.filter(|words| {
            (1..=WORDS.len()).contains(&words.len())
                && words.iter().all(|word| WORDS.contains(word))
        });
        let Some(words) = words else {
            fields.problem(format!(
                "{name} must be a list of one or more of {}",
                WORDS.join(", ")
            ));
            return None;
        };
        let wanted = |kind: &&str| {
            words.contains(kind) || (words.contains(&CONVERSION) && CONVERSIONS.contains(kind))
        };
        Some(
            TYPES
                .into_iter()
                .filter(wanted)
                .map(str::to_owned)
                .collect(),
        )
    }

    fn schema(&self) -> Schema {
        list(word_of(&WORDS))
            .with("minItems", 1)
            .with("maxItems", WORDS.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(events: &Value) -> Result<Vec<String>, Vec<String>> {
        let body = json!({ "events": events });
        let body = body.as_object().unwrap();
        let mut fields = Fields::new(body);
        let read = EVENTS.read(&mut fields).unwrap_or_default();
        fields
            .finish()
            .map(|()| read)
            .map_err(|error| error.details)
    }

    #[test]
    fn the_short_form_means_all_conversions_and_repetitions_count_once() {
        for (given, stored) in [
            (json!(["sale", "click", "sale"]), vec!["click", "sale"]),
            (json!(["conversion"]), vec!["lead", "sale", "custom"]),
            (
                json!(["conversion", "lead", "qr_scan"]),
                vec!["qr_scan", "lead", "sale", "custom"],
            ),
        ] {
            assert_eq!(read(&given).unwrap(), stored);
        }
        for given in [
            json!([]),
            json!("click"),
            json!(["view"]),
            json!([1]),
            json!([
                "click", "click", "click", "click", "click", "click", "click"
            ]),
        ] {
            assert_eq!(read(&given).unwrap_err().len(), 1);
        }
    }
}

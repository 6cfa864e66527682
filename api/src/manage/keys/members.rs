//! The members of the bodies of API keys, each declared once.

use crate::manage::links::{Line, Moment};
use runtime::{
    http::Fields,
    members::{Member, Rule, Whole},
    openapi::{Schema, list, text},
};
use serde_json::{Value, json};

const MAX_NAME_CHARS: usize = 100;
/// More than there are scopes.
const MAX_SCOPES: usize = 100;
const MAX_SCOPE_CHARS: usize = 64;
/// Longest time for which a rotated key stays valid: a week.
const MAX_OVERLAP_SECONDS: i64 = 7 * 24 * 3600;

pub(super) const NAME: Member<Line> = Member::new("name", Line(MAX_NAME_CHARS))
    .required()
    .about("What the key is for.")
    .example(|| json!("Shop"));

pub(super) const SCOPES: Member<Scopes> = Member::new("scopes", Scopes)
    .required()
    .about(
        "What the key may do, as `<thing>:<action>`: `links:read`, `links:create`, `links:update`, `links:delete`, or `links:write` for \
         all three changes. Only what its maker may do.",
    )
    .example(|| json!(["links:read", "links:write"]));

pub(super) const EXPIRES_AT: Member<Moment> =
    Member::new("expiresAt", Moment).about("From then on the key is invalid.");

pub(super) const OVERLAP_SECONDS: Member<Whole> =
    Member::new("overlapSeconds", Whole(0..=MAX_OVERLAP_SECONDS))
        .about("How long the former key stays valid; by default it ends at once.")
        .example(|| json!(0));

/// A list of scopes, without duplicates. Whether the caller may give them is checked later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scopes;

impl Rule for Scopes {
    type Value<'a> = Vec<String>;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Vec<String>> {
        let Value::Array(given) = fields.get(name)? else {
            fields.problem(format!("{name} must be an array"));
            return None;
        };
        let mut scopes: Vec<String> = given
            .iter()
            .filter_map(|scope| scope.as_str().map(str::to_owned))
            .collect();
        if scopes.len() < given.len() {
            fields.problem(format!("{name} must contain only strings"));
        }
        if !(1..=MAX_SCOPES).contains(&given.len()) {
            fields.problem(format!("{name} must have from 1 to {MAX_SCOPES} entries"));
        }
        scopes.sort_unstable();
        scopes.dedup();
        Some(scopes)
    }

    fn schema(&self) -> Schema {
        list(text(MAX_SCOPE_CHARS))
            .with("minItems", 1)
            .with("maxItems", MAX_SCOPES)
    }
}

//! The members of the bodies of workspaces, each declared once.

use crate::{
    auth::PLANS,
    manage::{creators::Slug, links::Line},
};
use jiff::tz::TimeZone;
use runtime::{
    http::Fields,
    members::{Member, OneOf, Rule},
    openapi::{Schema, text},
};
use serde_json::json;

const MAX_NAME_CHARS: usize = 100;
const MAX_ZONE_CHARS: usize = 64;

pub(super) const NAME: Member<Line> = Member::new("name", Line(MAX_NAME_CHARS))
    .required()
    .example(|| json!("Shop"));

pub(super) const NEW_NAME: Member<Line> =
    Member::new("name", Line(MAX_NAME_CHARS)).example(|| json!("Shop"));

pub(super) const SLUG: Member<Slug> =
    Member::new("slug", Slug).about("Its name for people; by default a random one.");

// Without an example: most callers may not send it, and most operators offer none.
pub(super) const PLAN: Member<OneOf> = Member::new("plan", OneOf(&PLANS))
    .about("Owners only: one of the plans that the operator offers to them.");

pub(super) const TIMEZONE: Member<Zone> =
    Member::new("timezone", Zone).about("The time zone of its reports; by default UTC.");

pub(super) const DEFAULT_CURRENCY: Member<Currency> =
    Member::new("defaultCurrency", Currency).about("The currency of its reports; by default USD.");

/// The IANA name of a time zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone;

impl Rule for Zone {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let zone = fields.string(name, MAX_ZONE_CHARS)?;
        if TimeZone::get(zone).is_err() {
            fields.problem(format!(
                "{name} must be the IANA name of a time zone, such as Europe/Istanbul"
            ));
        }
        Some(zone)
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(MAX_ZONE_CHARS)
    }
}

/// The code of a currency (ISO 4217): three capital letters. Which currencies have rates is a
/// matter of the reports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Currency;

impl Rule for Currency {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let code = fields.string(name, 3)?;
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            fields.problem(format!(
                "{name} must be the code of a currency, such as EUR"
            ));
        }
        Some(code)
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(3).with("pattern", "^[A-Z]{3}$")
    }
}

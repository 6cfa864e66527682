//! The members of a link's body, each declared once.

use super::{embed, plain_line, schedule};
use crate::jsonb::JsonObject;
use jiff::Timestamp;
use runtime::{
    http::Fields,
    members::{Flag, Member, OneOf, Rule, Text, Whole},
    openapi::{Schema, instant, text},
};
use schemas::visible::is_blank;
use serde_json::json;

/// Longest title, before HTML is stripped.
const MAX_TITLE_CHARS: usize = 100;
/// Longest url: every browser and server accepts this length.
const MAX_URL_CHARS: usize = 2048;
/// Longest icon and platform name.
const MAX_NAME_CHARS: usize = 50;
/// Largest place in the order.
const MAX_SORT_ORDER: i64 = 1000;
/// Longest text that is parsed as a time.
const MAX_MOMENT_CHARS: usize = 64;

pub(super) const TITLE: Member<Line> = Member::new("title", Line(MAX_TITLE_CHARS))
    .about("Plain text: HTML is removed, and the rest must have visible characters.")
    .example(|| json!("My Portfolio"));

pub(super) const URL: Member<Address> = Member::new("url", Address)
    .about("A full http or https address, kept as given.")
    .example(|| json!("https://example.com"));

pub(super) const ICON: Member<Text> =
    Member::new("icon", Text(MAX_NAME_CHARS)).example(|| json!("globe"));

pub(super) const SORT_ORDER: Member<Whole> =
    Member::new("sortOrder", Whole(0..=MAX_SORT_ORDER)).about("Its place; defaults to the last.");

pub(super) const ACTIVE: Member<Flag> =
    Member::new("active", Flag(None)).about("Whether it is shown.");

pub(super) const IS_SOCIAL: Member<Flag> = Member::new("isSocial", Flag(Some(false)));

pub(super) const PLATFORM: Member<Text> = Member::new("platform", Text(MAX_NAME_CHARS));

pub(super) const EMBED_TYPE: Member<OneOf> =
    Member::new("embedType", OneOf(&embed::TYPES)).about("The kind of player.");

pub(super) const EMBED_META: Member<JsonObject> = Member::new("embedMeta", JsonObject);

pub(super) const SCHEDULED_START: Member<Moment> = Member::new("scheduledStart", Moment)
    .about("Shown from this time. Also accepts a date, or a time without an offset.");

pub(super) const SCHEDULED_END: Member<Moment> = Member::new("scheduledEnd", Moment)
    .about("Shown until this time, which must be after the start.");

/// A place in the page's order, as stored.
pub(super) fn place(given: i64) -> Option<i32> {
    i32::try_from(given).ok()
}

/// A line of plain text of at most this many characters, with something visible after HTML is
/// removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line(pub(crate) usize);

impl Rule for Line {
    type Value<'a> = String;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<String> {
        let line = plain_line(fields.string(name, self.0)?);
        if is_blank(&line) {
            fields.problem(format!(
                "{name} must have visible characters after HTML is removed"
            ));
        }
        Some(line)
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(self.0).with("minLength", 1)
    }
}

/// The text of an address. An invalid address has its own error, and is checked later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address;

impl Rule for Address {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        fields.string(name, MAX_URL_CHARS)
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(MAX_URL_CHARS).with("pattern", r"^\s*[hH][tT][tT][pP][sS]?://[^\s<>]+\s*$")
    }
}

/// The start or the end of a schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment;

impl Rule for Moment {
    type Value<'a> = Timestamp;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Timestamp> {
        let moment = schedule::read_moment(fields.string(name, MAX_MOMENT_CHARS)?);
        if moment.is_none() {
            fields.problem(format!(
                "{name} must be an ISO 8601 date and time, for example 2026-02-20T10:30:00Z"
            ));
        }
        moment
    }

    fn schema(&self) -> Schema {
        instant()
    }
}

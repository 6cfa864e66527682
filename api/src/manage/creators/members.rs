//! The members of the bodies of creators and pages, each declared once.

use super::{
    username::{self, is_spelled},
    wire::CONSENTS,
};
use crate::{
    jsonb::JsonObject,
    manage::links::{Line, plain_text},
};
use runtime::{
    http::Fields,
    members::{Flag, Id, Member, OneOf, Rule},
    openapi::{Schema, text},
};
use serde_json::json;

/// Longest display name.
const MAX_NAME_CHARS: usize = 100;
/// Longest text of a page.
const MAX_BIO_CHARS: usize = 5000;
/// Longest slug.
const MAX_SLUG_CHARS: usize = 40;
/// Longest style sheet.
const MAX_CSS_CHARS: usize = 10_000;

pub(super) const USERNAME: Member<Username> = Member::new("username", Username)
    .required()
    .about("As in `/@username`. It is kept in lower case; names that suggest the operator, a host or a route are reserved.")
    .example(|| json!("ada"));

pub(super) const DISPLAY_NAME: Member<Line> = Member::new("displayName", Line(MAX_NAME_CHARS))
    .about("Plain text: HTML is removed, and the rest must have visible characters. Defaults to the username.")
    .example(|| json!("Ada"));

pub(super) const SLUG: Member<Slug> = Member::new("slug", Slug)
    .required()
    .example(|| json!("second"));

pub(super) const BIO: Member<Plain> = Member::new("bio", Plain)
    .about("Plain text; HTML is removed.")
    .example(|| json!("Notes on engines"));

pub(super) const TEMPLATE_ID: Member<Id> = Member::new("templateId", Id);

pub(super) const THEME_OVERRIDE: Member<JsonObject> = Member::new("themeOverride", JsonObject);

pub(super) const CUSTOM_CSS: Member<StyleSheet> = Member::new("customCss", StyleSheet)
    .about("A style sheet; it must not contain `</style`.")
    .example(|| json!("a { color: teal }"));

pub(super) const EMBED_ENABLED: Member<Flag> = Member::new("embedEnabled", Flag(None));

pub(super) const PUBLISHED: Member<Flag> = Member::new("published", Flag(None));

pub(super) const EMAIL_COLLECTION_ENABLED: Member<Flag> =
    Member::new("emailCollectionEnabled", Flag(None));

pub(super) const CONSENT: Member<OneOf> = Member::new("consent", OneOf(&CONSENTS))
    .about("Whether visitors are asked for consent before anything is counted.");

/// A username as given. Its rules have their own error, and are checked later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Username;

impl Rule for Username {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        fields.string(name, usize::MAX)
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(username::MAX_CHARS)
            .with("minLength", username::MIN_CHARS)
            .with("pattern", username::PATTERN)
    }
}

/// The name of a page within its creator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slug;

impl Rule for Slug {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let slug = fields.string(name, MAX_SLUG_CHARS)?;
        if !is_spelled(slug, &['-']) {
            fields.problem(format!(
                "{name} must consist of a-z and 0-9, with single - between them"
            ));
        }
        Some(slug)
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(MAX_SLUG_CHARS).with("pattern", "^[a-z0-9]+(-[a-z0-9]+)*$")
    }
}

/// A text of a page, stored as plain text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain;

impl Rule for Plain {
    type Value<'a> = String;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<String> {
        fields.string(name, MAX_BIO_CHARS).map(plain_text)
    }

    fn schema(&self) -> Schema {
        text(MAX_BIO_CHARS)
    }
}

/// A page's style sheet.
#[derive(Clone, Copy, Debug)]
pub(super) struct StyleSheet;

impl Rule for StyleSheet {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let css = fields.string(name, MAX_CSS_CHARS)?;
        // It would close the sheet's `<style>` element, and the browser would read the rest as
        // markup.
        if css.to_ascii_lowercase().contains("</style") {
            fields.problem(format!("{name} must not contain </style"));
        }
        Some(css)
    }

    fn schema(&self) -> Schema {
        text(MAX_CSS_CHARS)
    }
}

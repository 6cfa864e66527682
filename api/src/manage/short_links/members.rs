//! The members of a link's body, each declared once.

use super::short_code;
use crate::manage::{plain, target};
use jiff::Timestamp;
use runtime::{
    http::Fields,
    members::{Flag, Id, Member, OneOf, Rule, Text, Whole},
    openapi::{Schema, instant, list, text},
};
use serde_json::json;

/// Longest title.
pub(crate) const MAX_TITLE_CHARS: usize = 200;
/// Longest description, and longest text of a preview.
pub(crate) const MAX_DESCRIPTION_CHARS: usize = 1_000;
/// Longest value of a campaign parameter.
pub(crate) const MAX_UTM_CHARS: usize = 200;
/// Longest password: a hash costs time in its length.
const MAX_PASSWORD_CHARS: usize = 128;
/// Most tags of a link.
pub(super) const MAX_TAGS: usize = 20;
/// Longest pause before a redirect.
const MAX_DELAY_MS: i64 = 5_000;

pub(super) const DESTINATION: Member<Text> = Member::new("destinationUrl", Text(target::MAX_BYTES))
    .about("Where it leads: a full http or https address, kept as given. It is never fetched.")
    .example(|| json!("https://shop.example/spring?ref=mail"));
pub(super) const NEW_DESTINATION: Member<Text> = DESTINATION.required();

pub(super) const SHORT_CODE: Member<Code> = Member::new("shortCode", Code)
    .about("The code of the short URL, compared without case. Generated when absent.");
pub(super) const KNOWN_CODE: Member<Code> = SHORT_CODE.required().example(|| json!("Spring-Sale"));

pub(super) const DOMAIN: Member<Id> = Member::new("domainId", Id)
    .about("A verified domain of the workspace; without one, the host of the service.");

pub(super) const TITLE: Member<Text> =
    Member::new("title", Text(MAX_TITLE_CHARS)).example(|| json!("Spring sale"));

pub(super) const DESCRIPTION: Member<Text> =
    Member::new("description", Text(MAX_DESCRIPTION_CHARS));

pub(super) const ENABLED: Member<Flag> =
    Member::new("enabled", Flag(None)).about("Whether it redirects; true by default.");

pub(super) const ARCHIVED: Member<Flag> = Member::new("archived", Flag(None))
    .about("Whether it is archived: kept, but closed to visitors. False by default.");

pub(super) const CAMPAIGN: Member<Id> = Member::new("campaignId", Id);

pub(super) const FOLDER: Member<Id> = Member::new("folderId", Id);

pub(super) const TAGS: Member<TagNames> = Member::new("tags", TagNames)
    .about(
        "Names of tags, compared without case. New ones are created. They replace the link's tags.",
    )
    .example(|| json!(["Spring", "Mail"]));

pub(super) const EXPIRES_AT: Member<Instant> =
    Member::new("expiresAt", Instant).about("From this time on it is closed.");

pub(super) const CLICKS_LIMIT: Member<Whole> = Member::new("clicksLimit", Whole(1..=1_000_000_000))
    .about("How many counted clicks it takes before it is closed.");

pub(super) const PASSWORD: Member<Text> = Member::new("password", Text(MAX_PASSWORD_CHARS)).about(
    "What visitors must enter. It is kept as a hash and never shown. The empty text clears it.",
);

pub(super) const MODE: Member<OneOf> = Member::new("redirectBehavior", OneOf(&MODES)).about(
    "`auto`: the first rule that matches, else the destination. `always`: the destination. `rule_only`: a rule, else 404. `never`: nowhere (204), recorded.",
);
pub(super) const MODES: [&str; 4] = ["auto", "always", "rule_only", "never"];

pub(super) const STATUS: Member<Status> =
    Member::new("redirectStatus", Status).about("The status of the redirect; 302 by default.");
pub(super) const STATUSES: [i64; 4] = [301, 302, 307, 308];

pub(super) const FORWARD_UTMS: Member<Flag> = Member::new("forwardUtms", Flag(None))
    .about("Whether `utm_*` parameters of the short URL go on to the destination.");

pub(super) const PRESERVE: Member<Flag> = Member::new("preserveQueryParams", Flag(None))
    .about("Whether all parameters of the short URL go on to the destination.");

pub(super) const DELAY: Member<Whole> = Member::new("redirectDelayMs", Whole(0..=MAX_DELAY_MS))
    .about("How long a page is shown before the redirect.");

pub(super) const UTM_SOURCE: Member<Text> = Member::new("utmSource", Text(MAX_UTM_CHARS));
pub(super) const UTM_MEDIUM: Member<Text> = Member::new("utmMedium", Text(MAX_UTM_CHARS));
pub(super) const UTM_CAMPAIGN: Member<Text> = Member::new("utmCampaign", Text(MAX_UTM_CHARS));
pub(super) const UTM_TERM: Member<Text> = Member::new("utmTerm", Text(MAX_UTM_CHARS));
pub(super) const UTM_CONTENT: Member<Text> = Member::new("utmContent", Text(MAX_UTM_CHARS));

pub(crate) const DEEP_LINK_ENABLED: Member<Flag> = Member::new("deepLinkEnabled", Flag(None))
    .about("Whether apps open the link; needs an address for at least one platform.");
pub(crate) const DEEP_LINK_IOS: Member<Text> =
    Member::new("deepLinkIos", Text(target::MAX_BYTES)).about("Its address in the app for iOS.");
pub(crate) const DEEP_LINK_ANDROID: Member<Text> =
    Member::new("deepLinkAndroid", Text(target::MAX_BYTES))
        .about("Its address in the app for Android.");
pub(crate) const DEEP_LINK_PACKAGE: Member<Package> =
    Member::new("deepLinkAndroidPackage", Package).about("The package name of that app.");
pub(crate) const DEEP_LINK_FALLBACK: Member<Text> =
    Member::new("deepLinkFallbackUrl", Text(target::MAX_BYTES))
        .about("Where a device without the app goes; the destination when absent.");

pub(super) const PREVIEW_TITLE: Member<Text> =
    Member::new("previewTitle", Text(MAX_TITLE_CHARS)).about("What previews show as the title.");
pub(super) const PREVIEW_DESCRIPTION: Member<Text> =
    Member::new("previewDescription", Text(MAX_DESCRIPTION_CHARS));
pub(super) const PREVIEW_IMAGE: Member<Text> =
    Member::new("previewImageUrl", Text(target::MAX_BYTES));

pub(super) const PREVIEW_ENABLED: Member<Flag> = Member::new("previewEnabled", Flag(None))
    .about("Whether previews show these instead of the destination's own; true by default.");

pub(super) const CONVERSION_TRACKING: Member<Flag> = Member::new("conversionTracking", Flag(None))
    .about("Whether the destination learns the click id, as `lw_cid`.");
pub(super) const TRACKING_TYPE: Member<OneOf> =
    Member::new("trackingType", OneOf(&["pixel", "s2s"]));
pub(super) const PUBLIC_STATS: Member<Flag> = Member::new("publicStats", Flag(None));

/// A code of a short URL that is valid and not reserved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code;

impl Rule for Code {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let code = fields.string(name, short_code::MAX_CHARS)?;
        if !short_code::is_code(code) {
            fields.problem(format!(
                "{name} must have 1 to {} letters (a-z), digits, - and _",
                short_code::MAX_CHARS
            ));
            return None;
        }
        if short_code::is_reserved(code) {
            fields.problem(format!("{name} is reserved: choose another one"));
            return None;
        }
        Some(code)
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(short_code::MAX_CHARS).with("pattern", "^[A-Za-z0-9_-]+$")
    }
}

/// A status of redirects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status;

impl Rule for Status {
    type Value<'a> = i64;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<i64> {
        let given = fields.get(name)?.as_i64();
        let known = given.filter(|given| STATUSES.contains(given));
        if known.is_none() {
            fields.problem(format!("{name} must be one of 301, 302, 307, 308"));
        }
        known
    }

    fn schema(&self) -> Schema {
        runtime::openapi::whole(301..=308).with("enum", STATUSES.to_vec())
    }
}

/// An instant with an offset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant;

impl Rule for Instant {
    type Value<'a> = Timestamp;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Timestamp> {
        let text = fields.string(name, 64)?;
        let read = text.parse::<Timestamp>().ok();
        // PostgreSQL keeps microseconds, and years that people mean.
        let sane = read.filter(|at| (0..=253_402_300_799).contains(&at.as_second()));
        if sane.is_none() {
            fields.problem(format!(
                "{name} must be an RFC 3339 time, for example 2026-02-20T10:30:00Z"
            ));
        }
        sane.and_then(|at| Timestamp::from_microsecond(at.as_microsecond()).ok())
    }

    fn schema(&self) -> Schema {
        instant()
    }
}

/// Names of tags, without repetitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct TagNames;

impl Rule for TagNames {
    type Value<'a> = Vec<String>;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Vec<String>> {
        let given = fields.get(name)?.as_array();
        let texts: Option<Vec<&str>> =
            given.and_then(|given| given.iter().map(serde_json::Value::as_str).collect());
        let Some(texts) = texts.filter(|texts| texts.len() <= MAX_TAGS) else {
            fields.problem(format!("{name} must be a list of at most {MAX_TAGS} texts"));
            return None;
        };
        let mut names: Vec<String> = Vec::with_capacity(texts.len());
        for text in texts {
            match plain::name(text) {
                Ok(tag) => {
                    let folded = plain::folded(&tag);
                    if !names.iter().any(|other| plain::folded(other) == folded) {
                        names.push(tag);
                    }
                }
                Err(problem) => fields.problem(format!("{name}: each must {problem}")),
            }
        }
        Some(names)
    }

    fn schema(&self) -> Schema {
        list(text(plain::MAX_NAME_CHARS)).with("maxItems", MAX_TAGS)
    }
}

/// The name of an Android package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package;

impl Rule for Package {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let given = fields.string(name, 255)?;
        if !is_package(given) {
            fields.problem(format!(
                "{name} must be the name of an Android package, such as com.example.shop"
            ));
            return None;
        }
        Some(given)
    }

    fn schema(&self) -> Schema {
        text(255)
    }
}

/// Whether this is the name of an Android package.
pub(crate) fn is_package(text: &str) -> bool {
    let part = |part: &str| {
        let first = part.bytes().next();
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        first.is_some_and(|first| first.is_ascii_alphabetic()) && part.bytes().all(valid)
    };
    text.contains('.') && text.split('.').all(part)
}

//! A link in requests to the events API. The one rule: an absent member keeps its value.

use super::refuse;
use crate::{
    behavior::AppLink,
    manage::{
        short_links::{Code, Edit, MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS, MAX_UTM_CHARS},
        target,
    },
    patch::Change,
};
use axum::extract::{FromRequest, Request};
use runtime::{
    http::{ApiError, Fields, body, validate::parse_uuid},
    members::{self, Body, Declared, Flag, Member, Rule, Text},
    openapi::{Schema, list},
};
use serde_json::{Value, json};

/// Most links of a request.
pub(super) const MAX_RECORDS: usize = 30;
/// Most addresses in apps of a link: one for each platform, and as many again.
const MAX_DEEP_LINKS: usize = 6;
/// Longest id of an app: that of a UUID.
const MAX_APP_ID_CHARS: usize = 36;
/// Largest body: thirty links with long destinations.
const BODY_LIMIT_BYTES: usize = 512 * 1024;

const URL: Member<Text> = Member::new("url", Text(target::MAX_BYTES))
    .about("Where it leads: a full http or https address, kept as given. It is never fetched.")
    .example(|| json!("https://shop.example/spring?ref=mail"));
const NEW_URL: Member<Text> = URL.required();
const SHORT_CODE: Member<Code> = Member::new("shortCode", Code)
    .about("The code of the short URL, compared without case. Generated when absent.")
    .example(|| json!("spring-sale"));
const NAME: Member<Text> =
    Member::new("shortLinkName", Text(MAX_TITLE_CHARS)).example(|| json!("Spring sale"));
const IS_ACTIVE: Member<Flag> = Member::new("isActive", Flag(None))
    .about("Whether it redirects; true by default. False archives it: visitors get 410.");
const UTM_SOURCE: Member<Text> = Member::new("utmSource", Text(MAX_UTM_CHARS));
const UTM_MEDIUM: Member<Text> = Member::new("utmMedium", Text(MAX_UTM_CHARS));
const UTM_CAMPAIGN: Member<Text> = Member::new("utmCampaign", Text(MAX_UTM_CHARS));
const USE_METADATA: Member<Flag> = Member::new("enableCustomMetadata", Flag(None))
    .about("Whether previews show the custom metadata; true by default.");
const METADATA_TITLE: Member<Text> = Member::new("customMetadataTitle", Text(MAX_TITLE_CHARS));
const METADATA_DESCRIPTION: Member<Text> =
    Member::new("customMetadataDescription", Text(MAX_DESCRIPTION_CHARS));
const METADATA_IMAGE: Member<Text> = Member::new("customMetadataImageUrl", Text(target::MAX_BYTES));
const DEEP_LINKS: Member<DeepLinks> = Member::new("deepLinks", DeepLinks)
    .about("Its addresses in the workspace's apps. They replace the link's. The first of a platform applies.");

const APP_ID: Member<AppId> = Member::new("mobileAppId", AppId)
    .required()
    .about("The id of an app of the workspace.")
    .example(|| json!("0192e000-0000-7000-8000-00000000000a"));
const APP_URL: Member<Text> = Member::new("deeplinkUrl", Text(target::MAX_DEEP_LINK_BYTES))
    .about("The address in the app. Only a web app needs none: then its own address applies, or the fallback.")
    .example(|| json!("myapp://products/1"));
const FALLBACK_ENABLED: Member<Flag> = Member::new("fallbackEnabled", Flag(Some(false)))
    .about("Whether a device without the app goes to `fallbackUrl`.");
const FALLBACK_URL: Member<Text> = Member::new("fallbackUrl", Text(target::MAX_BYTES)).about(
    "Where a device without the app goes. Otherwise it goes to the app's store, else to `url`.",
);

const RECORDS: Member<Records> = Member::new("records", Records)
    .required()
    .example(|| json!([members::example(NewShortUrl::MEMBERS)]));

/// A link by its code, new or not.
#[derive(Clone, Debug)]
pub(super) struct NewShortUrl(pub(super) Edit);

/// A change of a link.
#[derive(Clone, Debug)]
pub(super) struct ShortUrlChange(pub(super) Edit);

/// Several links: each is an edit, or has problems.
#[derive(Clone, Debug)]
pub(super) struct Bulk(pub(super) Vec<Result<Edit, Vec<String>>>);

macro_rules! members {
    ($url:expr) => {
        &[
            $url,
            &SHORT_CODE,
            &NAME,
            &IS_ACTIVE,
            &UTM_SOURCE,
            &UTM_MEDIUM,
            &UTM_CAMPAIGN,
            &USE_METADATA,
            &METADATA_TITLE,
            &METADATA_DESCRIPTION,
            &METADATA_IMAGE,
            &DEEP_LINKS,
        ]
    };
}

impl Body for NewShortUrl {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&NEW_URL);

    fn read(fields: &mut Fields<'_>) -> Self {
        let url = NEW_URL.read(fields).map(str::to_owned);
        Self(edit(fields, url))
    }
}

impl Body for ShortUrlChange {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&URL);

    fn read(fields: &mut Fields<'_>) -> Self {
        let url = URL.read(fields).map(str::to_owned);
        Self(edit(fields, url))
    }
}

impl Body for Bulk {
    const MEMBERS: &'static [&'static dyn Declared] = &[&RECORDS];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self(RECORDS.read(fields).unwrap_or_default())
    }
}

fn edit(fields: &mut Fields<'_>, url: Option<String>) -> Edit {
    let mut text =
        |member: &Member<Text>| Change::read(fields, member).map(|text| text.trim().to_owned());
    let utm = [
        text(&UTM_SOURCE),
        text(&UTM_MEDIUM),
        text(&UTM_CAMPAIGN),
        Change::Absent,
        Change::Absent,
    ];
    let preview = [text(&METADATA_TITLE), text(&METADATA_DESCRIPTION)];
    let preview_image = text(&METADATA_IMAGE);
    let title = text(&NAME);
    let is_active = IS_ACTIVE.read(fields);
    Edit {
        destination: url,
        short_code: SHORT_CODE.read(fields).map(str::to_owned),
        title,
        archived: is_active.map(|is_active| !is_active),
        // An active link redirects, also when it was switched off elsewhere.
        enabled: is_active.filter(|is_active| *is_active),
        utm,
        preview,
        preview_image,
        preview_enabled: USE_METADATA.read(fields),
        app_links: Change::read(fields, &DEEP_LINKS),
        ..Edit::default()
    }
}

/// The id of an app.
#[derive(Clone, Copy, Debug)]
struct AppId;

impl Rule for AppId {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let id = fields.string(name, MAX_APP_ID_CHARS)?;
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.bytes().all(valid) {
            return Some(id);
        }
        fields.problem(format!(
            "{name} must have letters (a-z), digits, - and _ only"
        ));
        None
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        Text(MAX_APP_ID_CHARS)
            .schema()
            .with("pattern", "^[A-Za-z0-9_-]+$")
    }
}

/// An address in an app.
struct DeepLink(AppLink);

impl Body for DeepLink {
    const MEMBERS: &'static [&'static dyn Declared] =
        &[&APP_ID, &APP_URL, &FALLBACK_ENABLED, &FALLBACK_URL];

    fn read(fields: &mut Fields<'_>) -> Self {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let id = APP_ID.read(fields).unwrap_or_default();
        Self(AppLink {
            // In one spelling, so that two of one app are found.
            app_id: parse_uuid(id).map_or_else(|| id.to_owned(), |id| id.to_string()),
            platform: None,
            url: text(APP_URL.read(fields)).unwrap_or_default(),
            fallback_enabled: FALLBACK_ENABLED.read(fields).unwrap_or_default(),
            fallback_url: text(FALLBACK_URL.read(fields)).filter(|url| !url.is_empty()),
        })
    }
}

/// Addresses in apps, at most one in each.
#[derive(Clone, Copy, Debug)]
struct DeepLinks;

impl Rule for DeepLinks {
    type Value<'a> = Vec<AppLink>;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Vec<AppLink>> {
        let given = fields.get(name)?.as_array();
        let Some(given) = given.filter(|given| given.len() <= MAX_DEEP_LINKS) else {
            fields.problem(format!(
                "{name} must be a list of at most {MAX_DEEP_LINKS} objects"
            ));
            return None;
        };
        let mut links: Vec<AppLink> = Vec::with_capacity(given.len());
        for (index, one) in given.iter().enumerate() {
            match one.as_object().map(members::read::<DeepLink>) {
                Some(Ok(DeepLink(link))) => {
                    if links.iter().any(|other| other.app_id == link.app_id) {
                        fields.problem(format!("{name}[{index}].mobileAppId is given twice"));
                    }
                    links.push(link);
                }
                Some(Err(error)) => {
                    for problem in error.details {
                        fields.problem(format!("{name}[{index}].{problem}"));
                    }
                }
                None => fields.problem(format!("{name}[{index}] must be an object")),
            }
        }
        Some(links)
    }

    fn schema(&self) -> Schema {
        list(members::schema(DeepLink::MEMBERS)).with("maxItems", MAX_DEEP_LINKS)
    }
}

/// The links of a request for several.
#[derive(Clone, Copy, Debug)]
struct Records;

impl Rule for Records {
    type Value<'a> = Vec<Result<Edit, Vec<String>>>;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Self::Value<'static>> {
        let given = fields.get(name)?.as_array();
        let given = given.filter(|given| (1..=MAX_RECORDS).contains(&given.len()));
        let Some(given) = given else {
            fields.problem(format!("{name} must be a list of 1 to {MAX_RECORDS} links"));
            return None;
        };
        Some(given.iter().map(record).collect())
    }

    fn schema(&self) -> Schema {
        list(members::schema(NewShortUrl::MEMBERS))
            .with("minItems", 1)
            .with("maxItems", MAX_RECORDS)
    }
}

fn record(value: &Value) -> Result<Edit, Vec<String>> {
    let Some(object) = value.as_object() else {
        return Err(vec!["records must be objects".to_owned()]);
    };
    let new = members::read::<NewShortUrl>(object).map_err(|error| error.details)?;
    Ok(new.0)
}

/// A body; 400 with `SML002` and every broken rule of its members, with `VE001` for anything else.
#[derive(Debug)]
pub(super) struct Given<B>(pub(super) B);

impl<S: Sync, B: Body> FromRequest<S> for Given<B> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        body::check_type(request.headers())?;
        let bytes = body::read(request.into_body(), BODY_LIMIT_BYTES).await?;
        let read = members::read(&body::object(&bytes)?);
        read.map(Self).map_err(refuse::of_members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems<B: Body>(body: &Value) -> Vec<String> {
        let read = members::read::<B>(body.as_object().unwrap());
        read.err().map(|error| error.details).unwrap_or_default()
    }

    #[test]
    fn every_broken_rule_is_named() {
        let link = json!({ "mobileAppId": "a", "deeplinkUrl": "myapp://p" });
        let body = json!({
            "shortCode": "a b", "isActive": 1,
            "deepLinks": [{ "mobileAppId": "?" }, 1, link, link],
        });
        let found = problems::<NewShortUrl>(&body);
        for (number, part) in [
            "url is required",
            "isActive must be",
            "shortCode must have",
            "deepLinks[0].mobileAppId must have",
            "deepLinks[1] must be",
            "deepLinks[3].mobileAppId is given twice",
        ]
        .into_iter()
        .enumerate()
        {
            assert!(found[number].starts_with(part), "{part}: {found:?}");
        }
        assert_eq!(found.len(), 6);
        assert_eq!(problems::<ShortUrlChange>(&json!({})), Vec::<String>::new());
    }

    #[test]
    fn a_request_has_at_most_thirty_records() {
        let records = |count: usize| json!({ "records": vec![json!({}); count] });
        for (body, is_right) in [
            (json!({}), false),
            (json!({ "records": {} }), false),
            (records(0), false),
            (records(1), true),
            (records(30), true),
            (records(31), false),
        ] {
            assert_eq!(problems::<Bulk>(&body).is_empty(), is_right);
        }
    }

    #[test]
    fn an_active_link_is_neither_archived_nor_off() {
        let read = |body: Value| {
            let read = members::read::<ShortUrlChange>(body.as_object().unwrap());
            let edit = read.unwrap().0;
            (edit.archived, edit.enabled)
        };
        assert_eq!(read(json!({})), (None, None));
        assert_eq!(read(json!({ "isActive": true })), (Some(false), Some(true)));
        assert_eq!(read(json!({ "isActive": false })), (Some(true), None));
    }
}

//! A new link as a request gives it: read and checked before the database is used.

use super::{
    destination, embed,
    members::{
        ACTIVE, Address, EMBED_META, EMBED_TYPE, ICON, IS_SOCIAL, Line, PLATFORM, SCHEDULED_END,
        SCHEDULED_START, SORT_ORDER, TITLE, URL, place,
    },
    schedule,
};
use crate::{members::PAGE, refusals};
use jiff::Timestamp;
use runtime::{
    http::{ApiError, Fields},
    members::{Body, Declared, Member},
};
use serde_json::Value;
use uuid::Uuid;

const NEW_TITLE: Member<Line> = TITLE.required();
const NEW_URL: Member<Address> = URL.required();

/// The members of a new link, each within its own rules.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) page_id: Option<Uuid>,
    /// Plain text, never empty.
    pub(super) title: String,
    pub(super) url: String,
    pub(super) icon: Option<String>,
    pub(super) sort_order: Option<i32>,
    pub(super) active: bool,
    pub(super) is_social: bool,
    pub(super) platform: Option<String>,
    embed_type: Option<String>,
    embed_meta: Option<Value>,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
}

/// What depends on a draft's url, once the url is valid.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) embed_type: Option<String>,
    pub(super) embed_meta: Option<Value>,
}

impl Body for Draft {
    const MEMBERS: &'static [&'static dyn Declared] = &[
        &NEW_TITLE,
        &NEW_URL,
        &IS_SOCIAL,
        &PLATFORM,
        &ICON,
        &SORT_ORDER,
        &ACTIVE,
        &EMBED_TYPE,
        &EMBED_META,
        &SCHEDULED_START,
        &SCHEDULED_END,
        &PAGE,
    ];

    fn read(fields: &mut Fields<'_>) -> Self {
        let text = |given: Option<&str>| given.map(str::to_owned);
        Self {
            title: NEW_TITLE.read(fields).unwrap_or_default(),
            page_id: PAGE.read(fields),
            url: text(NEW_URL.read(fields)).unwrap_or_default(),
            icon: text(ICON.read(fields)),
            sort_order: SORT_ORDER.read(fields).and_then(place),
            active: ACTIVE.read(fields).unwrap_or(true),
            is_social: IS_SOCIAL.read(fields).unwrap_or(false),
            platform: text(PLATFORM.read(fields)),
            embed_type: text(EMBED_TYPE.read(fields)),
            embed_meta: EMBED_META.read(fields),
            start: SCHEDULED_START.read(fields),
            end: SCHEDULED_END.read(fields),
        }
    }
}

impl Draft {
    /// Checks the rules with an error of their own: url, then schedule.
    pub(super) fn check(&self) -> Result<Target, ApiError> {
        let (given, url) = destination::read(&self.url).ok_or_else(refusals::invalid_url)?;
        if !schedule::is_in_order(self.start, self.end) {
            return Err(refusals::invalid_schedule());
        }
        // The client's own kind replaces detection, even without data for the player.
        let detected = match &self.embed_type {
            Some(_) => None,
            None => embed::detect(&url),
        };
        let (detected_type, detected_meta) = detected.unzip();
        let embed_type = self.embed_type.clone();
        let embed_meta = self.embed_meta.clone();
        Ok(Target {
            url: given.to_owned(),
            embed_type: embed_type.or_else(|| detected_type.map(str::to_owned)),
            embed_meta: embed_meta.or_else(|| detected_meta.flatten()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::members;
    use serde_json::json;

    fn read(body: Value) -> Result<Draft, ApiError> {
        let Value::Object(body) = body else {
            unreachable!("bodies are objects")
        };
        members::read(&body)
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let draft = read(json!({"title": "Site", "url": " https://example.com "})).unwrap();
        assert!(draft.active && !draft.is_social && draft.sort_order.is_none());
        let target = draft.check().unwrap();
        assert_eq!(target.url, "https://example.com");
        assert_eq!((target.embed_type, target.embed_meta), (None, None));
    }

    #[test]
    fn every_broken_rule_is_named() {
        let error = read(json!({
            "title": "<p></p>", "url": 7, "icon": "x".repeat(51), "sortOrder": 1001, "active": "yes",
            "embedType": "VHS", "embedMeta": [], "scheduledStart": "soon", "bioPageId": "x"
        }))
        .unwrap_err();
        assert_eq!(error.status.as_u16(), 400);
        for name in [
            "title",
            "url",
            "icon",
            "sortOrder",
            "active",
            "embedType",
            "embedMeta",
            "scheduledStart",
            "bioPageId",
        ] {
            let named = |line: &String| line.starts_with(name);
            assert!(
                error.details.iter().any(named),
                "{name}: {:?}",
                error.details
            );
        }
    }

    #[test]
    fn a_title_has_at_most_100_characters_counted_as_people_type_them() {
        let at = |title: String| read(json!({"title": title, "url": "https://example.com"}));
        assert!(at("é".repeat(100)).is_ok());
        assert!(at("🎉".repeat(100)).is_ok());
        assert!(at("x".repeat(101)).is_err());
    }

    #[test]
    fn embeds_are_detected_only_when_none_is_named() {
        let url = "https://youtu.be/dQw4w9WgXcQ";
        let target = |body| read(body).unwrap().check().unwrap();
        let detected = target(json!({"title": "t", "url": url}));
        assert_eq!(detected.embed_type.as_deref(), Some("YOUTUBE"));
        assert_eq!(detected.embed_meta, Some(json!({"videoId": "dQw4w9WgXcQ"})));
        let named = target(json!({"title": "t", "url": url, "embedType": "CUSTOM"}));
        assert_eq!(named.embed_type.as_deref(), Some("CUSTOM"));
        assert_eq!(named.embed_meta, None);
    }

    #[test]
    fn url_and_schedule_have_their_own_error_keys() {
        let key = |body| read(body).unwrap().check().unwrap_err().code;
        assert_eq!(
            key(json!({"title": "t", "url": "javascript:alert(1)"})),
            "creator.links.invalid_url"
        );
        let schedule = json!({"title": "t", "url": "https://example.com",
            "scheduledStart": "2026-03-01T00:00:00Z", "scheduledEnd": "2026-03-01T00:00:00Z"});
        assert_eq!(key(schedule), "creator.links.invalid_schedule");
    }
}

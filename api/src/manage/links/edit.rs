//! The changes of a link in a request: read first, then applied to the stored link.

use super::{
    destination, embed,
    members::{
        ACTIVE, EMBED_META, EMBED_TYPE, ICON, SCHEDULED_END, SCHEDULED_START, SORT_ORDER, TITLE,
        URL, place,
    },
    schedule,
};
use crate::{
    patch::{Change, apply},
    refusals,
    store::links::BioLink,
};
use jiff_sqlx::{Timestamp, ToSqlx};
use runtime::{
    http::{ApiError, Fields},
    members::{Body, Declared},
};
use serde_json::Value;
use url::Url;

/// The members of a link in a PATCH, each within its own rules.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    /// Plain text, never empty.
    pub(super) title: Option<String>,
    pub(super) url: Option<String>,
    icon: Change<String>,
    sort_order: Option<i32>,
    active: Option<bool>,
    embed_type: Change<String>,
    embed_meta: Change<Value>,
    start: Change<Timestamp>,
    end: Change<Timestamp>,
}

impl Body for Edit {
    const MEMBERS: &'static [&'static dyn Declared] = &[
        &TITLE,
        &URL,
        &ICON,
        &SORT_ORDER,
        &ACTIVE,
        &EMBED_TYPE,
        &EMBED_META,
        &SCHEDULED_START,
        &SCHEDULED_END,
    ];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            title: TITLE.read(fields),
            url: URL.read(fields).map(str::to_owned),
            icon: Change::read(fields, &ICON).map(str::to_owned),
            sort_order: SORT_ORDER.read(fields).and_then(place),
            active: ACTIVE.read(fields),
            embed_type: Change::read(fields, &EMBED_TYPE).map(str::to_owned),
            embed_meta: Change::read(fields, &EMBED_META),
            start: Change::read(fields, &SCHEDULED_START).map(ToSqlx::to_sqlx),
            end: Change::read(fields, &SCHEDULED_END).map(ToSqlx::to_sqlx),
        }
    }
}

impl Edit {
    /// The changed link. The rules with an error of their own are checked here, because they need
    /// the stored link: url, then schedule.
    pub(super) fn apply(self, stored: &BioLink) -> Result<BioLink, ApiError> {
        let mut link = stored.clone();
        if let Some(given) = &self.url {
            let (given, url) = destination::read(given).ok_or_else(refusals::invalid_url)?;
            // The same url keeps its embed, because some editors send every member.
            if given != stored.url {
                given.clone_into(&mut link.url);
                self.renew_embed(&mut link, &url);
            }
        }
        apply(self.title, &mut link.title);
        apply(self.sort_order, &mut link.sort_order);
        apply(self.active, &mut link.active);
        self.icon.apply(&mut link.icon);
        self.embed_type.apply(&mut link.embed_type);
        self.embed_meta.apply(&mut link.embed_meta);
        self.start.apply(&mut link.scheduled_start);
        self.end.apply(&mut link.scheduled_end);
        let moment = |at: Option<Timestamp>| at.map(Timestamp::to_jiff);
        if schedule::is_in_order(moment(link.scheduled_start), moment(link.scheduled_end)) {
            Ok(link)
        } else {
            Err(refusals::invalid_schedule())
        }
    }

    /// A new url replaces the embed. It is detected again, unless the request mentions the embed.
    /// The stored data of the old url's player is removed in any case.
    fn renew_embed(&self, link: &mut BioLink, url: &Url) {
        link.embed_meta = None;
        if self.embed_type.is_absent() && self.embed_meta.is_absent() {
            let (kind, meta) = embed::detect(url).unzip();
            link.embed_type = kind.map(str::to_owned);
            link.embed_meta = meta.flatten();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::WireLink, *};
    use proptest::prelude::*;
    use runtime::members;
    use serde_json::{Map, json};
    use uuid::Uuid;

    const VIDEO: &str = "https://youtu.be/dQw4w9WgXcQ";

    fn stored() -> BioLink {
        let at = |text: &str| Some(text.parse::<jiff::Timestamp>().unwrap().to_sqlx());
        BioLink {
            id: Uuid::from_u128(7),
            title: "Old".to_owned(),
            url: VIDEO.to_owned(),
            icon: Some("globe".to_owned()),
            sort_order: 3,
            active: true,
            is_social: true,
            platform: Some("youtube".to_owned()),
            embed_type: Some("YOUTUBE".to_owned()),
            embed_meta: Some(json!({ "videoId": "dQw4w9WgXcQ" })),
            scheduled_start: at("2027-03-01T00:00:00Z"),
            scheduled_end: at("2027-03-10T00:00:00Z"),
        }
    }

    fn edit(stored: &BioLink, body: &Value) -> Result<Value, ApiError> {
        let edited = members::read::<Edit>(body.as_object().unwrap())?.apply(stored)?;
        Ok(wire(edited))
    }

    fn wire(link: BioLink) -> Value {
        serde_json::to_value(WireLink::from(link)).unwrap()
    }

    /// A member, and a value that is stored as given.
    fn member() -> impl Strategy<Value = (&'static str, Value)> {
        let text = "[a-z]{1,20}";
        prop_oneof![
            text.prop_map(|title| ("title", json!(title))),
            (0..=1000).prop_map(|order| ("sortOrder", json!(order))),
            any::<bool>().prop_map(|active| ("active", json!(active))),
            proptest::option::of(text).prop_map(|icon| ("icon", json!(icon))),
            proptest::option::of(0..embed::TYPES.len()).prop_map(|kind| (
                "embedType",
                json!(kind.and_then(|kind| embed::TYPES.get(kind)))
            )),
            proptest::option::of(text).prop_map(|text| {
                let meta = text.map(|text| json!({ "contentId": text }));
                ("embedMeta", json!(meta))
            }),
            proptest::option::of(2..9).prop_map(|day| {
                (
                    "scheduledStart",
                    json!(day.map(|day| format!("2027-03-0{day}T00:00:00.000Z"))),
                )
            }),
            proptest::option::of(11..30).prop_map(|day| {
                (
                    "scheduledEnd",
                    json!(day.map(|day| format!("2027-03-{day}T00:00:00.000Z"))),
                )
            }),
        ]
    }

    proptest! {
        // Oracle: the members of the body, written over those of the link.
        #[test]
        fn only_the_members_in_the_body_change(
            members in proptest::collection::vec(member(), 0..6),
        ) {
            let body: Map<String, Value> =
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let mut expected = wire(stored());
            for (name, value) in &body {
                expected[name] = value.clone();
            }
            prop_assert_eq!(edit(&stored(), &Value::Object(body)).unwrap(), expected);
        }
    }

    #[test]
    fn null_and_unchangeable_members_leave_the_link_as_it_is() {
        let body = json!({
            "title": null, "url": null, "sortOrder": null, "active": null, "id": 1, "isSocial": false,
            "platform": null, "unknown": [],
        });
        assert_eq!(edit(&stored(), &body).unwrap(), wire(stored()));
    }

    #[test]
    fn a_new_url_replaces_the_embed() {
        let track = "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC";
        let content = json!({ "contentType": "track", "contentId": "4uLU6hMCjMI75M1A2tKUQC" });
        let own = json!({ "own": 1 });
        let old = json!({ "videoId": "dQw4w9WgXcQ" });
        for (body, kind, meta) in [
            (json!({ "url": track }), json!("SPOTIFY"), content),
            (
                json!({ "url": "https://example.com" }),
                Value::Null,
                Value::Null,
            ),
            // The same url, from an editor that sends all members.
            (
                json!({ "url": format!(" {VIDEO} ") }),
                json!("YOUTUBE"),
                old.clone(),
            ),
            (
                json!({ "url": VIDEO, "embedType": "CUSTOM" }),
                json!("CUSTOM"),
                old,
            ),
            (
                json!({ "url": track, "embedType": "CUSTOM" }),
                json!("CUSTOM"),
                Value::Null,
            ),
            (
                json!({ "url": track, "embedType": null }),
                Value::Null,
                Value::Null,
            ),
            (
                json!({ "url": track, "embedMeta": own }),
                json!("YOUTUBE"),
                own.clone(),
            ),
            (
                json!({ "url": track, "embedMeta": null }),
                json!("YOUTUBE"),
                Value::Null,
            ),
            (
                json!({ "url": track, "embedType": "CUSTOM", "embedMeta": own }),
                json!("CUSTOM"),
                own.clone(),
            ),
        ] {
            let link = edit(&stored(), &body).unwrap();
            assert_eq!(
                (&link["embedType"], &link["embedMeta"]),
                (&kind, &meta),
                "{body}"
            );
        }
    }

    #[test]
    fn one_end_of_a_schedule_is_checked_against_the_stored_other() {
        let (start, end) = ("scheduledStart", "scheduledEnd");
        for (body, taken) in [
            (json!({ start: "2027-03-09T23:59:59Z" }), true),
            (json!({ start: "2027-03-10T00:00:00Z" }), false),
            (json!({ end: "2027-03-01T00:00:01Z" }), true),
            (json!({ end: "2027-03-01T00:00:00Z" }), false),
            (json!({ start: "2027-04-01", end: "2027-04-02" }), true),
            (json!({ start: "2027-04-02", end: "2027-04-01" }), false),
            (json!({ start: "2027-04-01", end: null }), true),
            (json!({ start: null, end: "2020-01-01" }), true),
        ] {
            let key = edit(&stored(), &body).map_err(|error| error.code);
            assert_eq!(key.is_ok(), taken, "{body}");
            assert!(
                matches!(key, Ok(_) | Err("creator.links.invalid_schedule")),
                "{body}"
            );
        }
    }

    #[test]
    fn every_broken_rule_is_named() {
        let body = json!({
            "title": "<p></p>", "url": 7, "icon": "x".repeat(51), "sortOrder": -1, "active": "yes",
            "embedType": "VHS", "embedMeta": [], "scheduledStart": "soon", "scheduledEnd": 5,
        });
        let details = edit(&stored(), &body).unwrap_err().details;
        for name in body.as_object().unwrap().keys() {
            assert!(
                details.iter().any(|line| line.starts_with(name)),
                "{name}: {details:?}"
            );
        }
        assert_eq!(details.len(), 9);
        for url in ["", "javascript:alert(1)", "example.com"] {
            let error = edit(&stored(), &json!({ "url": url })).unwrap_err();
            assert_eq!(error.code, "creator.links.invalid_url", "{url}");
        }
    }
}

//! `PATCH /api/v1/creators/{creatorId}/bio`

use super::wire::{CONSENTS, MAX_BIO_CHARS, MAX_CSS_CHARS, WireBioPage};
use crate::{
    app::App,
    extract::{JsonObject, PathId, Query},
    guard::Caller,
    jsonb,
    links::plain_text,
    patch::{Member, apply, differences},
    refusals,
    store::{self, pages::Page, record},
};
use axum::{extract::State, response::Response};
use runtime::http::{ApiError, Fields, success};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// The settings that a PATCH of a page mentions, each within its own bounds.
#[derive(Clone, Debug)]
struct Edit {
    page_id: Option<Uuid>,
    /// Plain text.
    bio: Option<String>,
    template_id: Member<Uuid>,
    theme_override: Member<Value>,
    custom_css: Member<String>,
    embed_enabled: Option<bool>,
    published: Option<bool>,
    email_collection_enabled: Option<bool>,
    consent: Option<String>,
}

impl Edit {
    fn read(body: &Map<String, Value>) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let edit = Self {
            page_id: fields.uuid("bioPageId"),
            bio: fields.string("bio", MAX_BIO_CHARS).map(plain_text),
            template_id: Member::read(&mut fields, "templateId", Fields::uuid),
            theme_override: Member::read(&mut fields, "themeOverride", |fields, name| {
                jsonb::read_object(fields, name)
            }),
            custom_css: Member::read(&mut fields, "customCss", |fields, name| {
                read_css(fields, name)
            }),
            embed_enabled: fields.boolean("embedEnabled"),
            published: fields.boolean("published"),
            email_collection_enabled: fields.boolean("emailCollectionEnabled"),
            consent: read_consent(&mut fields),
        };
        fields.finish()?;
        Ok(edit)
    }

    fn apply(self, stored: &Page) -> Page {
        let mut page = stored.clone();
        apply(self.bio, &mut page.bio);
        self.template_id.apply(&mut page.template_id);
        self.theme_override.apply(&mut page.theme_override);
        self.custom_css.apply(&mut page.custom_css);
        apply(self.embed_enabled, &mut page.embed_enabled);
        apply(self.published, &mut page.published);
        let emails = self.email_collection_enabled;
        apply(emails, &mut page.email_collection_enabled);
        apply(self.consent, &mut page.consent);
        page
    }
}

fn read_css(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    let css = fields.string(name, MAX_CSS_CHARS)?;
    // It would end the element that the sheet stands in, and the rest would be markup.
    if css.to_ascii_lowercase().contains("</style") {
        fields.problem(format!("{name} must not contain </style"));
    }
    Some(css.to_owned())
}

fn read_consent(fields: &mut Fields<'_>) -> Option<String> {
    let given = fields.get("consent")?;
    let known = given.as_str().filter(|given| CONSENTS.contains(given));
    if known.is_none() {
        fields.problem(format!("consent must be one of {}", CONSENTS.join(", ")));
    }
    known.map(str::to_owned)
}

/// Changes the settings that the body mentions. What is there already writes nothing.
pub(crate) async fn update_page(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(creator_id): PathId,
    query: Query,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let edit = Edit::read(&body)?;
    let page_id = edit.page_id.or(query.uuid("bioPageId")?);
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let creator = store::creators::find_owned(&mut *tx, creator_id, &caller.sub)
        .await?
        .ok_or_else(refusals::not_owner)?;
    if edit.bio.as_deref().is_some_and(|bio| app.words.flag(bio)) {
        return Err(refusals::page_flagged());
    }
    let page_id = store::pages::lock(&mut tx, creator.id, page_id)
        .await?
        .ok_or_else(refusals::page_not_found)?;
    let stored = store::pages::find(&mut *tx, creator.id, Some(page_id))
        .await?
        .ok_or_else(refusals::page_not_found)?;
    let page = edit.apply(&stored);
    let wire = |page: Page| WireBioPage::new(page, Vec::new());
    let changes = differences(&wire(stored), &wire(page.clone()))?;
    if changes.is_empty() {
        return Ok(success());
    }
    store::pages::update(&mut tx, &page).await?;
    let audit = store::audit::Entry {
        workspace_id: creator.workspace_id,
        actor: &caller.sub,
        action: "bio_page.updated",
        subject: page_id,
        at: now,
        detail: json!({ "changes": changes }),
    };
    record::page_change(&mut tx, (page_id, &creator), audit).await?;
    tx.commit().await?;
    Ok(success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Result<Edit, Vec<String>> {
        Edit::read(body.as_object().unwrap()).map_err(|error| error.details)
    }

    #[test]
    fn settings_are_read_within_their_bounds() {
        let css = |text: &str| read(&json!({ "customCss": text }));
        assert!(css(&"é".repeat(10_000)).is_ok());
        assert!(css(&"x".repeat(10_001)).is_err());
        assert!(css("a::before { content: '<' } @media (width < 9px) {}").is_ok());
        assert!(css("</STYLE ><script>").is_err());
        let bio = |text: String| read(&json!({ "bio": text })).map(|edit| edit.bio.unwrap());
        assert_eq!(bio("🦀".repeat(5000)), Ok("🦀".repeat(5000)));
        assert!(bio("x".repeat(5001)).is_err());
        assert_eq!(
            bio("<b>Hi</b>\n&amp; bye".to_owned()),
            Ok("Hi\n& bye".to_owned())
        );
        assert_eq!(bio(String::new()), Ok(String::new()));
        for consent in CONSENTS {
            let edit = read(&json!({ "consent": consent })).unwrap();
            assert_eq!(edit.consent.as_deref(), Some(consent));
        }
    }

    #[test]
    fn every_broken_rule_is_named() {
        let body = json!({
            "bio": 7, "templateId": "x", "themeOverride": "dark", "customCss": [], "embedEnabled": 1,
            "published": "no", "emailCollectionEnabled": {}, "consent": "granted", "bioPageId": 1,
        });
        let details = read(&body).unwrap_err();
        for name in body.as_object().unwrap().keys() {
            let named = |line: &String| line.starts_with(name);
            assert!(details.iter().any(named), "{name}: {details:?}");
        }
        assert_eq!(details.len(), 9);
        assert_eq!(read(&json!({ "consent": 1 })).unwrap_err().len(), 1);
    }

    #[test]
    fn null_clears_what_can_be_null() {
        let edit = read(&json!({
            "bio": null, "templateId": null, "themeOverride": null, "customCss": null, "embedEnabled": null,
            "published": null, "emailCollectionEnabled": null, "consent": null, "unknown": 1,
        }))
        .unwrap();
        assert_eq!(edit.template_id, Member::Null);
        assert_eq!(edit.theme_override, Member::Null);
        assert_eq!(edit.custom_css, Member::Null);
        assert!(edit.bio.is_none() && edit.consent.is_none() && edit.published.is_none());
        assert!(edit.embed_enabled.is_none() && edit.email_collection_enabled.is_none());
    }
}

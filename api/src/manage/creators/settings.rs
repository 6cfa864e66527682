//! `PATCH /api/v1/creators/{creatorId}/bio`: changes the settings of a page.

use super::{
    members::{
        BIO, CONSENT, CUSTOM_CSS, EMAIL_COLLECTION_ENABLED, EMBED_ENABLED, PUBLISHED, TEMPLATE_ID,
        THEME_OVERRIDE,
    },
    wire::WireBioPage,
};
use crate::{
    app::App,
    auth::{Access, Allowance, Permission},
    command::{Answer, Command, Subject, Verb, body},
    extract::{JsonBody, PathId, Query},
    members::{PAGE, PAGE_ABOUT},
    patch::{Change, apply, differences},
    refusals,
    store::{self, pages::Page, record},
};
use axum::{extract::State, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, done},
    members::{Body, Declared},
};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

pub(super) const UPDATE_PAGE: Command = Command {
    id: "creators.bio.update",
    verb: Verb::Patch,
    path: "/api/v1/creators/{creatorId}/bio",
    subject: Subject::Creator,
    permission: Permission("pages:update"),
    limit: Allowance::an_hour(30),
    handler: ("update_page", |by| on(by, update_page)),
    summary: "Changes settings of a page.",
    about: "",
    page: Some(PAGE_ABOUT),
    query: &[],
    body: body::<Edit>(),
    answer: Answer::Done("Saved."),
    refusals: || vec![refusals::page_flagged()],
};

/// The settings in a PATCH of a page, each within its own rules.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    page_id: Option<Uuid>,
    /// Plain text.
    bio: Option<String>,
    template_id: Change<Uuid>,
    theme_override: Change<Value>,
    custom_css: Change<String>,
    embed_enabled: Option<bool>,
    published: Option<bool>,
    email_collection_enabled: Option<bool>,
    consent: Option<String>,
}

impl Body for Edit {
    const MEMBERS: &'static [&'static dyn Declared] = &[
        &PAGE,
        &BIO,
        &TEMPLATE_ID,
        &THEME_OVERRIDE,
        &CUSTOM_CSS,
        &EMBED_ENABLED,
        &PUBLISHED,
        &EMAIL_COLLECTION_ENABLED,
        &CONSENT,
    ];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            page_id: PAGE.read(fields),
            bio: BIO.read(fields),
            template_id: Change::read(fields, &TEMPLATE_ID),
            theme_override: Change::read(fields, &THEME_OVERRIDE),
            custom_css: Change::read(fields, &CUSTOM_CSS).map(str::to_owned),
            embed_enabled: EMBED_ENABLED.read(fields),
            published: PUBLISHED.read(fields),
            email_collection_enabled: EMAIL_COLLECTION_ENABLED.read(fields),
            consent: CONSENT.read(fields).map(str::to_owned),
        }
    }
}

impl Edit {
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

/// Changes the settings in the body. A change to the stored values writes nothing.
pub(crate) async fn update_page(
    State(app): State<Arc<App>>,
    access: Access,
    PathId(creator_id): PathId,
    query: Query,
    JsonBody(edit): JsonBody<Edit>,
) -> Result<Response, ApiError> {
    let page_id = edit.page_id.or(query.uuid("bioPageId")?);
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let creator = access
        .creator(&mut *tx, creator_id, refusals::not_owner)
        .await?;
    if edit.bio.as_deref().is_some_and(|bio| app.words.flag(bio)) {
        return Err(refusals::page_flagged());
    }
    let page_id = store::pages::lock(&mut tx, creator.id, page_id)
        .await?
        .ok_or_else(refusals::page_not_found)?;
    // Read after the lock, so that concurrent changes do not overwrite each other.
    let stored = store::pages::find(&mut *tx, creator.id, Some(page_id))
        .await?
        .ok_or_else(refusals::page_not_found)?;
    let page = edit.apply(&stored);
    let wire = |page: Page| WireBioPage::new(page, Vec::new());
    let changes = differences(&wire(stored), &wire(page.clone()))?;
    if changes.is_empty() {
        return Ok(done());
    }
    store::pages::update(&mut tx, &page).await?;
    let audit = store::audit::Entry {
        workspace_id: creator.workspace_id,
        actor: access.user()?,
        action: "bio_page.updated",
        subject: page_id,
        at: now,
        detail: json!({ "changes": changes }),
    };
    record::page_change(&mut tx, (page_id, &creator), audit).await?;
    tx.commit().await?;
    Ok(done())
}

#[cfg(test)]
mod tests {
    use super::super::wire::CONSENTS;
    use super::*;
    use runtime::members;

    fn read(body: &Value) -> Result<Edit, Vec<String>> {
        members::read(body.as_object().unwrap()).map_err(|error| error.details)
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
    fn null_clears_only_members_that_can_be_null() {
        let edit = read(&json!({
            "bio": null, "templateId": null, "themeOverride": null, "customCss": null, "embedEnabled": null,
            "published": null, "emailCollectionEnabled": null, "consent": null, "unknown": 1,
        }))
        .unwrap();
        assert_eq!(edit.template_id, Change::Null);
        assert_eq!(edit.theme_override, Change::Null);
        assert_eq!(edit.custom_css, Change::Null);
        assert!(edit.bio.is_none() && edit.consent.is_none() && edit.published.is_none());
        assert!(edit.embed_enabled.is_none() && edit.email_collection_enabled.is_none());
    }
}

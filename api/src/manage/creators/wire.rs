//! A page in the answers of routes, and the values of its members.

use crate::{manage::links::WireLink, store::pages::Page};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// What a page does before a visitor has answered the question for consent.
pub(super) const CONSENTS: [&str; 2] = ["banner", "assumed"];

/// A page with its links.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BioPage", description = "A page with its links.")]
pub(super) struct WireBioPage {
    id: Uuid,
    creator_id: Uuid,
    template_id: Option<Uuid>,
    bio: String,
    #[schemars(with = "Option<Map<String, Value>>")]
    theme_override: Option<Value>,
    custom_css: Option<String>,
    /// Whether other sites may embed it.
    embed_enabled: bool,
    /// Whether it is public.
    published: bool,
    email_collection_enabled: bool,
    /// In their order.
    links: Vec<WireLink>,
    /// Always null: there are no templates yet.
    #[schemars(with = "()")]
    template: Option<Value>,
    // Not in the published format.
    /// Whether visitors are asked for consent before anything is counted.
    #[schemars(extend("enum" = CONSENTS))]
    consent: String,
}

impl WireBioPage {
    pub(super) fn new(page: Page, links: Vec<WireLink>) -> Self {
        Self {
            id: page.id,
            creator_id: page.creator_id,
            template_id: page.template_id,
            bio: page.bio,
            theme_override: page.theme_override,
            custom_css: page.custom_css,
            embed_enabled: page.embed_enabled,
            published: page.published,
            email_collection_enabled: page.email_collection_enabled,
            links,
            template: None,
            consent: page.consent,
        }
    }
}

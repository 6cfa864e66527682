//! A link in answers of the events API.
//!
//! Everything comes from stored values; no destination is ever fetched.

use crate::{
    app::App,
    events::instant_text,
    refusals,
    store::{
        keys,
        short_links::{self, ShortLink},
    },
};
use runtime::http::{ApiError, validate::parse_uuid};
use schemars::JsonSchema;
use schemas::directory::Preview;
use serde::Serialize;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// The beginning of the name of a key where links note who wrote them.
const KEY: &str = "api_key:";

/// A link.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "ShortUrl",
    description = "A link as the events API shows it."
)]
pub(super) struct WireShortUrl {
    /// The `shortUrlId` of its events.
    id: String,
    /// Where it leads.
    url: String,
    short_code: String,
    /// What people open.
    smart_link: String,
    short_link_name: Option<String>,
    /// False for a link that is archived or switched off.
    is_active: bool,
    utm_source: Option<String>,
    utm_medium: Option<String>,
    utm_campaign: Option<String>,
    enable_custom_metadata: bool,
    custom_metadata_title: Option<String>,
    custom_metadata_description: Option<String>,
    custom_metadata_image_url: Option<String>,
    deep_links: Vec<WireDeepLink>,
    effective_preview_metadata: WirePreview,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    /// A user, or `api-key:` and the name of a key.
    created_by: Option<String>,
    updated_by: Option<String>,
    /// `EXTERNAL` (here), `API` (elsewhere with a key), `DASHBOARD`, or another way.
    created_via: Option<String>,
    last_modified_via: Option<String>,
}

/// The address of a link in an app.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireDeepLink {
    mobile_app_id: String,
    deeplink_url: String,
    fallback_enabled: bool,
    fallback_url: Option<String>,
}

/// What previews of the short URL show. Where all is `null`, they show what the destination says.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct WirePreview {
    title: Option<String>,
    description: Option<String>,
    image_url: Option<String>,
}

/// A link of a workspace that is not deleted, or 404.
pub(super) async fn find(
    connection: &mut PgConnection,
    app: &App,
    workspace_id: Uuid,
    id: Uuid,
) -> Result<WireShortUrl, ApiError> {
    let link = short_links::find(&mut *connection, id, workspace_id).await?;
    let link = link.filter(|link| link.deleted_at.is_none());
    let link = link.ok_or_else(refusals::short_link_not_found)?;
    let shown = show(connection, app, workspace_id, vec![link]).await?;
    let link = shown.into_iter().next();
    link.ok_or_else(|| ApiError::internal("a link was lost"))
}

/// These links of a workspace, with the names of the keys that wrote them.
pub(super) async fn show(
    connection: &mut PgConnection,
    app: &App,
    workspace_id: Uuid,
    links: Vec<ShortLink>,
) -> sqlx::Result<Vec<WireShortUrl>> {
    let writers = links
        .iter()
        .flat_map(|link| [&link.created_by, &link.updated_by]);
    let mut ids: Vec<Uuid> = writers.flatten().filter_map(|by| key_id(by)).collect();
    ids.sort_unstable();
    ids.dedup();
    let names = if ids.is_empty() {
        HashMap::new()
    } else {
        let names = keys::names(connection, workspace_id, &ids).await?;
        names.into_iter().collect()
    };
    let shown = links.into_iter().map(|link| wire(app, link, &names));
    Ok(shown.collect())
}

fn key_id(by: &str) -> Option<Uuid> {
    by.strip_prefix(KEY).and_then(parse_uuid)
}

/// Who wrote a link, with the name of a key instead of its id.
fn writer(by: String, names: &HashMap<Uuid, String>) -> String {
    match key_id(&by).and_then(|id| names.get(&id)) {
        Some(name) => format!("api-key:{name}"),
        None => by,
    }
}

fn wire(app: &App, link: ShortLink, names: &HashMap<Uuid, String>) -> WireShortUrl {
    let smart_link = app.short_urls.of(link.host.as_deref(), &link.short_code);
    let behavior = link.behavior.0;
    let effective_preview_metadata =
        behavior
            .shown_preview()
            .map_or_else(WirePreview::default, |preview| WirePreview {
                // As the preview page does.
                title: preview.title.or_else(|| Some(smart_link.clone())),
                description: preview.description,
                image_url: preview.image_url,
            });
    let via = |via: &Option<String>| via.as_ref().map(|via| via.to_ascii_uppercase());
    let created_via = via(&link.created_via);
    let Preview {
        title,
        description,
        image_url,
    } = behavior.preview;
    let deep_links = behavior.app_links.into_iter().map(|link| WireDeepLink {
        mobile_app_id: link.app_id,
        deeplink_url: link.url,
        fallback_enabled: link.fallback_enabled,
        fallback_url: link.fallback_url,
    });
    WireShortUrl {
        id: format!("url_{}", link.id),
        url: link.destination,
        short_code: link.short_code,
        smart_link,
        short_link_name: link.title.or(link.page_title),
        is_active: link.enabled && !link.archived,
        utm_source: behavior.utm.source,
        utm_medium: behavior.utm.medium,
        utm_campaign: behavior.utm.campaign,
        enable_custom_metadata: !behavior.preview_off,
        custom_metadata_title: title,
        custom_metadata_description: description,
        custom_metadata_image_url: image_url,
        deep_links: deep_links.collect(),
        effective_preview_metadata,
        created_at: instant_text(link.created_at.to_jiff()),
        updated_at: instant_text(link.updated_at.to_jiff()),
        updated_by: link
            .updated_by
            .or_else(|| link.created_by.clone())
            .map(|by| writer(by, names)),
        created_by: link.created_by.map(|by| writer(by, names)),
        last_modified_via: via(&link.updated_via).or_else(|| created_via.clone()),
        created_via,
    }
}

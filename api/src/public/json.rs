//! `GET /api/v1/bio/{username}` and `GET /api/v1/bio/embed/{username}`: a page as JSON.

use super::{
    Public,
    name::PageName,
    page::{self, PublicPage},
};
use crate::{
    extract::Query,
    refusals,
    store::{links::BioLink, public::Page},
};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use runtime::http::{ApiError, ok};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use uuid::Uuid;

/// As the original publishes it: shared caches may be a minute late.
const CACHE: HeaderValue =
    HeaderValue::from_static("public, s-maxage=60, stale-while-revalidate=300");
/// As the original publishes it. The standard does not define this value, and browsers ignore it.
const ALLOW_ALL: HeaderValue = HeaderValue::from_static("ALLOWALL");

/// A public page. It does not reveal the user who owns it.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PublicPage")]
pub(super) struct WirePublicPage<'a> {
    username: &'a str,
    display_name: &'a str,
    bio_page_id: Uuid,
    slug: &'a str,
    bio: &'a str,
    template_id: Option<Uuid>,
    #[schemars(with = "Option<Map<String, Value>>")]
    theme_override: Option<&'a Value>,
    custom_css: Option<&'a str>,
    embed_enabled: bool,
    email_collection_enabled: bool,
    links: Vec<WirePublicLink<'a>>,
}

/// A visible link. Its schedule is not public.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PublicLink")]
struct WirePublicLink<'a> {
    id: Uuid,
    title: &'a str,
    url: &'a str,
    icon: Option<&'a str>,
    sort_order: i32,
    is_social: bool,
    platform: Option<&'a str>,
    embed_type: Option<&'a str>,
    #[schemars(with = "Option<Map<String, Value>>")]
    embed_meta: Option<&'a Value>,
}

impl<'a> From<&'a BioLink> for WirePublicLink<'a> {
    fn from(link: &'a BioLink) -> Self {
        Self {
            id: link.id,
            title: &link.title,
            url: &link.url,
            icon: link.icon.as_deref(),
            sort_order: link.sort_order,
            is_social: link.is_social,
            platform: link.platform.as_deref(),
            embed_type: link.embed_type.as_deref(),
            embed_meta: link.embed_meta.as_ref(),
        }
    }
}

impl<'a> WirePublicPage<'a> {
    fn new(public: &'a PublicPage, now: Timestamp) -> Self {
        let page: &Page = &public.page;
        Self {
            username: &page.username,
            display_name: &page.display_name,
            bio_page_id: page.id,
            slug: &page.slug,
            bio: &page.bio,
            template_id: page.template_id,
            theme_override: page.theme_override.as_ref(),
            custom_css: page.custom_css.as_deref(),
            embed_enabled: page.embed_enabled,
            email_collection_enabled: page.email_collection_enabled,
            links: public.visible(now).map(WirePublicLink::from).collect(),
        }
    }
}

/// A page with its visible links; `?page=` names another page.
pub(super) async fn read_page(
    State(public): State<Arc<Public>>,
    name: PageName,
    query: Query,
) -> Result<Response, ApiError> {
    let page = page::find(&public, &name.page(query.first("page").as_deref())?).await?;
    Ok(respond(&public, &page))
}

/// The same for other sites; 403 unless the page allows that.
pub(super) async fn read_embed(
    State(public): State<Arc<Public>>,
    name: PageName,
    query: Query,
) -> Result<Response, ApiError> {
    let page = page::find(&public, &name.page(query.first("page").as_deref())?).await?;
    if !page.page.embed_enabled {
        return Err(refusals::embed_disabled());
    }
    let mut response = respond(&public, &page);
    let headers = response.headers_mut();
    headers.insert(header::X_FRAME_OPTIONS, ALLOW_ALL);
    Ok(response)
}

fn respond(public: &Public, page: &PublicPage) -> Response {
    let data = ok(WirePublicPage::new(page, public.app.clock.now()));
    ([(header::CACHE_CONTROL, CACHE)], data).into_response()
}

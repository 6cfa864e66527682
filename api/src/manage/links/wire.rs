//! A link in the answers of routes.

use crate::{instant::iso_millis, store::links::BioLink};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The twelve members of a link.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Link", description = "A link of a page.")]
pub(crate) struct WireLink {
    id: Uuid,
    title: String,
    url: String,
    icon: Option<String>,
    /// Its place on the page; of two links in one place, the older comes first.
    sort_order: i32,
    /// Whether it is shown.
    active: bool,
    is_social: bool,
    platform: Option<String>,
    /// The kind of player.
    embed_type: Option<String>,
    /// Data that the player needs besides the url.
    #[schemars(with = "Option<Map<String, Value>>")]
    embed_meta: Option<Value>,
    /// Shown from this time.
    #[schemars(extend("format" = "date-time"))]
    scheduled_start: Option<String>,
    /// Shown until this time.
    #[schemars(extend("format" = "date-time"))]
    scheduled_end: Option<String>,
}

impl From<BioLink> for WireLink {
    fn from(link: BioLink) -> Self {
        Self {
            id: link.id,
            title: link.title,
            url: link.url,
            icon: link.icon,
            sort_order: link.sort_order,
            active: link.active,
            is_social: link.is_social,
            platform: link.platform,
            embed_type: link.embed_type,
            embed_meta: link.embed_meta,
            scheduled_start: link.scheduled_start.map(|at| iso_millis(at.to_jiff())),
            scheduled_end: link.scheduled_end.map(|at| iso_millis(at.to_jiff())),
        }
    }
}

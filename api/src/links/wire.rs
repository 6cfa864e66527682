//! A link as routes answer it (contract 4.1).

use crate::{instant::iso_millis, store::links::BioLink};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// The twelve members of a link.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireLink {
    id: Uuid,
    title: String,
    url: String,
    icon: Option<String>,
    sort_order: i32,
    active: bool,
    is_social: bool,
    platform: Option<String>,
    embed_type: Option<String>,
    embed_meta: Option<Value>,
    scheduled_start: Option<String>,
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

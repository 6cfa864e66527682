//! The events API: raw clicks and scans for data teams, and their links, below `/link/external/v1`.
//!
//! Owns parameters, limits and answers; `crate::events` owns positions and rows. The one rule: a
//! request names its organisation by its key alone.

mod errors;
mod export;
pub(crate) mod limits;
mod list;
mod openapi;
mod params;
mod short_urls;

use crate::{
    app::App,
    auth::{Callers, Permission, Terms, guarded},
    events::{Selection, statements},
};
use axum::{Router, routing::get};
pub(crate) use openapi::describe;
use params::Filter;
use runtime::http::ApiError;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;
use uuid::Uuid;

const LIST: &str = "/link/external/v1/analytics/events";
const EXPORT: &str = "/link/external/v1/analytics/events/export";

/// The routes of the events API.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let behind_key = |id, routes| {
        let terms = Terms {
            id,
            permission: Permission::REPORTS,
            callers: Callers::Keys,
            takes_turn: false,
        };
        guarded(app, terms, routes)
    };
    let export = get(export::export_events).layer(CompressionLayer::new());
    short_urls::routes(app)
        .route(LIST, behind_key("events.list", get(list::list_events)))
        .route(EXPORT, behind_key("events.export", export))
}

/// 400 for a cursor or a snapshot that is not from such a request.
fn refuse_foreign() -> ApiError {
    errors::invalid(
        "cursor, snapshot and afterEventId must come from an answer to the same parameters.",
    )
}

/// The events that a request selects. A code selects all clicks of the link that has it now, also
/// clicks by a former code.
async fn selection(app: &App, workspace_no: i32, filter: &Filter) -> Result<Selection, ApiError> {
    let mut links = filter.link.map(|link| vec![link]);
    if let Some(code) = &filter.short_code {
        let found: Vec<Uuid> = sqlx::query_scalar(statements::LINKS_WITH_CODE)
            .bind(workspace_no)
            .bind(code)
            .fetch_all(app.main.pool()?)
            .await?;
        let both = |link: &Uuid| filter.link.is_none_or(|wanted| wanted == *link);
        links = Some(found.into_iter().filter(both).collect());
    }
    Ok(Selection {
        workspace_no,
        include_bots: filter.include_bots,
        triggers: filter.triggers(),
        links,
    })
}

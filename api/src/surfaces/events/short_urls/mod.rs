//! Management of links on the events API, over the same links as `/api/links`.
//!
//! Owns members, answers and codes of errors; `manage::short_links` checks and writes. The one rule:
//! no link is written here in a way that `/api/links` would refuse.

mod body;
mod openapi;
mod read;
mod refuse;
mod save;
mod wire;

use crate::{
    app::App,
    auth::{Callers, Permission, Terms, guarded},
};
use axum::{
    Router,
    routing::{MethodRouter, get, patch, post},
};
pub(super) use openapi::describe;
use std::sync::Arc;

const SAVE: &str = "/link/external/v1/shortenedUrl/save";
const BULK_SAVE: &str = "/link/external/v1/shortenedUrl/bulkSave";
const LIST: &str = "/link/external/v1/shortenedUrl";
const ONE: &str = "/link/external/v1/shortenedUrl/{id}";

/// The routes.
pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let behind_key = |id, permission, routes: MethodRouter<Arc<App>>| {
        let terms = Terms {
            id,
            permission: Permission(permission),
            callers: Callers::Keys,
            takes_turn: true,
        };
        guarded(app, terms, routes)
    };
    let (create, read, update) = ("links:create", "links:read", "links:update");
    Router::new()
        .route(
            SAVE,
            behind_key("events.save", create, post(save::save_short_url)),
        )
        .route(
            BULK_SAVE,
            behind_key("events.bulk_save", create, post(save::save_short_urls)),
        )
        .route(
            LIST,
            behind_key("events.short_urls", read, get(read::list_short_urls)),
        )
        .route(
            ONE,
            behind_key("events.short_url", read, get(read::get_short_url)),
        )
        .route(
            ONE,
            behind_key("events.update", update, patch(save::update_short_url)),
        )
}

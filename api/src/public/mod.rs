//! What everybody may read: bio pages, as JSON and as pages to look at.
//!
//! Owns their routes, their cache and how they look. The one rule: what a creator wrote reaches a page
//! only through a template that escapes it, or through a check of its own (addresses, colours, players,
//! the style sheet).

mod address;
mod body;
mod custom_css;
mod elsewhere;
mod error_page;
mod host;
mod html;
mod icon;
mod json;
mod name;
mod openapi;
mod page;
mod player;
mod theme;

#[cfg(test)]
mod tests;

use crate::{
    app::App,
    guard::Routes,
    limits::{PUBLIC_EMBED, PUBLIC_PAGE, SHOW_PAGE},
};
use address::open;
use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
pub(crate) use openapi::describe;
use runtime::http::{TrustedProxies, cors};
use schemas::Keyring;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

/// What public routes work with besides the rest of the [`App`].
#[derive(Debug)]
pub(crate) struct Public {
    pages: page::Pages,
    tracking: Keyring,
    /// What the addresses of pages begin with.
    origin: String,
    proxies: TrustedProxies,
}

impl Public {
    pub(crate) fn new(tracking: Keyring, origin: String, proxies: TrustedProxies) -> Self {
        Self {
            pages: page::Pages::default(),
            tracking,
            origin,
            proxies,
        }
    }
}

/// Every public route. Whatever else is below `/@` is a page that is not there.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let json = |limit, routes: Routes| open(app, limit, routes).layer(from_fn(cors::beacons));
    let shown = |routes: Routes| {
        // Compressed with a secret in it (the token), which is safe here: nothing of the request is
        // in the answer, so nobody can guess at it by its length.
        open(app, SHOW_PAGE, routes.layer(CompressionLayer::new()))
            .layer(from_fn_with_state(Arc::clone(app), error_page::as_page))
    };
    Router::new()
        .route(
            "/api/v1/bio/{username}",
            json(PUBLIC_PAGE, get(json::read_page)),
        )
        .route(
            "/api/v1/bio/embed/{username}",
            json(PUBLIC_EMBED, get(json::read_embed)),
        )
        .route("/@{username}", shown(get(html::show_page)))
        .route("/@{username}/{slug}", shown(get(html::show_page)))
        .route("/favicon.svg", get(icon::send_favicon))
        .fallback(elsewhere::look)
}

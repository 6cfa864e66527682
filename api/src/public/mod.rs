//! Bio pages for the public, as JSON and as HTML.
//!
//! Owns their routes, their cache and their look. The one rule: a creator's text reaches a page
//! only through a template that escapes it, or through its own check (addresses, colours, players,
//! the style sheet).

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
    auth::{Allowance, Callers, Permission, Terms, guarded},
};
use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, get},
};
pub(crate) use openapi::describe;
use runtime::{http::cors, throttle::Limit};
use schemas::Keyring;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

/// The id of a route, and its limit for each client address. The limit of HTML pages equals that of
/// beacons: no visitor of many behind one address must be lost, and each visit loads one page.
type Limited = (&'static str, Allowance);

const READ_PAGE: Limited = ("bio.public", Allowance::a_minute(120));
const READ_EMBED: Limited = ("bio.embed", Allowance::a_minute(120));
const SHOW_PAGE: Limited = ("bio.page", Allowance::a_minute(600));

/// The limits of public routes, as published.
pub(crate) fn limits() -> impl Iterator<Item = Limit> {
    let of = |(id, allowance): Limited| allowance.limit(id);
    [READ_PAGE, READ_EMBED, SHOW_PAGE]
        .into_iter()
        .filter_map(of)
}

/// The state of public routes.
#[derive(Debug)]
struct Public {
    app: Arc<App>,
    pages: page::Pages,
    tracking: Keyring,
    /// The beginning of pages' addresses.
    origin: String,
}

/// Every public route. Any other path below `/@` is an unknown page. Addresses of pages begin with
/// `origin`, and pages carry tracking tokens of that keyring.
pub(crate) fn routes(app: Arc<App>, tracking: Keyring, origin: String) -> Router {
    let public = Arc::new(Public {
        app,
        pages: page::Pages::default(),
        tracking,
        origin,
    });
    let open = |(id, _): Limited, routes: MethodRouter<Arc<Public>>| {
        let terms = Terms {
            id,
            permission: Permission::PUBLIC,
            callers: Callers::Everyone,
            takes_turn: false,
        };
        guarded(&public.app, terms, routes)
    };
    let json = |limited, routes| open(limited, routes).layer(from_fn(cors::beacons));
    let shown = |routes: MethodRouter<Arc<Public>>| {
        // Compressed although it holds a secret (the token). That is safe, because the answer
        // repeats nothing of the request, so an attacker cannot guess the token from the length.
        open(SHOW_PAGE, routes.layer(CompressionLayer::new())).layer(from_fn_with_state(
            Arc::clone(&public.app),
            error_page::as_page,
        ))
    };
    Router::new()
        .route(
            "/api/v1/bio/{username}",
            json(READ_PAGE, get(json::read_page)),
        )
        .route(
            "/api/v1/bio/embed/{username}",
            json(READ_EMBED, get(json::read_embed)),
        )
        .route("/@{username}", shown(get(html::show_page)))
        .route("/@{username}/{slug}", shown(get(html::show_page)))
        .route("/favicon.svg", get(icon::send_favicon))
        .fallback(elsewhere::look)
        .with_state(public)
}

//! What everybody may read: bio pages, as JSON and as pages to look at.
//!
//! Owns their routes, their cache and how they look. The one rule: what a creator wrote reaches a page
//! only through a template that escapes it, or through a check of its own (addresses, colours, players,
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
    auth::{Allowance, Permission, Plan, Terms, guarded},
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

/// The id and the limit of a route, for each client address. Pages have as many as beacons: many people
/// behind one address must not be lost, and each visit is one page.
type Limited = (&'static str, Allowance);

const READ_PAGE: Limited = ("bio.public", Allowance::a_minute(120));
const READ_EMBED: Limited = ("bio.embed", Allowance::a_minute(120));
const SHOW_PAGE: Limited = ("bio.page", Allowance::a_minute(600));

/// The limits of public routes in every plan, as published.
pub(crate) fn limits() -> impl Iterator<Item = Limit> {
    let of = |(id, allowance): Limited| Plan::ALL.map(|plan| allowance.limit(id, plan));
    [READ_PAGE, READ_EMBED, SHOW_PAGE].into_iter().flat_map(of)
}

/// The state of public routes.
#[derive(Debug)]
struct Public {
    app: Arc<App>,
    pages: page::Pages,
    tracking: Keyring,
    /// What the addresses of pages begin with.
    origin: String,
}

/// Every public route. Whatever else is below `/@` is a page that is not there. Pages name addresses that
/// begin with `origin`, and prove themselves with tracking tokens of that ring.
pub(crate) fn routes(app: Arc<App>, tracking: Keyring, origin: String) -> Router {
    let public = Arc::new(Public {
        app,
        pages: page::Pages::default(),
        tracking,
        origin,
    });
    let open = |(id, _): Limited, routes: MethodRouter<Arc<Public>>| {
        let permission = Permission::PUBLIC;
        guarded(&public.app, Terms { id, permission }, routes)
    };
    let json = |limited, routes| open(limited, routes).layer(from_fn(cors::beacons));
    let shown = |routes: MethodRouter<Arc<Public>>| {
        // Compressed with a secret in it (the token), which is safe here: nothing of the request is
        // in the answer, so nobody can guess at it by its length.
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

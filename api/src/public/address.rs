//! Routes without a token, with a limit per client address.

use crate::{app::App, guard::Routes};
use axum::{
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use runtime::http::{client::neighbourhood, throttled};
use std::sync::Arc;

#[derive(Clone)]
struct Limited {
    app: Arc<App>,
    limit: &'static str,
}

/// The routes behind that limit per client address (429, `X-RateLimit-*`).
pub(super) fn open(app: &Arc<App>, limit: &'static str, routes: Routes) -> Routes {
    let app = Arc::clone(app);
    routes.route_layer(middleware::from_fn_with_state(
        Limited { app, limit },
        check,
    ))
}

async fn check(State(limited): State<Limited>, request: Request, next: Next) -> Response {
    let Limited { app, limit } = limited;
    let client = neighbourhood(app.client(&request));
    match app.throttles.spend(limit, client) {
        Err(standing) => throttled::refuse(limit, standing),
        Ok(None) => next.run(request).await,
        Ok(Some(standing)) => throttled::with_headers(next.run(request).await, standing),
    }
}

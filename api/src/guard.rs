//! Who calls, and how often: the layer in front of every route with a Bearer.
//!
//! The one rule: a route is added through [`guarded`], so none can be forgotten.

use crate::app::App;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::request::Parts,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use runtime::http::{ApiError, throttled};
use std::sync::Arc;

/// Routes of the api, before their state is given.
pub(crate) type Routes = MethodRouter<Arc<App>>;

/// The user whose token came with the request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The token's subject.
    pub(crate) sub: Arc<str>,
}

#[derive(Clone)]
struct Guard {
    app: Arc<App>,
    limit: &'static str,
}

/// The routes behind a valid token (401, and 429 for an address with many bad ones) and that limit per user (429, `X-RateLimit-*`).
pub(crate) fn guarded(app: &Arc<App>, limit: &'static str, routes: Routes) -> Routes {
    let app = Arc::clone(app);
    routes.route_layer(middleware::from_fn_with_state(Guard { app, limit }, check))
}

async fn check(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let client = guard.app.client(&request);
    let claims = match guard.app.gate.admit(request.headers(), client) {
        // PostgreSQL's text cannot hold U+0000, so no user here has such a subject.
        Ok(claims) if claims.sub.contains('\0') => {
            return ApiError::unauthorized().into_response();
        }
        Ok(claims) => claims,
        Err(refused) => return refused.into_response(),
    };
    let sub: Arc<str> = Arc::from(claims.sub);
    let standing = match guard.app.throttles.spend(guard.limit, &sub) {
        Ok(standing) => standing,
        Err(standing) => return throttled::refuse(guard.limit, standing),
    };
    request.extensions_mut().insert(Caller { sub });
    let response = next.run(request).await;
    match standing {
        Some(standing) => throttled::with_headers(response, standing),
        None => response,
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| ApiError::internal("a route stands outside the guard"))
    }
}

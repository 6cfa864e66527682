//! The layer before every route: finds the principal, spends the limit, passes the access on.
//!
//! The one rule: a route is added through [`guarded`], so none can be forgotten.

use super::{Access, Permission, Principal, Role};
use crate::app::App;
use axum::{
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use runtime::{
    http::{client::neighbourhood, throttled},
    jwt::Refused,
};
use std::sync::Arc;

/// Routes of the api that still need their state.
pub(crate) type Routes = MethodRouter<Arc<App>>;

/// What a route requires of its callers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Its id, which also names its limit.
    pub(crate) id: &'static str,
    /// The permission that it requires.
    pub(crate) permission: Permission,
}

#[derive(Clone)]
struct Guard {
    app: Arc<App>,
    terms: Terms,
}

/// The routes behind a valid token, unless they are public, and behind their limit. Answers 401
/// without a token, 429 beyond the limit or for an address with many bad tokens, and adds
/// `X-RateLimit-*`.
pub(crate) fn guarded<S: Clone + Send + Sync + 'static>(
    app: &Arc<App>,
    terms: Terms,
    routes: MethodRouter<S>,
) -> MethodRouter<S> {
    let app = Arc::clone(app);
    routes.route_layer(middleware::from_fn_with_state(Guard { app, terms }, check))
}

async fn check(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let Guard { app, terms } = guard;
    let permission = terms.permission;
    let principal = match identify(&app, permission, &request) {
        Ok(principal) => principal,
        Err(refused) => return refused.into_response(),
    };
    // Spent before the handler runs, so that failing requests count too.
    let limit = principal.plan().limit_name(terms.id);
    let standing = match principal.spend(&app.throttles, limit) {
        Ok(standing) => standing,
        Err(standing) => return throttled::refuse(limit, standing),
    };
    let access = Access {
        principal,
        permission,
    };
    request.extensions_mut().insert(access);
    let response = next.run(request).await;
    match standing {
        Some(standing) => throttled::with_headers(response, standing),
        None => response,
    }
}

/// The principal of a request. A public route ignores tokens, so that a bad one does not keep a
/// page from anyone.
fn identify(app: &App, permission: Permission, request: &Request) -> Result<Principal, Refused> {
    let client = app.client(request);
    if Role::Visitor.has(permission) {
        return Ok(Principal::Anonymous(neighbourhood(client)));
    }
    let claims = app.gate.admit(request.headers(), client)?;
    // PostgreSQL's text cannot store U+0000, so no user here has such a subject.
    if claims.sub.contains('\0') {
        return Err(Refused::Unauthorized);
    }
    Ok(Principal::User(Arc::from(claims.sub)))
}

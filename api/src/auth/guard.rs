//! The layer before every route: finds the principal, spends the limit, passes the access on.
//!
//! The one rule: a route is added through [`guarded`], so none can be forgotten.

use super::{
    Access, Permission, Principal, Sharer,
    credentials::{self, Refusal},
};
use crate::{app::App, turns::Turn};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use runtime::http::{ApiError, client::neighbourhood, throttled};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// When a refused request may have a turn.
const RETRY_SECONDS: u32 = 2;

/// Routes of the api that still need their state.
pub(crate) type Routes = MethodRouter<Arc<App>>;

/// Who may call a route, and how they prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Everyone, without a credential.
    Everyone,
    /// Users, by a token. The handler finds out what is theirs.
    Users,
    /// Members of a workspace and its keys. The guard finds the workspace and checks the permission.
    Members,
    /// Keys only. Their limits are those of the handler, and not of the workspace's plan.
    Keys,
}

/// What a route requires of its callers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Its id, which also names its limit.
    pub(crate) id: &'static str,
    /// The permission that it requires.
    pub(crate) permission: Permission,
    /// Who may call.
    pub(crate) callers: Callers,
    /// Whether its handler waits for one of the caller's turns at the main database. Reports do not:
    /// they take turns at the analytics database, and commands must not wait for them.
    pub(crate) takes_turn: bool,
}

#[derive(Clone)]
struct Guard {
    app: Arc<App>,
    terms: Terms,
}

/// The routes behind a valid credential, unless they are public, and behind their limit. Answers 401
/// without a credential, 429 beyond the limit or for an address with many bad ones, 403 to members
/// without the permission, and adds `X-RateLimit-*`.
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
    let client = app.client(&request);
    let identified = identify(&app, terms.callers, request.headers(), client);
    let principal = match identified.await {
        Ok(principal) => principal,
        Err(refused) => return refused.into_response(),
    };
    // Spent before the handler runs, so that failing requests count too.
    let limit = principal.limit_name(terms.id);
    let standing = match terms.callers {
        Callers::Keys => None,
        _ => match principal.spend(&app.throttles, limit) {
            Ok(standing) => standing,
            Err(standing) => return throttled::refuse(limit, standing),
        },
    };
    let access = Access {
        principal,
        permission: terms.permission,
    };
    let response = match access.enter(terms.callers) {
        Ok(()) => {
            let sharer = access.principal.sharer().filter(|_| terms.takes_turn);
            match turn(&app, sharer).await {
                Ok(turn) => {
                    let turn = CommandTurn(Arc::new(Mutex::new(turn)));
                    request.extensions_mut().insert(access);
                    request.extensions_mut().insert(turn.clone());
                    let response = next.run(request).await;
                    turn.give_back();
                    response
                }
                Err(busy) => busy.into_response(),
            }
        }
        Err(error) => error.into_response(),
    };
    match standing {
        Some(standing) => throttled::with_headers(response, standing),
        None => response,
    }
}

/// The turn of a request at the main database, which the handler may give back before its end.
#[derive(Clone, Debug)]
pub(crate) struct CommandTurn(Arc<Mutex<Option<Turn<Sharer>>>>);

impl CommandTurn {
    /// Lets the next request of the same tenant run. A handler that goes on to read the analytics
    /// database calls this, because commands must not wait for that.
    pub(crate) fn give_back(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl<S: Sync> FromRequestParts<S> for CommandTurn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let turn = parts.extensions.get::<Self>().cloned();
        turn.ok_or_else(|| ApiError::internal("a route is outside the guard"))
    }
}

/// A turn at the main database; `None` without a sharer.
///
/// # Errors
/// 429 when too many of the sharer's requests run or wait.
pub(crate) async fn turn(
    app: &App,
    sharer: Option<Sharer>,
) -> Result<Option<Turn<Sharer>>, ApiError> {
    let Some(sharer) = sharer else {
        return Ok(None);
    };
    let turn = app.command_turns.take(sharer).await;
    turn.map(Some)
        .ok_or_else(|| ApiError::rate_limited(RETRY_SECONDS))
}

/// The principal of a request. A public route ignores credentials, so that a bad one does not keep a
/// page from anyone.
async fn identify(
    app: &App,
    callers: Callers,
    headers: &HeaderMap,
    client: IpAddr,
) -> Result<Principal, Refusal> {
    match callers {
        Callers::Everyone => Ok(Principal::Anonymous(neighbourhood(client))),
        Callers::Users => {
            let (sub, _) = credentials::by_token(app, headers, client)?;
            Ok(Principal::User(sub))
        }
        Callers::Members => {
            let tenant = credentials::identify(app, headers, client).await?;
            Ok(Principal::Member(Arc::new(tenant)))
        }
        Callers::Keys => {
            let tenant = credentials::by_key_alone(app, headers, client).await?;
            Ok(Principal::Member(Arc::new(tenant)))
        }
    }
}

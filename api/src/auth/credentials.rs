//! Finds the caller of a workspace's route: by API key, or by token and `X-Workspace-Id`.
//!
//! Keys are looked up with each request and never cached, so that a revocation holds at once on
//! every instance.

use super::{Role, Tenant, tenant::CallingKey};
use crate::{
    app::App,
    refusals,
    store::{
        self,
        keys::{self, FoundKey},
    },
};
use axum::{
    http::{HeaderMap, HeaderName},
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use runtime::{
    database,
    http::{ApiError, validate::parse_uuid},
    jwt::{Claims, Refused, bearer},
};
use sha2::{Digest, Sha256};
use std::{net::IpAddr, sync::Arc};
use tracing::warn;
use uuid::Uuid;

/// The beginning of every key.
pub(crate) const KEY_START: &str = "lw_live_";
/// Length of a whole key: its beginning, and 256 random bits in hexadecimal digits.
pub(crate) const KEY_CHARS: usize = KEY_START.len() + 64;

static API_KEY: HeaderName = HeaderName::from_static("x-api-key");
static WORKSPACE_ID: HeaderName = HeaderName::from_static("x-workspace-id");

/// How exact the time of a key's last use is. Each request would otherwise write a row.
const USE_STEP: SignedDuration = SignedDuration::from_mins(1);

/// Why a caller is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    Credential(Refused),
    Error(ApiError),
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::Credential(refused)
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Error(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Credential(refused) => refused.into_response(),
            Self::Error(error) => error.into_response(),
        }
    }
}

/// The hash under which a key is kept. A key has 256 random bits, so a slow hash would add nothing.
pub(crate) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// The caller of a route for members and keys.
pub(super) async fn identify(
    app: &App,
    headers: &HeaderMap,
    client: IpAddr,
) -> Result<Tenant, Refusal> {
    let wanted = headers
        .get(&WORKSPACE_ID)
        .map(|value| value.to_str().unwrap_or_default());
    if let Some(key) = presented_key(headers) {
        let tenant = by_key(app, key, client).await?;
        let other = |wanted| parse_uuid(wanted) != Some(tenant.workspace.id);
        if wanted.is_some_and(other) {
            return Err(refusals::not_a_member().into());
        }
        return Ok(tenant);
    }
    let (sub, claims) = by_token(app, headers, client)?;
    let wanted = match wanted.or(claims.workspace_id.as_deref()) {
        // A text that is no id names no workspace of the caller.
        Some(text) => Some(parse_uuid(text).ok_or_else(refusals::not_a_member)?),
        None => None,
    };
    by_membership(app, sub, wanted).await
}

/// The caller of a route for keys only.
pub(super) async fn by_key_alone(
    app: &App,
    headers: &HeaderMap,
    client: IpAddr,
) -> Result<Tenant, Refusal> {
    let key = presented_key(headers).ok_or_else(refusals::key_missing)?;
    by_key(app, key, client).await
}

/// The user of a request's token, and its claims.
pub(super) fn by_token(
    app: &App,
    headers: &HeaderMap,
    client: IpAddr,
) -> Result<(Arc<str>, Claims), Refused> {
    let claims = app.gate.admit(headers, client)?;
    // PostgreSQL's text cannot store U+0000, so no user here has such a subject.
    if claims.sub.contains('\0') {
        return Err(Refused::Unauthorized);
    }
    Ok((claims.sub.as_str().into(), claims))
}

/// The key of a request, if it has one: in its own header, or where tokens are.
fn presented_key(headers: &HeaderMap) -> Option<&str> {
    match headers.get(&API_KEY) {
        Some(value) => Some(value.to_str().unwrap_or_default().trim()),
        None => bearer(headers).filter(|token| token.starts_with("lw_")),
    }
}

async fn by_key(app: &App, key: &str, client: IpAddr) -> Result<Tenant, Refusal> {
    let refuse = || match app.gate.refuse(client) {
        Refused::Unauthorized => Refusal::from(refusals::invalid_key()),
        throttled @ Refused::Throttled(_) => throttled.into(),
    };
    // What cannot be a key costs no look-up.
    if key.len() != KEY_CHARS || !key.starts_with(KEY_START) {
        return Err(refuse());
    }
    let pool = app.main.pool()?;
    let now = app.clock.now();
    let found = keys::find_by_hash(pool, &hash(key)).await?;
    let Some(found) = found.filter(|found| found.is_live(now)) else {
        return Err(refuse());
    };
    if is_stale(&found, now)
        && let Err(error) = keys::record_use(pool, found.key_id, now, now - USE_STEP).await
    {
        // The caller's request does not depend on it.
        warn!(
            key.id = %found.key_id,
            "the use of an API key was not recorded: {}",
            database::message(&error)
        );
    }
    let FoundKey {
        key_id,
        scopes,
        created_by,
        role,
        workspace,
        ..
    } = found;
    Ok(Tenant {
        workspace,
        sub: created_by.into(),
        role: Role::named(&role.unwrap_or_default()),
        key: Some(CallingKey { id: key_id, scopes }),
    })
}

fn is_stale(found: &FoundKey, now: Timestamp) -> bool {
    let used = found.last_used_at.map(jiff_sqlx::Timestamp::to_jiff);
    used.is_none_or(|used| used <= now - USE_STEP)
}

async fn by_membership(app: &App, sub: Arc<str>, wanted: Option<Uuid>) -> Result<Tenant, Refusal> {
    let pool = app.main.pool()?;
    let found = store::workspaces::find_membership(pool, &sub, wanted).await?;
    let missing = || match wanted {
        Some(_) => refusals::not_a_member(),
        None => refusals::no_workspace(),
    };
    let membership = found.ok_or_else(missing)?;
    Ok(Tenant {
        workspace: membership.workspace,
        sub,
        role: Role::named(&membership.role),
        key: None,
    })
}

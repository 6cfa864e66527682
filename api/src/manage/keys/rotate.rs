//! `POST /api/keys/{keyId}/rotate`: replaces an API key by a new one with the same scopes.

use super::{KEY, members::OVERLAP_SECONDS, secret::Secret, wire::WireNewKey};
use crate::{
    app::App,
    auth::{Access, Permission, Tenant},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    manage::work::Work,
    refusals,
    store::{
        self,
        keys::{Key, NewKey},
    },
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff::SignedDuration;
use runtime::{
    http::{ApiError, Fields, created},
    members::{Body, Declared},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

pub(super) const ROTATE_KEY: Command = Command {
    id: "keys.rotate",
    verb: Verb::Post,
    path: "/api/keys/{keyId}/rotate",
    subject: Subject::Object(KEY),
    permission: Permission("api_keys:update"),
    handler: ("rotate_key", |by| on(by, rotate_key)),
    summary: "Replaces an API key by a new one with the same name, scopes and expiry.",
    about: "Only this answer shows the new key. The former one ends at once, or after `overlapSeconds`.",
    body: body::<Rotation>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The new key.",
        Document::type_of::<WireNewKey>,
    ),
    refusals: || vec![refusals::key_not_found(), refusals::limit_exceeded(10)],
    ..WORKSPACE
};

/// How a key is replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rotation {
    overlap: SignedDuration,
}

impl Body for Rotation {
    const MEMBERS: &'static [&'static dyn Declared] = &[&OVERLAP_SECONDS];

    fn read(fields: &mut Fields<'_>) -> Self {
        let seconds = OVERLAP_SECONDS.read(fields).unwrap_or_default();
        Self {
            overlap: SignedDuration::from_secs(seconds),
        }
    }
}

/// Replaces a key of the workspace: 201 with the new key, which is not shown again.
pub(crate) async fn rotate_key(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(rotation): JsonBody<Rotation>,
) -> Result<Response, ApiError> {
    // The workspace's lock makes two rotations of a key take turns, and the second finds it replaced.
    let (mut work, former) = Work::on::<Key>(&app, &access, id).await?;
    let (tenant, now) = (work.tenant, work.now);
    if !former.is_live(now) {
        return Err(refusals::key_not_found());
    }
    check_scopes(tenant, &former)?;
    let workspace_id = tenant.workspace.id;
    // During an overlap there is one key more than usual, but rotations cannot pile up keys.
    let count = store::keys::count_live(&mut work.tx, workspace_id, now).await?;
    if let Some(max) = tenant.workspace.plan().limits().api_keys
        && count > i64::from(max)
    {
        return Err(refusals::limit_exceeded(max));
    }
    end(&mut work, former.id, rotation).await?;
    let secret = Secret::draw(&*app.ids);
    let new = NewKey {
        id: app.ids.uuid_v7(now),
        workspace_id,
        hash: secret.hash(),
        prefix: secret.prefix(),
        name: &former.name,
        scopes: &former.scopes,
        created_by: &tenant.sub,
        expires_at: former.expires_at.map(jiff_sqlx::Timestamp::to_jiff),
    };
    let key = store::keys::insert(&mut work.tx, new, now).await?;
    let detail = json!({ "replacedBy": key.id, "overlapSeconds": rotation.overlap.as_secs() });
    work.commit("api_key.rotated", former.id, detail).await?;
    Ok(created(WireNewKey::new(key, secret)))
}

/// The new key belongs to the caller, who must be allowed to give all its scopes. Otherwise a
/// rotation would hand out more than a new key may have. A scope that new keys cannot have any more
/// opens nothing, so it may stay.
fn check_scopes(tenant: &Tenant, former: &Key) -> Result<(), ApiError> {
    let given = |scope: &String| tenant.may_give(scope) != Some(false);
    if former.scopes.iter().all(given) {
        Ok(())
    } else {
        Err(refusals::permission_missing())
    }
}

async fn end(work: &mut Work<'_>, id: Uuid, rotation: Rotation) -> sqlx::Result<()> {
    let now = work.now;
    if rotation.overlap.is_zero() {
        store::keys::revoke(&mut work.tx, id, work.tenant.workspace.id, now).await?;
        return Ok(());
    }
    let at = now.saturating_add(rotation.overlap).unwrap_or(now);
    store::keys::end(&mut work.tx, id, at).await
}

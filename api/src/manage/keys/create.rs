//! `POST /api/keys`: makes an API key.

use super::{
    members::{EXPIRES_AT, NAME, SCOPES},
    secret::Secret,
    wire::WireNewKey,
};
use crate::{
    app::App,
    auth::{Access, Permission, Tenant},
    command::{Answer, Command, Verb, WORKSPACE, body},
    extract::JsonBody,
    manage::{managed::check_count, work::Work},
    refusals,
    store::{self, keys::NewKey},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff::Timestamp;
use runtime::{
    http::{ApiError, Fields, created},
    members::{Body, Declared},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const CREATE_KEY: Command = Command {
    id: "keys.create",
    verb: Verb::Post,
    path: "/api/keys",
    permission: Permission("api_keys:create"),
    handler: ("create_key", |by| on(by, create_key)),
    summary: "Makes an API key. Only this answer shows it.",
    body: body::<Draft>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The key.",
        Document::type_of::<WireNewKey>,
    ),
    refusals: || vec![refusals::limit_exceeded(10)],
    ..WORKSPACE
};

/// What a key is asked to be.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    name: String,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
}

impl Body for Draft {
    const MEMBERS: &'static [&'static dyn Declared] = &[&NAME, &SCOPES, &EXPIRES_AT];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: NAME.read(fields).unwrap_or_default(),
            scopes: SCOPES.read(fields).unwrap_or_default(),
            expires_at: EXPIRES_AT.read(fields),
        }
    }
}

impl Draft {
    /// 400 with every scope that is unknown or not the caller's to give, and for an expiry that has
    /// passed.
    fn check(&self, tenant: &Tenant, now: Timestamp) -> Result<(), ApiError> {
        let mut problems: Vec<String> = self
            .scopes
            .iter()
            .filter_map(|scope| match tenant.may_give(scope) {
                Some(true) => None,
                Some(false) => Some(format!(
                    "scopes contains {scope}, which is not yours to give"
                )),
                None => Some(format!("scopes contains {scope}, which is not a scope")),
            })
            .collect();
        if self.expires_at.is_some_and(|at| at <= now) {
            problems.push("expiresAt must be in the future".to_owned());
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ApiError::validation(problems))
        }
    }
}

/// Makes a key: 201 with the key, which is not shown again.
pub(crate) async fn create_key(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(draft): JsonBody<Draft>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    draft.check(tenant, now)?;
    let workspace_id = tenant.workspace.id;
    let mut work = Work::begin(&app, tenant, now).await?;
    let count = store::keys::count_live(&mut work.tx, workspace_id, now).await?;
    if let Some(max) = tenant.workspace.plan().limits().api_keys {
        check_count(count, max)?;
    }
    let secret = Secret::draw(&*app.ids);
    let new = NewKey {
        id: app.ids.uuid_v7(now),
        workspace_id,
        hash: secret.hash(),
        prefix: secret.prefix(),
        name: &draft.name,
        scopes: &draft.scopes,
        created_by: &tenant.sub,
        expires_at: draft.expires_at,
    };
    let key = store::keys::insert(&mut work.tx, new, now).await?;
    let detail = json!({ "name": key.name, "prefix": key.prefix, "scopes": key.scopes });
    work.commit("api_key.created", key.id, detail).await?;
    Ok(created(WireNewKey::new(key, secret)))
}

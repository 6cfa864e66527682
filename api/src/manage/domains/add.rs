//! `POST /api/domains`: adds a host, which serves nothing before its proof.

use super::{
    errors,
    wire::{HOST, WireDomain},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE, body},
    extract::JsonBody,
    manage::{managed::check_count, work::Work},
    refusals,
    store::{self, broken_constraint},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, created},
    members::{Body, Declared},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

/// Most hosts of a workspace whose plan sets no limit.
const MAX_DOMAINS: u32 = 1_000;

pub(super) const ADD_DOMAIN: Command = Command {
    id: "domains.add",
    verb: Verb::Post,
    path: "/api/domains",
    permission: Permission("domains:create"),
    handler: ("add_domain", |by| on(by, add_domain)),
    summary: "Adds a host. The answer has the TXT record that proves it.",
    body: body::<Draft>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The domain, pending.",
        Document::type_of::<WireDomain>,
    ),
    refusals: || {
        vec![
            errors::built_in_domain(),
            errors::domain_exists(),
            refusals::limit_exceeded(10),
        ]
    },
    ..WORKSPACE
};

/// The host.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    host: String,
}

impl Body for Draft {
    const MEMBERS: &'static [&'static dyn Declared] = &[&HOST];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            host: HOST.read(fields).unwrap_or_default(),
        }
    }
}

/// Adds a host: 201 with it.
pub(crate) async fn add_domain(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(draft): JsonBody<Draft>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    if draft.host == app.public_host {
        return Err(errors::built_in_domain());
    }
    let workspace_id = tenant.workspace.id;
    let mut work = Work::begin(&app, tenant, now).await?;
    let count = store::domains::count(&mut *work.tx, workspace_id).await?;
    let max = tenant.workspace.plan().limits().domains;
    check_count(count, max.unwrap_or(MAX_DOMAINS))?;
    let random = u128::from_be_bytes(app.ids.random_16());
    let proof = format!("footfall-verification={random:032x}");
    let ids = (app.ids.uuid_v7(now), workspace_id);
    let domain = store::domains::insert(&mut work.tx, ids, (&draft.host, &proof), now)
        .await
        .map_err(refusal)?;
    let detail = json!({ "host": domain.host });
    work.commit("domain.created", domain.id, detail).await?;
    Ok(created(WireDomain::from(domain)))
}

/// The error for a host that the workspace has already.
fn refusal(error: sqlx::Error) -> ApiError {
    match broken_constraint(&error) {
        Some("domains_of_workspace") => errors::domain_exists(),
        _ => error.into(),
    }
}

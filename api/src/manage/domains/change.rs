//! `PATCH` and `DELETE /api/domains/{domainId}`: makes a host the default, and removes one.

use super::{
    DOMAIN, find, lock,
    wire::{IS_DEFAULT, WireDomain},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    refusals, store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, done, ok},
    members::{Body, Declared},
    openapi::Document,
};
use schemas::directory::Entry;
use serde_json::json;
use std::sync::Arc;

pub(super) const UPDATE_DOMAIN: Command = Command {
    id: "domains.update",
    verb: Verb::Patch,
    path: "/api/domains/{domainId}",
    subject: Subject::Object(DOMAIN),
    permission: Permission("domains:update"),
    handler: ("update_domain", |by| on(by, update_domain)),
    summary: "Makes a verified domain the default of new links, or no longer.",
    body: body::<Change>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The domain.",
        Document::type_of::<WireDomain>,
    ),
    refusals: || vec![refusals::domain_not_found(), refusals::domain_pending()],
    ..WORKSPACE
};

pub(super) const REMOVE_DOMAIN: Command = Command {
    id: "domains.remove",
    verb: Verb::Delete,
    path: "/api/domains/{domainId}",
    subject: Subject::Object(DOMAIN),
    permission: Permission("domains:delete"),
    handler: ("remove_domain", |by| on(by, remove_domain)),
    summary: "Removes a domain. It serves nothing from then on.",
    answer: Answer::Done("Removed."),
    refusals: || vec![refusals::domain_not_found()],
    ..WORKSPACE
};

/// Whether new links get the host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    is_default: bool,
}

impl Body for Change {
    const MEMBERS: &'static [&'static dyn Declared] = &[&IS_DEFAULT];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            is_default: IS_DEFAULT.read(fields).unwrap_or_default(),
        }
    }
}

/// Makes a host the default, or no longer.
pub(crate) async fn update_domain(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<Change>,
) -> Result<Response, ApiError> {
    let domain = find(&app, &access, id).await?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    let domain = lock(&mut tx, &domain).await?;
    if change.is_default && domain.verified_at.is_none() {
        return Err(refusals::domain_pending());
    }
    if domain.is_default == change.is_default {
        return Ok(ok(WireDomain::from(domain)));
    }
    let ids = (domain.id, domain.workspace_id);
    let domain = store::domains::set_default(&mut tx, ids, change.is_default).await?;
    let audit = store::audit::Entry {
        workspace_id: domain.workspace_id,
        actor: &tenant.actor(),
        action: "domain.updated",
        subject: domain.id,
        at: now,
        detail: json!({ "host": domain.host, "isDefault": domain.is_default }),
    };
    store::audit::insert(&mut tx, audit).await?;
    tx.commit().await?;
    Ok(ok(WireDomain::from(domain)))
}

/// Removes a host.
pub(crate) async fn remove_domain(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let domain = find(&app, &access, id).await?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    let domain = lock(&mut tx, &domain).await?;
    let domain = store::domains::remove(&mut tx, domain.id, now).await?;
    let audit = store::audit::Entry {
        workspace_id: domain.workspace_id,
        actor: &tenant.actor(),
        action: "domain.deleted",
        subject: domain.id,
        at: now,
        detail: json!({ "host": domain.host }),
    };
    store::audit::insert(&mut tx, audit).await?;
    // The directory has no entry of an unproven host, or that of another workspace.
    if domain.verified_at.is_some() {
        let no = tenant.workspace.directory_entry().workspace_no;
        let entry = Entry::Domain(domain.directory_entry(no, true));
        store::outbox::insert(&mut tx, &[entry], now).await?;
    }
    tx.commit().await?;
    Ok(done())
}

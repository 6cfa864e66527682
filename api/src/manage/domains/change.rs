//! `PATCH` and `DELETE /api/domains/{domainId}`: makes a host the default, and removes one.

use super::{
    DOMAIN, begin, errors,
    wire::{IS_DEFAULT, WireDomain},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    store,
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
    refusals: || vec![errors::not_found(), errors::domain_pending()],
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
    refusals: || vec![errors::not_found()],
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
    let (mut work, domain) = begin(&app, &access, id).await?;
    if change.is_default && domain.verified_at.is_none() {
        return Err(errors::domain_pending());
    }
    if domain.is_default == change.is_default {
        return Ok(ok(WireDomain::from(domain)));
    }
    let ids = (domain.id, domain.workspace_id);
    let domain = store::domains::set_default(&mut work.tx, ids, change.is_default).await?;
    let detail = json!({ "host": domain.host, "isDefault": domain.is_default });
    work.commit("domain.updated", domain.id, detail).await?;
    Ok(ok(WireDomain::from(domain)))
}

/// Removes a host.
pub(crate) async fn remove_domain(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let (mut work, domain) = begin(&app, &access, id).await?;
    let domain = store::domains::remove(&mut work.tx, domain.id, work.now).await?;
    // The directory has no entry of an unproven host, or that of another workspace.
    if domain.verified_at.is_some() {
        let no = work.tenant.workspace.directory_entry().workspace_no;
        let entry = Entry::Domain(domain.directory_entry(no, true));
        work.publish(&[entry]).await?;
    }
    let detail = json!({ "host": domain.host });
    work.commit("domain.deleted", domain.id, detail).await?;
    Ok(done())
}

//! `POST /api/domains/{domainId}/verify`: looks for the TXT record that proves a host.

use super::{
    DOMAIN, begin, errors,
    wire::{WireDomain, proof_name},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    extract::ObjectId,
    store::{self, Tx, domains::Domain},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff::Timestamp;
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use schemas::directory::Entry;
use serde_json::json;
use std::sync::Arc;

pub(super) const VERIFY_DOMAIN: Command = Command {
    id: "domains.verify",
    verb: Verb::Post,
    path: "/api/domains/{domainId}/verify",
    subject: Subject::Object(DOMAIN),
    permission: Permission("domains:update"),
    handler: ("verify_domain", |by| on(by, verify_domain)),
    summary: "Looks for the TXT record of a domain; with it, the domain serves links.",
    about: "The newest proof wins: another workspace that has the host loses it.",
    answer: Answer::Data(
        StatusCode::OK,
        "The domain, verified.",
        Document::type_of::<WireDomain>,
    ),
    refusals: || vec![errors::not_found(), errors::proof_missing()],
    ..WORKSPACE
};

/// Verifies a host of the workspace.
pub(crate) async fn verify_domain(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let named = id.get(errors::not_found)?;
    let workspace_id = access.tenant()?.workspace.id;
    let domain = store::find(app.main.pool()?, named, workspace_id).await?;
    let domain: Domain = domain.ok_or_else(errors::not_found)?;
    if domain.verified_at.is_some() {
        return Ok(ok(WireDomain::from(domain)));
    }
    // Before the transaction, so that a slow server holds no connection and no lock.
    let name = proof_name(&domain.host);
    let records = app.resolver.find_txt(&name, &*app.ids).await;
    let records = records.map_err(ApiError::unavailable)?;
    if !records.contains(&domain.proof) {
        return Err(errors::proof_missing());
    }
    let (mut work, domain) = begin(&app, &access, id).await?;
    lose(&mut work.tx, &domain, work.now).await?;
    let domain = store::domains::verify(&mut work.tx, domain.id, work.now).await?;
    let no = work.tenant.workspace.directory_entry().workspace_no;
    let entry = Entry::Domain(domain.directory_entry(no, false));
    work.publish(&[entry]).await?;
    let detail = json!({ "host": domain.host });
    work.commit("domain.verified", domain.id, detail).await?;
    Ok(ok(WireDomain::from(domain)))
}

/// Takes the host from its former workspace, whose audit log says so. The entry of the directory is
/// the winner's, since there is one for each host.
async fn lose(tx: &mut Tx<'_>, winner: &Domain, now: Timestamp) -> Result<(), ApiError> {
    let former = store::domains::lose(tx, &winner.host, winner.workspace_id).await?;
    let Some(former) = former else {
        return Ok(());
    };
    let audit = store::audit::Entry {
        workspace_id: former.workspace_id,
        actor: "dns",
        action: "domain.lost",
        subject: former.id,
        at: now,
        detail: json!({ "host": former.host }),
    };
    store::audit::insert(tx, audit).await?;
    Ok(())
}

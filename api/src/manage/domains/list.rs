//! `GET /api/domains` and `GET /api/domains/{domainId}`: reads the hosts of a workspace.

use super::{DOMAIN, errors, wire::WireDomain};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    extract::Query,
    manage::managed::get_object,
    paging::Paging,
    store::{self, domains::Domain},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{http::ApiError, openapi::Document};
use std::sync::Arc;

pub(super) const LIST_DOMAINS: Command = Command {
    id: "domains.list",
    verb: Verb::Get,
    path: "/api/domains",
    permission: Permission("domains:read"),
    handler: ("list_domains", |by| on(by, list_domains)),
    summary: "The hosts of the workspace, the built-in one first.",
    answer: Answer::List("A page of domains.", Document::type_of::<WireDomain>),
    ..WORKSPACE
};

pub(super) const GET_DOMAIN: Command = Command {
    id: "domains.get",
    verb: Verb::Get,
    path: "/api/domains/{domainId}",
    subject: Subject::Object(DOMAIN),
    permission: Permission("domains:read"),
    handler: ("get_domain", |by| on(by, get_object::<Domain>)),
    summary: "A host of the workspace.",
    answer: Answer::Data(
        StatusCode::OK,
        "The domain.",
        Document::type_of::<WireDomain>,
    ),
    refusals: || vec![errors::not_found()],
    ..WORKSPACE
};

/// A page of the workspace's hosts. The built-in one has no row, and takes the first place.
pub(crate) async fn list_domains(
    State(app): State<Arc<App>>,
    access: Access,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let workspace_id = access.tenant()?.workspace.id;
    let mut connection = app.main.pool()?.acquire().await?;
    let (limit, offset) = paging.limit_and_offset();
    let mut domains = Vec::new();
    let place = if offset == 0 {
        let has_default = store::domains::has_default(&mut *connection, workspace_id).await?;
        domains.push(WireDomain::built_in(&app.public_host, !has_default));
        (limit - 1, 0)
    } else {
        (limit, offset - 1)
    };
    let (own, total) = store::list::<Domain>(&mut connection, workspace_id, &(), place).await?;
    domains.extend(own.into_iter().map(WireDomain::from));
    Ok(paging.answer(&domains, total + 1))
}

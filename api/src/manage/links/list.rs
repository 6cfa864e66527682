//! `GET /api/v1/creators/{creatorId}/links`

use super::WireLink;
use crate::{
    app::App,
    auth::{Access, Allowance, Permission},
    command::{Answer, Command, Subject, Verb},
    extract::{PathId, Query},
    members::PAGE_ABOUT,
    refusals, store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use std::sync::Arc;

pub(super) const LIST_LINKS: Command = Command {
    id: "creators.links.list",
    verb: Verb::Get,
    path: "/api/v1/creators/{creatorId}/links",
    subject: Subject::Creator,
    permission: Permission("links:read"),
    limit: Allowance::a_minute(20),
    handler: ("list_links", |by| on(by, list_links)),
    summary: "The links of a page.",
    about: "",
    page: Some(PAGE_ABOUT),
    body: &[],
    answer: Answer::Data(
        StatusCode::OK,
        "The links.",
        Document::type_of::<Vec<WireLink>>,
    ),
    refusals: Vec::new,
};

/// The links of a page of the caller, also inactive and future ones.
pub(crate) async fn list_links(
    State(app): State<Arc<App>>,
    access: Access,
    PathId(creator_id): PathId,
    query: Query,
) -> Result<Response, ApiError> {
    let page_id = query.uuid("bioPageId")?;
    let pool = app.main.pool()?;
    let creator = access
        .creator(pool, creator_id, refusals::not_owner)
        .await?;
    let page = store::pages::find(pool, creator.id, page_id)
        .await?
        .ok_or_else(refusals::page_not_found)?;
    let links = store::links::list_of_page(pool, page.id).await?;
    let links: Vec<WireLink> = links.into_iter().map(WireLink::from).collect();
    Ok(ok(links))
}

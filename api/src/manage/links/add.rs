//! `POST /api/v1/creators/{creatorId}/links`: puts a link on a page.

use super::{
    WireLink,
    draft::{Draft, Target},
};
use crate::manage::short_links::{refuse_loop, short_code};
use crate::{
    app::App,
    auth::{Access, Allowance, Permission},
    command::{Answer, Command, Subject, Verb, body},
    extract::{JsonBody, PathId, Query},
    members::PAGE_BESIDE_BODY,
    refusals,
    store::{self, Tx, creators::Creator, links::BioLink, record},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, created},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

pub(super) const ADD_LINK: Command = Command {
    id: "creators.links.add",
    verb: Verb::Post,
    path: "/api/v1/creators/{creatorId}/links",
    subject: Subject::Creator,
    permission: Permission("links:create"),
    limit: Allowance::an_hour(30),
    handler: ("add_link", |by| on(by, add_link)),
    summary: "Adds a link to a page.",
    about: "Without `embedType`, it is detected from the url.",
    page: Some(PAGE_BESIDE_BODY),
    query: &[],
    body: body::<Draft>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The link.",
        Document::type_of::<WireLink>,
    ),
    refusals: || {
        let limit = refusals::limit_reached(100);
        refusals::of_contents().into_iter().chain([limit]).collect()
    },
};

/// Puts a link on a page of the caller: 201 with the link.
pub(crate) async fn add_link(
    State(app): State<Arc<App>>,
    access: Access,
    PathId(creator_id): PathId,
    query: Query,
    JsonBody(draft): JsonBody<Draft>,
) -> Result<Response, ApiError> {
    let page_id = draft.page_id.or(query.uuid("bioPageId")?);
    let now = app.clock.now();
    refuse_loop(&app, &draft.url).await?;
    let mut tx = app.main.pool()?.begin().await?;
    let creator = access
        .creator(&mut *tx, creator_id, refusals::not_owner)
        .await?;
    let target = draft.check()?;
    if app.words.flag(&draft.title) {
        return Err(refusals::link_flagged());
    }
    // The lock makes concurrent requests count one after the other.
    let page_id = store::pages::lock(&mut tx, creator.id, page_id)
        .await?
        .ok_or_else(refusals::page_not_found)?;
    let count = store::links::count(&mut tx, page_id).await?;
    if count >= i64::from(app.max_links) {
        return Err(refusals::limit_reached(app.max_links));
    }
    let id = app.ids.uuid_v7(now);
    insert_link(&app, &mut tx, &creator, (id, &target.url), now).await?;
    let link = compose(id, draft, target, count);
    store::links::insert_bio_link(&mut tx, page_id, &link, now).await?;
    let audit = store::audit::Entry {
        workspace_id: creator.workspace_id,
        actor: access.user()?,
        action: "link.created",
        subject: id,
        at: now,
        detail: json!({ "bioPageId": page_id, "title": link.title, "url": link.url }),
    };
    record::link_change(&mut tx, page_id, audit).await?;
    tx.commit().await?;
    Ok(created(WireLink::from(link)))
}

/// Creates the link that the bio link shows, with a code that is free.
async fn insert_link(
    app: &App,
    tx: &mut Tx<'_>,
    creator: &Creator,
    (id, destination): (Uuid, &str),
    now: Timestamp,
) -> Result<(), ApiError> {
    let ids = (creator.workspace_id, id);
    let code = short_code::draw(tx, &*app.ids, None, ids).await?;
    store::links::insert(tx, (id, creator.workspace_id), destination, &code, now).await?;
    Ok(())
}

fn compose(id: Uuid, draft: Draft, target: Target, count: i64) -> BioLink {
    BioLink {
        id,
        title: draft.title,
        url: target.url,
        icon: draft.icon,
        sort_order: draft
            .sort_order
            // By default after the existing links.
            .unwrap_or_else(|| i32::try_from(count).unwrap_or(i32::MAX)),
        active: draft.active,
        is_social: draft.is_social,
        platform: draft.platform,
        embed_type: target.embed_type,
        embed_meta: target.embed_meta,
        scheduled_start: draft.start.map(ToSqlx::to_sqlx),
        scheduled_end: draft.end.map(ToSqlx::to_sqlx),
    }
}

//! `POST` and `GET /api/v1/creators/{creatorId}/bio`: adds and reads a page.

use super::{
    members::{BIO, SLUG},
    wire::WireBioPage,
};
use crate::{
    app::App,
    auth::{Access, Allowance, Permission},
    command::{Answer, Command, Subject, Verb, body},
    extract::{JsonBody, PathId, Query},
    manage::links::WireLink,
    members::PAGE_ABOUT,
    refusals,
    store::{self, broken_constraint},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, Fields, created, ok},
    members::{Body, Declared},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const GET_PAGE: Command = Command {
    id: "creators.bio.get",
    verb: Verb::Get,
    path: "/api/v1/creators/{creatorId}/bio",
    subject: Subject::Creator,
    permission: Permission("pages:read"),
    limit: Allowance::a_minute(60),
    handler: ("get_page", |by| on(by, get_page)),
    summary: "A page with all its links, inactive and future ones included.",
    about: "",
    page: Some(PAGE_ABOUT),
    query: &[],
    body: &[],
    answer: Answer::Data(
        StatusCode::OK,
        "The page.",
        Document::type_of::<WireBioPage>,
    ),
    refusals: Vec::new,
};

pub(super) const ADD_PAGE: Command = Command {
    id: "creators.bio.add",
    verb: Verb::Post,
    path: "/api/v1/creators/{creatorId}/bio",
    subject: Subject::Creator,
    permission: Permission("pages:create"),
    limit: Allowance::an_hour(30),
    handler: ("add_page", |by| on(by, add_page)),
    summary: "Adds a page, public at `/@username/slug`.",
    about: "",
    page: None,
    query: &[],
    body: body::<NewPage>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The page.",
        Document::type_of::<WireBioPage>,
    ),
    refusals: || {
        vec![
            refusals::page_flagged(),
            refusals::page_limit_reached(20),
            refusals::slug_taken(),
        ]
    },
};

/// A page of the caller with all its links, inactive and future ones included.
pub(crate) async fn get_page(
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
    let links = links.into_iter().map(WireLink::from).collect();
    Ok(ok(WireBioPage::new(page, links)))
}

/// Adds a page after the caller's others: 201 with the page.
pub(crate) async fn add_page(
    State(app): State<Arc<App>>,
    access: Access,
    PathId(creator_id): PathId,
    JsonBody(NewPage { slug, bio }): JsonBody<NewPage>,
) -> Result<Response, ApiError> {
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let creator = access
        .creator(&mut *tx, creator_id, refusals::not_owner)
        .await?;
    if app.words.flag(&bio) {
        return Err(refusals::page_flagged());
    }
    // Locks the first page, so that concurrent requests count one after the other.
    store::pages::lock(&mut tx, creator.id, None).await?;
    if store::pages::count(&mut tx, creator.id).await? >= i64::from(app.max_pages) {
        return Err(refusals::page_limit_reached(app.max_pages));
    }
    let ids = (app.ids.uuid_v7(now), creator.id);
    let page = store::pages::insert(&mut tx, ids, (&slug, &bio), now)
        .await
        // The constraint also decides between concurrent requests with one slug.
        .map_err(|error| match broken_constraint(&error) {
            Some("bio_pages_slug_key") => refusals::slug_taken(),
            _ => error.into(),
        })?;
    let audit = store::audit::Entry {
        workspace_id: creator.workspace_id,
        actor: access.user()?,
        action: "bio_page.created",
        subject: page.id,
        at: now,
        detail: json!({ "slug": slug }),
    };
    store::audit::insert(&mut tx, audit).await?;
    store::outbox::insert(&mut tx, &[page.directory_entry(&creator)], now).await?;
    tx.commit().await?;
    let page = WireBioPage::new(page, Vec::new());
    Ok(created(page))
}

/// A new page, as a request gives it.
#[derive(Clone, Debug)]
pub(super) struct NewPage {
    slug: String,
    /// Plain text.
    bio: String,
}

impl Body for NewPage {
    const MEMBERS: &'static [&'static dyn Declared] = &[&SLUG, &BIO];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            slug: SLUG.read(fields).unwrap_or_default().to_owned(),
            bio: BIO.read(fields).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::members;
    use serde_json::Value;

    fn read(body: &Value) -> Option<(String, String)> {
        let page: NewPage = members::read(body.as_object().unwrap()).ok()?;
        Some((page.slug, page.bio))
    }

    #[test]
    fn a_page_needs_a_slug_and_may_have_a_text() {
        let taken = |slug: &str, bio: &str| Some((slug.to_owned(), bio.to_owned()));
        assert_eq!(read(&json!({"slug": "my-2nd"})), taken("my-2nd", ""));
        assert_eq!(
            read(&json!({"slug": "a", "bio": "<b>Hi</b>\n&amp; bye"})),
            taken("a", "Hi\n& bye")
        );
        for slug in [
            "", "A", "a b", "ä", "a/b", "a.b", "a_b", "-a", "a-", "a--b", "xn--a", "-",
        ] {
            assert_eq!(read(&json!({ "slug": slug })), None, "{slug:?}");
        }
        assert!(read(&json!({"slug": "x".repeat(40)})).is_some());
        assert!(read(&json!({"slug": "x".repeat(41)})).is_none());
        assert!(read(&json!({"bio": "x"})).is_none());
        assert!(read(&json!({"slug": "a", "bio": "x".repeat(5001)})).is_none());
    }
}

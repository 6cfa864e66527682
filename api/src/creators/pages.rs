//! `POST` and `GET /api/v1/creators/{creatorId}/bio`

use super::{
    username::is_spelled,
    wire::{MAX_BIO_CHARS, MAX_SLUG_CHARS, WireBioPage},
};
use crate::{
    app::App,
    extract::{JsonObject, PathId, Query},
    guard::Caller,
    links::{WireLink, plain_text},
    refusals,
    store::{self, broken_constraint},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use runtime::http::{ApiError, Fields, ok};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A page of the caller with all its links, also inactive and future ones.
pub(crate) async fn get_page(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(creator_id): PathId,
    query: Query,
) -> Result<Response, ApiError> {
    let page_id = query.uuid("bioPageId")?;
    let pool = app.main.pool()?;
    let creator = store::creators::find_owned(pool, creator_id, &caller.sub)
        .await?
        .ok_or_else(refusals::not_owner)?;
    let page = store::pages::find(pool, creator.id, page_id)
        .await?
        .ok_or_else(refusals::page_not_found)?;
    let links = store::links::list_of_page(pool, page.id).await?;
    let links = links.into_iter().map(WireLink::from).collect();
    Ok(ok(WireBioPage::new(page, links)).into_response())
}

/// Adds a page behind the caller's others: 201 with the page.
pub(crate) async fn add_page(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(creator_id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let (slug, bio) = read_page(&body)?;
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let creator = store::creators::find_owned(&mut *tx, creator_id, &caller.sub)
        .await?
        .ok_or_else(refusals::not_owner)?;
    if app.words.flag(&bio) {
        return Err(refusals::page_flagged());
    }
    // Of the first page: two that add at the same time count one after the other.
    store::pages::lock(&mut tx, creator.id, None).await?;
    if store::pages::count(&mut tx, creator.id).await? >= i64::from(app.max_pages) {
        return Err(refusals::page_limit_reached(app.max_pages));
    }
    let ids = (app.ids.uuid_v7(now), creator.id);
    let page = store::pages::insert(&mut tx, ids, (slug, &bio), now)
        .await
        .map_err(|error| match broken_constraint(&error) {
            Some("bio_pages_slug_key") => refusals::slug_taken(),
            _ => error.into(),
        })?;
    let audit = store::audit::Entry {
        workspace_id: creator.workspace_id,
        actor: &caller.sub,
        action: "bio_page.created",
        subject: page.id,
        at: now,
        detail: json!({ "slug": slug }),
    };
    store::audit::insert(&mut tx, audit).await?;
    store::outbox::insert(&mut tx, &[page.directory_entry(&creator)], now).await?;
    tx.commit().await?;
    let page = WireBioPage::new(page, Vec::new());
    Ok((StatusCode::CREATED, ok(page)).into_response())
}

fn read_page(body: &Map<String, Value>) -> Result<(&str, String), ApiError> {
    let mut fields = Fields::new(body);
    let slug = fields.required_string("slug", MAX_SLUG_CHARS);
    if slug.is_some_and(|slug| !is_spelled(slug, &['-'])) {
        fields.problem("slug must consist of a-z and 0-9, with single - between them");
    }
    let bio = fields.string("bio", MAX_BIO_CHARS).map(plain_text);
    fields.finish()?;
    Ok((slug.unwrap_or_default(), bio.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Option<(String, String)> {
        let (slug, bio) = read_page(body.as_object().unwrap()).ok()?;
        Some((slug.to_owned(), bio))
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

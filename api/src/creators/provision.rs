//! `POST /api/v1/creators` and `GET /api/v1/creators/me`

use super::username;
use crate::{
    app::App,
    extract::JsonObject,
    guard::Caller,
    instant::iso_millis,
    links::plain_line,
    refusals,
    store::{self, Tx, broken_constraint, creators::Creator, pages::Page},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use runtime::http::{ApiError, Fields, ok};
use schemars::JsonSchema;
use schemas::{directory::Entry, visible::is_blank};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Longest display name.
pub(super) const MAX_NAME_CHARS: usize = 100;
/// Slug of the page that comes with a creator; it is public at `/@username` as well.
const FIRST_SLUG: &str = "main";

/// A creator as routes answer it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Creator", description = "A creator with their pages.")]
pub(super) struct WireCreator {
    id: Uuid,
    /// Their tenant.
    workspace_id: Uuid,
    username: String,
    display_name: String,
    /// The first page.
    bio_page_id: Option<Uuid>,
    bio_pages: Vec<WirePage>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
}

/// A page's names.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[schemars(rename = "PageNames")]
struct WirePage {
    id: Uuid,
    /// As in `/@username/slug`.
    slug: String,
}

impl WireCreator {
    fn new(creator: Creator, pages: Vec<(Uuid, String)>) -> Self {
        let bio_pages: Vec<WirePage> = pages
            .into_iter()
            .map(|(id, slug)| WirePage { id, slug })
            .collect();
        Self {
            id: creator.id,
            workspace_id: creator.workspace_id,
            created_at: iso_millis(creator.created_at()),
            username: creator.username,
            display_name: creator.display_name,
            bio_page_id: bio_pages.first().map(|page| page.id),
            bio_pages,
        }
    }
}

/// Makes workspace, creator and first page for the token's subject: 201 with the creator.
pub(crate) async fn create_creator(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let (username, display_name) = read_names(&body)?;
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    // Asked first, so that a refusal does not use up a workspace number.
    let (exists, taken) = store::creators::find_conflicts(&mut tx, &caller.sub, &username).await?;
    if exists {
        return Err(refusals::creator_exists());
    }
    if taken {
        return Err(refusals::username_taken());
    }
    let names = (username.as_str(), display_name.as_str());
    let (creator, page) = insert(&app, &mut tx, &caller, names, now).await?;
    tx.commit().await?;
    let pages = vec![(page.id, FIRST_SLUG.to_owned())];
    Ok((StatusCode::CREATED, ok(WireCreator::new(creator, pages))).into_response())
}

/// The caller's creator, or 404.
pub(crate) async fn get_creator(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let pool = app.main.pool()?;
    let creator = store::creators::find_by_sub(pool, &caller.sub)
        .await?
        .ok_or_else(refusals::creator_not_found)?;
    let pages = store::pages::list_slugs(pool, creator.id).await?;
    Ok(ok(WireCreator::new(creator, pages)).into_response())
}

fn read_names(body: &Map<String, Value>) -> Result<(String, String), ApiError> {
    let mut fields = Fields::new(body);
    // Its length is the username's own rule, with a key of its own.
    let given = fields.required_string("username", usize::MAX);
    let display_name = fields.string("displayName", MAX_NAME_CHARS);
    let display_name = display_name.map(plain_line);
    if display_name.as_deref().is_some_and(is_blank) {
        fields.problem("displayName must have visible characters besides HTML");
    }
    fields.finish()?;
    let username = given
        .and_then(username::read)
        .ok_or_else(refusals::invalid_username)?;
    let display_name = display_name.unwrap_or_else(|| username.clone());
    Ok((username, display_name))
}

async fn insert(
    app: &App,
    tx: &mut Tx<'_>,
    caller: &Caller,
    names: (&str, &str),
    now: Timestamp,
) -> Result<(Creator, Page), ApiError> {
    let workspace = store::creators::insert_workspace(tx, app.ids.uuid_v7(now), now).await?;
    let ids = (app.ids.uuid_v7(now), &workspace);
    let creator = store::creators::insert(tx, ids, &caller.sub, names, now)
        .await
        .map_err(refusal)?;
    let ids = (app.ids.uuid_v7(now), creator.id);
    let page = store::pages::insert(tx, ids, (FIRST_SLUG, ""), now).await?;
    let audit = store::audit::Entry {
        workspace_id: creator.workspace_id,
        actor: &caller.sub,
        action: "creator.created",
        subject: creator.id,
        at: now,
        detail: json!({ "username": creator.username, "bioPageId": page.id }),
    };
    store::audit::insert(tx, audit).await?;
    let entries = [Entry::Workspace(workspace), page.directory_entry(&creator)];
    store::outbox::insert(tx, &entries, now).await?;
    Ok((creator, page))
}

/// What a constraint says when two requests came at the same time.
fn refusal(error: sqlx::Error) -> ApiError {
    match broken_constraint(&error) {
        Some("creators_sub_key") => refusals::creator_exists(),
        Some("creators_username_key") => refusals::username_taken(),
        _ => error.into(),
    }
}

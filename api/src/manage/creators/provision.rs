//! `POST /api/v1/creators` and `GET /api/v1/creators/me`: makes and reads a creator.

use super::{
    members::{DISPLAY_NAME, USERNAME},
    username,
};
use crate::{
    app::App,
    auth::{Access, Allowance, Permission},
    command::{Answer, Command, Subject, Verb, body},
    extract::JsonBody,
    instant::iso_millis,
    manage::workspaces,
    refusals,
    store::{self, Tx, broken_constraint, creators::Creator, pages::Page},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff::Timestamp;
use runtime::{
    http::{ApiError, Fields, created, ok},
    members::{Body, Declared},
    openapi::Document,
};
use schemars::JsonSchema;
use schemas::directory::Entry;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Slug of the page that a new creator gets, which is also public at `/@username`.
const FIRST_SLUG: &str = "main";

/// The limit is low, because each call uses a workspace number.
pub(super) const CREATE_CREATOR: Command = Command {
    id: "creators.create",
    verb: Verb::Post,
    path: "/api/v1/creators",
    subject: Subject::User,
    permission: Permission("creators:create"),
    limit: Allowance::an_hour(30),
    handler: ("create_creator", |by| on(by, create_creator)),
    summary: "Creates a creator and a first page for the token's user.",
    about: "",
    page: None,
    query: &[],
    body: body::<Names>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The creator.",
        Document::type_of::<WireCreator>,
    ),
    refusals: || {
        vec![
            refusals::invalid_username(),
            refusals::creator_exists(),
            refusals::username_taken(),
        ]
    },
};

pub(super) const GET_CREATOR: Command = Command {
    id: "creators.me",
    verb: Verb::Get,
    path: "/api/v1/creators/me",
    subject: Subject::User,
    permission: Permission("creators:read"),
    limit: Allowance::a_minute(60),
    handler: ("get_creator", |by| on(by, get_creator)),
    summary: "The token's user as a creator.",
    about: "",
    page: None,
    query: &[],
    body: &[],
    answer: Answer::Data(
        StatusCode::OK,
        "The creator.",
        Document::type_of::<WireCreator>,
    ),
    refusals: || vec![refusals::creator_not_found()],
};

/// A creator as routes answer it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Creator", description = "A creator with their pages.")]
pub(super) struct WireCreator {
    id: Uuid,
    /// The creator's workspace (tenant).
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

/// Creates the workspace, the creator and its first page for the token's subject: 201 with the
/// creator.
pub(crate) async fn create_creator(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(names): JsonBody<Names>,
) -> Result<Response, ApiError> {
    let (username, display_name) = names.check()?;
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    // Checked first, so that a refusal does not use up a workspace number.
    let (exists, taken) =
        store::creators::find_conflicts(&mut tx, access.user()?, &username).await?;
    if exists {
        return Err(refusals::creator_exists());
    }
    if taken {
        return Err(refusals::username_taken());
    }
    let names = (username.as_str(), display_name.as_str());
    let (creator, page) = insert(&app, &mut tx, &access, names, now).await?;
    tx.commit().await?;
    let pages = vec![(page.id, FIRST_SLUG.to_owned())];
    Ok(created(WireCreator::new(creator, pages)))
}

/// The caller's creator, or 404.
pub(crate) async fn get_creator(
    State(app): State<Arc<App>>,
    access: Access,
) -> Result<Response, ApiError> {
    let pool = app.main.pool()?;
    let creator = store::creators::find_by_sub(pool, access.user()?)
        .await?
        .ok_or_else(refusals::creator_not_found)?;
    let pages = store::pages::list_slugs(pool, creator.id).await?;
    Ok(ok(WireCreator::new(creator, pages)))
}

/// The names that a creator asks for.
#[derive(Clone, Debug)]
pub(super) struct Names {
    username: String,
    display_name: Option<String>,
}

impl Body for Names {
    const MEMBERS: &'static [&'static dyn Declared] = &[&USERNAME, &DISPLAY_NAME];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            username: USERNAME.read(fields).unwrap_or_default().to_owned(),
            display_name: DISPLAY_NAME.read(fields),
        }
    }
}

impl Names {
    /// The username in lower case, and the display name. A username that breaks the rules has its
    /// own error.
    fn check(self) -> Result<(String, String), ApiError> {
        let username = username::read(&self.username).ok_or_else(refusals::invalid_username)?;
        let display_name = self.display_name.unwrap_or_else(|| username.clone());
        Ok((username, display_name))
    }
}

async fn insert(
    app: &App,
    tx: &mut Tx<'_>,
    access: &Access,
    names: (&str, &str),
    now: Timestamp,
) -> Result<(Creator, Page), ApiError> {
    let (_, display_name) = names;
    let draft = store::workspaces::Draft {
        slug: workspaces::random_slug(&*app.ids),
        name: display_name.to_owned(),
        plan: app.plan,
        timezone: "UTC".to_owned(),
        default_currency: "USD".to_owned(),
    };
    let owner = access.user()?;
    let workspace = store::workspaces::insert(tx, &*app.ids, draft, owner, now).await?;
    let workspace = workspace.directory_entry();
    let ids = (app.ids.uuid_v7(now), &workspace);
    let creator = store::creators::insert(tx, ids, access.user()?, names, now)
        .await
        // The earlier check does not see concurrent requests; the constraints decide between them.
        .map_err(refusal)?;
    let ids = (app.ids.uuid_v7(now), creator.id);
    let page = store::pages::insert(tx, ids, (FIRST_SLUG, ""), now).await?;
    let audit = store::audit::Entry {
        workspace_id: creator.workspace_id,
        actor: access.user()?,
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

/// The error for a broken constraint, when two requests arrived at the same time.
fn refusal(error: sqlx::Error) -> ApiError {
    match broken_constraint(&error) {
        Some("creators_sub_key") => refusals::creator_exists(),
        Some("creators_username_key") => refusals::username_taken(),
        _ => error.into(),
    }
}

//! `/api/tags`: the tags of a workspace.
//!
//! Names are compared without case. The directory has no tags, so nothing is published.

use super::{
    asked::Asked,
    plain::{Color, Name, folded},
    trace::trace,
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Family, Object, Parameter, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId, Query},
    instant::iso_micros,
    paging::Paging,
    patch::{Change, apply, differences},
    refusals,
    store::{self, tags::Tag},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::on,
};
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, Fields, done, ok},
    members::{Body, Declared, Member},
    openapi::{Document, text},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Most tags of a workspace.
pub(crate) const MAX_TAGS: u32 = 10_000;

const TAG: Object = Object {
    id: "tagId",
    about: "The tag.",
};

/// The commands of tags.
pub(crate) const FAMILY: Family = Family {
    tag: "Tags",
    about: "Words that links are marked with. A link has up to 20.",
    commands: &[CREATE_TAG, LIST_TAGS, GET_TAG, UPDATE_TAG, DELETE_TAG],
};

const CREATE_TAG: Command = Command {
    id: "tags.create",
    verb: Verb::Post,
    path: "/api/tags",
    permission: Permission("tags:create"),
    handler: ("create_tag", |by| on(by, create_tag)),
    summary: "Creates a tag.",
    body: body::<NewTag>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The tag.",
        Document::type_of::<WireTag>,
    ),
    refusals: || vec![refusals::tag_exists(), refusals::limit_exceeded(MAX_TAGS)],
    ..WORKSPACE
};

const LIST_TAGS: Command = Command {
    id: "tags.list",
    verb: Verb::Get,
    path: "/api/tags",
    permission: Permission("tags:read"),
    handler: ("list_tags", |by| on(by, list_tags)),
    summary: "The tags of the workspace, by name.",
    query: &[Parameter {
        name: "search",
        schema: || text(200).about("A text in the name."),
    }],
    answer: Answer::List("A page of tags.", Document::type_of::<WireTag>),
    ..WORKSPACE
};

const GET_TAG: Command = Command {
    id: "tags.get",
    verb: Verb::Get,
    path: "/api/tags/{tagId}",
    subject: Subject::Object(TAG),
    permission: Permission("tags:read"),
    handler: ("get_tag", |by| on(by, get_tag)),
    summary: "A tag.",
    answer: Answer::Data(StatusCode::OK, "The tag.", Document::type_of::<WireTag>),
    refusals: || vec![refusals::tag_not_found()],
    ..WORKSPACE
};

const UPDATE_TAG: Command = Command {
    id: "tags.update",
    verb: Verb::Patch,
    path: "/api/tags/{tagId}",
    subject: Subject::Object(TAG),
    permission: Permission("tags:update"),
    handler: ("update_tag", |by| on(by, update_tag)),
    summary: "Renames a tag on all its links, or changes its colour.",
    body: body::<TagChange>(),
    answer: Answer::Data(StatusCode::OK, "The tag.", Document::type_of::<WireTag>),
    refusals: || vec![refusals::tag_not_found(), refusals::tag_exists()],
    ..WORKSPACE
};

const DELETE_TAG: Command = Command {
    id: "tags.delete",
    verb: Verb::Delete,
    path: "/api/tags/{tagId}",
    subject: Subject::Object(TAG),
    permission: Permission("tags:delete"),
    handler: ("delete_tag", |by| on(by, delete_tag)),
    summary: "Deletes a tag, also from its links.",
    answer: Answer::Done("Deleted."),
    refusals: || vec![refusals::tag_not_found()],
    ..WORKSPACE
};

const NAME: Member<Name> = Member::new("name", Name).example(|| json!("Spring"));
const NEW_NAME: Member<Name> = NAME.required();
const COLOR: Member<Color> = Member::new("color", Color).example(|| json!("#2e7d32"));

/// A new tag.
#[derive(Clone, Debug)]
struct NewTag {
    name: String,
    color: Option<String>,
}

impl Body for NewTag {
    const MEMBERS: &'static [&'static dyn Declared] = &[&NEW_NAME, &COLOR];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: NEW_NAME.read(fields).unwrap_or_default(),
            color: COLOR.read(fields),
        }
    }
}

/// A change of a tag.
#[derive(Clone, Debug)]
struct TagChange {
    name: Option<String>,
    color: Change<String>,
}

impl Body for TagChange {
    const MEMBERS: &'static [&'static dyn Declared] = &[&NAME, &COLOR];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: NAME.read(fields),
            color: Change::read(fields, &COLOR),
        }
    }
}

/// A tag.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Tag", description = "A tag.")]
struct WireTag {
    id: Uuid,
    name: String,
    color: Option<String>,
    /// How many links have it.
    links: i64,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

impl From<Tag> for WireTag {
    fn from(tag: Tag) -> Self {
        Self {
            id: tag.id,
            name: tag.name,
            color: tag.color,
            links: tag.links,
            created_at: iso_micros(tag.created_at.to_jiff()),
            updated_at: iso_micros(tag.updated_at.to_jiff()),
        }
    }
}

/// Creates a tag: 201, or 409 when the name is taken.
async fn create_tag(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(new): JsonBody<NewTag>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let workspace_id = tenant.workspace.id;
    let id = app.ids.uuid_v7(now);
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, workspace_id).await?;
    if store::tags::count(&mut tx, workspace_id).await? >= i64::from(MAX_TAGS) {
        return Err(refusals::limit_exceeded(MAX_TAGS));
    }
    let form = folded(&new.name);
    let content = (&*new.name, &*form, new.color.as_deref());
    if !store::tags::insert(&mut tx, (id, workspace_id), content, now).await? {
        return Err(refusals::tag_exists());
    }
    let detail = json!({ "name": new.name, "color": new.color });
    trace(&mut tx, (tenant, now), ("tag.created", id), detail).await?;
    tx.commit().await?;
    let tag = WireTag::from(Tag {
        id,
        name: new.name,
        color: new.color,
        created_at: now.to_sqlx(),
        updated_at: now.to_sqlx(),
        links: 0,
    });
    Ok((StatusCode::CREATED, ok(tag)).into_response())
}

/// A page of the tags.
async fn list_tags(
    State(app): State<Arc<App>>,
    access: Access,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let mut asked = Asked::new(&query);
    let search = asked.search().map(|search| folded(&search));
    asked.finish()?;
    let mut connection = app.main.pool()?.acquire().await?;
    let workspace_id = access.tenant()?.workspace.id;
    let part = paging.limit_and_offset();
    let (tags, total) =
        store::tags::list(&mut connection, workspace_id, search.as_deref(), part).await?;
    let tags: Vec<WireTag> = tags.into_iter().map(WireTag::from).collect();
    Ok(paging.answer(&tags, total))
}

/// A tag, or 404.
async fn get_tag(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::tag_not_found)?;
    let mut connection = app.main.pool()?.acquire().await?;
    let tag = store::tags::find(&mut connection, id, access.tenant()?.workspace.id).await?;
    Ok(ok(WireTag::from(tag.ok_or_else(refusals::tag_not_found)?)))
}

/// Changes a tag.
async fn update_tag(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<TagChange>,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::tag_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, tenant.workspace.id).await?;
    let stored = store::tags::find(&mut tx, id, tenant.workspace.id).await?;
    let stored = stored.ok_or_else(refusals::tag_not_found)?;
    let mut tag = stored.clone();
    apply(change.name, &mut tag.name);
    change.color.apply(&mut tag.color);
    let before = WireTag::from(stored);
    let changes = differences(&before, &WireTag::from(tag.clone()))?;
    if changes.is_empty() {
        return Ok(ok(before));
    }
    let form = folded(&tag.name);
    let content = (&*tag.name, &*form, tag.color.as_deref());
    if !store::tags::update(&mut tx, id, content, now).await? {
        return Err(refusals::tag_exists());
    }
    let detail = json!({ "changes": changes });
    trace(&mut tx, (tenant, now), ("tag.updated", id), detail).await?;
    tx.commit().await?;
    tag.updated_at = now.to_sqlx();
    Ok(ok(WireTag::from(tag)))
}

/// Deletes a tag.
async fn delete_tag(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::tag_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, tenant.workspace.id).await?;
    let tag = store::tags::find(&mut tx, id, tenant.workspace.id).await?;
    let tag = tag.ok_or_else(refusals::tag_not_found)?;
    store::tags::delete(&mut tx, id).await?;
    let detail = json!({ "name": tag.name, "links": tag.links });
    trace(&mut tx, (tenant, now), ("tag.deleted", id), detail).await?;
    tx.commit().await?;
    Ok(done())
}

//! `/api/tags`: the tags of a workspace.
//!
//! Names are compared without case. The directory has no tags, so nothing is published.

use super::{
    asked::Asked,
    managed::{Managed, changes, check_count, get_object, list_objects},
    plain::{Color, Name, folded},
    work::Work,
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Family, Object, Parameter, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    instant::iso_micros,
    patch::{Change, apply},
    refusals,
    store::{self, tags::Tag},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, Fields, created, done, ok},
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
    handler: ("list_tags", |by| on(by, list_objects::<Tag>)),
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
    handler: ("get_tag", |by| on(by, get_object::<Tag>)),
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
pub(crate) struct WireTag {
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

impl Managed for Tag {
    type Wire = WireTag;
    const NOT_FOUND: fn() -> ApiError = refusals::tag_not_found;

    fn filter(asked: &mut Asked<'_>) -> Option<String> {
        asked.search().map(|search| folded(&search))
    }
}

/// Creates a tag: 201, or 409 when the name is taken.
async fn create_tag(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(new): JsonBody<NewTag>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let tag = Tag {
        id: app.ids.uuid_v7(now),
        name: new.name,
        color: new.color,
        created_at: now.to_sqlx(),
        updated_at: now.to_sqlx(),
        links: 0,
    };
    let mut work = Work::begin(&app, tenant, now).await?;
    let count = store::tags::count(&mut work.tx, tenant.workspace.id).await?;
    check_count(count, MAX_TAGS)?;
    let form = folded(&tag.name);
    if !store::tags::insert(&mut work.tx, tenant.workspace.id, &tag, &form).await? {
        return Err(refusals::tag_exists());
    }
    let detail = json!({ "name": tag.name, "color": tag.color });
    work.commit("tag.created", tag.id, detail).await?;
    Ok(created(WireTag::from(tag)))
}

/// Changes a tag.
async fn update_tag(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<TagChange>,
) -> Result<Response, ApiError> {
    let (mut work, stored) = Work::on::<Tag>(&app, &access, id).await?;
    let mut tag = stored.clone();
    apply(change.name, &mut tag.name);
    change.color.apply(&mut tag.color);
    let Some(changes) = changes(&stored, &tag)? else {
        return Ok(ok(WireTag::from(stored)));
    };
    tag.updated_at = work.now.to_sqlx();
    let form = folded(&tag.name);
    if !store::tags::update(&mut work.tx, &tag, &form).await? {
        return Err(refusals::tag_exists());
    }
    work.commit("tag.updated", tag.id, changes).await?;
    Ok(ok(WireTag::from(tag)))
}

/// Deletes a tag.
async fn delete_tag(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let (mut work, tag) = Work::on::<Tag>(&app, &access, id).await?;
    store::tags::delete(&mut work.tx, tag.id).await?;
    let detail = json!({ "name": tag.name, "links": tag.links });
    work.commit("tag.deleted", tag.id, detail).await?;
    Ok(done())
}

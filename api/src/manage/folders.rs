//! `/api/folders`: folders of links, in folders.
//!
//! A link is in at most one. The directory has no folders, so nothing is published.

use super::{
    asked::Asked,
    managed::{Managed, changes, check_count, get_object, list_objects},
    plain::{Color, Name},
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
    store::{
        self,
        folders::{Filter, Folder},
    },
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, Fields, created, done, ok},
    members::{Body, Declared, Id, Member},
    openapi::{Document, text, uuid},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Most folders of a workspace.
const MAX_FOLDERS: u32 = 1_000;

/// Most levels of folders.
const MAX_LEVELS: usize = 10;

const FOLDER: Object = Object {
    id: "folderId",
    about: "The folder.",
};

/// The commands of folders.
pub(crate) const FAMILY: Family = Family {
    tag: "Folders",
    about: "Folders of links, up to ten levels deep.",
    commands: &[
        CREATE_FOLDER,
        LIST_FOLDERS,
        GET_FOLDER,
        UPDATE_FOLDER,
        DELETE_FOLDER,
    ],
};

const CREATE_FOLDER: Command = Command {
    id: "folders.create",
    verb: Verb::Post,
    path: "/api/folders",
    permission: Permission("folders:create"),
    handler: ("create_folder", |by| on(by, create_folder)),
    summary: "Creates a folder.",
    body: body::<NewFolder>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The folder.",
        Document::type_of::<WireFolder>,
    ),
    refusals: || {
        vec![
            refusals::folder_not_found(),
            refusals::folder_too_deep(),
            refusals::limit_exceeded(MAX_FOLDERS),
        ]
    },
    ..WORKSPACE
};

const LIST_FOLDERS: Command = Command {
    id: "folders.list",
    verb: Verb::Get,
    path: "/api/folders",
    permission: Permission("folders:read"),
    handler: ("list_folders", |by| on(by, list_objects::<Folder>)),
    summary: "The folders of the workspace, by name.",
    query: &[
        Parameter {
            name: "parentId",
            schema: || uuid().about("Only folders in this folder."),
        },
        Parameter {
            name: "search",
            schema: || text(200).about("A text in the name."),
        },
    ],
    answer: Answer::List("A page of folders.", Document::type_of::<WireFolder>),
    ..WORKSPACE
};

const GET_FOLDER: Command = Command {
    id: "folders.get",
    verb: Verb::Get,
    path: "/api/folders/{folderId}",
    subject: Subject::Object(FOLDER),
    permission: Permission("folders:read"),
    handler: ("get_folder", |by| on(by, get_object::<Folder>)),
    summary: "A folder.",
    answer: Answer::Data(
        StatusCode::OK,
        "The folder.",
        Document::type_of::<WireFolder>,
    ),
    refusals: || vec![refusals::folder_not_found()],
    ..WORKSPACE
};

const UPDATE_FOLDER: Command = Command {
    id: "folders.update",
    verb: Verb::Patch,
    path: "/api/folders/{folderId}",
    subject: Subject::Object(FOLDER),
    permission: Permission("folders:update"),
    handler: ("update_folder", |by| on(by, update_folder)),
    summary: "Renames a folder, or moves it with everything in it.",
    body: body::<FolderChange>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The folder.",
        Document::type_of::<WireFolder>,
    ),
    refusals: || {
        vec![
            refusals::folder_not_found(),
            refusals::folder_in_itself(),
            refusals::folder_too_deep(),
        ]
    },
    ..WORKSPACE
};

const DELETE_FOLDER: Command = Command {
    id: "folders.delete",
    verb: Verb::Delete,
    path: "/api/folders/{folderId}",
    subject: Subject::Object(FOLDER),
    permission: Permission("folders:delete"),
    handler: ("delete_folder", |by| on(by, delete_folder)),
    summary: "Deletes a folder. Its links and folders move to its parent.",
    answer: Answer::Done("Deleted."),
    refusals: || vec![refusals::folder_not_found()],
    ..WORKSPACE
};

const NAME: Member<Name> = Member::new("name", Name).example(|| json!("Newsletter"));
const NEW_NAME: Member<Name> = NAME.required();
const PARENT: Member<Id> =
    Member::new("parentId", Id).about("The folder that it is in; without one, it is at the top.");
const COLOR: Member<Color> = Member::new("color", Color).example(|| json!("#1565c0"));

/// A new folder.
#[derive(Clone, Debug)]
struct NewFolder {
    name: String,
    parent_id: Option<Uuid>,
    color: Option<String>,
}

impl Body for NewFolder {
    const MEMBERS: &'static [&'static dyn Declared] = &[&NEW_NAME, &PARENT, &COLOR];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: NEW_NAME.read(fields).unwrap_or_default(),
            parent_id: PARENT.read(fields),
            color: COLOR.read(fields),
        }
    }
}

/// A change of a folder.
#[derive(Clone, Debug)]
struct FolderChange {
    name: Option<String>,
    parent_id: Change<Uuid>,
    color: Change<String>,
}

impl Body for FolderChange {
    const MEMBERS: &'static [&'static dyn Declared] = &[&NAME, &PARENT, &COLOR];

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: NAME.read(fields),
            parent_id: Change::read(fields, &PARENT),
            color: Change::read(fields, &COLOR),
        }
    }
}

/// A folder.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Folder", description = "A folder of links.")]
pub(crate) struct WireFolder {
    id: Uuid,
    name: String,
    parent_id: Option<Uuid>,
    color: Option<String>,
    /// How many links are in it, without those in its folders.
    links: i64,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

impl From<Folder> for WireFolder {
    fn from(folder: Folder) -> Self {
        Self {
            id: folder.id,
            name: folder.name,
            parent_id: folder.parent_id,
            color: folder.color,
            links: folder.links,
            created_at: iso_micros(folder.created_at.to_jiff()),
            updated_at: iso_micros(folder.updated_at.to_jiff()),
        }
    }
}

impl Managed for Folder {
    type Wire = WireFolder;
    const NOT_FOUND: fn() -> ApiError = refusals::folder_not_found;

    fn filter(asked: &mut Asked<'_>) -> Filter {
        Filter {
            parent_id: asked.id("parentId"),
            search: asked.search(),
        }
    }
}

/// Checks the new place of a folder. `height` is the number of levels that it brings.
async fn check_place(work: &mut Work<'_>, folder: &Folder, height: usize) -> Result<(), ApiError> {
    let above = match folder.parent_id {
        None => 0,
        Some(parent) => {
            let workspace_id = work.tenant.workspace.id;
            if !store::folders::exists(&mut work.tx, parent, workspace_id).await? {
                return Err(refusals::folder_not_found());
            }
            let ancestors = store::folders::list_ancestors(&mut work.tx, parent).await?;
            if ancestors.contains(&folder.id) {
                return Err(refusals::folder_in_itself());
            }
            ancestors.len()
        }
    };
    if above + height > MAX_LEVELS {
        return Err(refusals::folder_too_deep());
    }
    Ok(())
}

/// Creates a folder: 201.
async fn create_folder(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(new): JsonBody<NewFolder>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let folder = Folder {
        id: app.ids.uuid_v7(now),
        parent_id: new.parent_id,
        name: new.name,
        color: new.color,
        created_at: now.to_sqlx(),
        updated_at: now.to_sqlx(),
        links: 0,
    };
    let mut work = Work::begin(&app, tenant, now).await?;
    let count = store::folders::count(&mut work.tx, tenant.workspace.id).await?;
    check_count(count, MAX_FOLDERS)?;
    check_place(&mut work, &folder, 1).await?;
    store::folders::insert(&mut work.tx, tenant.workspace.id, &folder).await?;
    let detail = json!({ "name": folder.name, "parentId": folder.parent_id });
    work.commit("folder.created", folder.id, detail).await?;
    Ok(created(WireFolder::from(folder)))
}

/// Changes or moves a folder.
async fn update_folder(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<FolderChange>,
) -> Result<Response, ApiError> {
    let (mut work, stored) = Work::on::<Folder>(&app, &access, id).await?;
    let mut folder = stored.clone();
    apply(change.name, &mut folder.name);
    change.parent_id.apply(&mut folder.parent_id);
    change.color.apply(&mut folder.color);
    if folder.parent_id != stored.parent_id {
        let height = store::folders::height(&mut work.tx, folder.id).await?;
        let height = usize::try_from(height).unwrap_or(usize::MAX);
        check_place(&mut work, &folder, height).await?;
    }
    let Some(changes) = changes(&stored, &folder)? else {
        return Ok(ok(WireFolder::from(stored)));
    };
    folder.updated_at = work.now.to_sqlx();
    store::folders::update(&mut work.tx, &folder).await?;
    work.commit("folder.updated", folder.id, changes).await?;
    Ok(ok(WireFolder::from(folder)))
}

/// Deletes a folder.
async fn delete_folder(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let (mut work, folder) = Work::on::<Folder>(&app, &access, id).await?;
    store::folders::delete(&mut work.tx, &folder).await?;
    let detail = json!({ "name": folder.name, "parentId": folder.parent_id });
    work.commit("folder.deleted", folder.id, detail).await?;
    Ok(done())
}

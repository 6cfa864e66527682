//! Folders of links, in folders.
//!
//! The one rule: a change has the workspace's row locked, so that no two moves make a circle.

use super::{Bound, Statement, Stored, Tx, row::row, statements, stored};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    LIST,
    LENGTH,
    FIND,
    EXISTS,
    COUNT,
    ANCESTORS,
    HEIGHT,
    INSERT,
    UPDATE,
    LIFT_FOLDERS,
    LIFT_LINKS,
    DELETE
];

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "\
SELECT id, parent_id, name, color, created_at, updated_at,
       (SELECT count(*)
        FROM links
        WHERE folder_id = folders.id
          AND deleted_at IS NULL) AS links
FROM folders
",
            $rest
        )
    };
}

pub(super) const LIST: &str = columns!(
    "\
WHERE workspace_id = $1
  AND ($2::uuid IS NULL OR parent_id = $2)
  AND ($3::text IS NULL OR position(lower($3) IN lower(name)) > 0)
ORDER BY lower(name), id
LIMIT $4
OFFSET $5"
);

pub(super) const LENGTH: &str = "\
SELECT count(*)
FROM folders
WHERE workspace_id = $1
  AND ($2::uuid IS NULL OR parent_id = $2)
  AND ($3::text IS NULL OR position(lower($3) IN lower(name)) > 0)";

pub(super) const FIND: &str = columns!("WHERE id = $1\n  AND workspace_id = $2");

pub(super) const EXISTS: &str = "\
SELECT EXISTS (SELECT FROM folders WHERE id = $1 AND workspace_id = $2)";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM folders
WHERE workspace_id = $1";

// UNION drops rows that are there already, so even a circle would end.
pub(super) const ANCESTORS: &str = "\
WITH RECURSIVE up (id) AS (
    SELECT $1::uuid
    UNION
    SELECT parent_id
    FROM folders
    JOIN up ON folders.id = up.id
    WHERE parent_id IS NOT NULL
)
SELECT id
FROM up";

// How many levels the folder and what is in it have.
pub(super) const HEIGHT: &str = "\
WITH RECURSIVE down (id, level) AS (
    SELECT $1::uuid, 1
    UNION ALL
    SELECT folders.id, level + 1
    FROM folders
    JOIN down ON parent_id = down.id
    WHERE level < 100
)
SELECT coalesce(max(level), 1)
FROM down";

pub(super) const INSERT: &str = "\
INSERT INTO folders (id, workspace_id, parent_id, name, color, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)";

pub(super) const UPDATE: &str = "\
UPDATE folders
SET parent_id = $2,
    name = $3,
    color = $4,
    updated_at = $5
WHERE id = $1";

pub(super) const LIFT_FOLDERS: &str = "\
UPDATE folders
SET parent_id = $2
WHERE parent_id = $1";

// Deleted links too: they may be restored. The directory does not have folders, so no link's version
// changes.
pub(super) const LIFT_LINKS: &str = "\
UPDATE links
SET folder_id = $2
WHERE folder_id = $1";

pub(super) const DELETE: &str = "\
DELETE FROM folders
WHERE id = $1";

row! {
    /// A folder.
    #[derive(Clone, Debug)]
    pub(crate) struct Folder {
        pub(crate) id: Uuid,
        pub(crate) parent_id: Option<Uuid>,
        pub(crate) name: String,
        pub(crate) color: Option<String>,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) updated_at: jiff_sqlx::Timestamp,
        /// How many links are in it, without those in its folders.
        pub(crate) links: i64,
    }
}

/// Which folders a list has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) parent_id: Option<Uuid>,
    /// A text in the name.
    pub(crate) search: Option<String>,
}

impl Stored for Folder {
    const FIND: &'static str = FIND;
    const LIST: &'static str = LIST;
    const LENGTH: &'static str = LENGTH;
    type Filter = Filter;

    fn bind(filter: &Filter, statement: Bound) -> Bound {
        statement
            .bind(filter.parent_id)
            .bind(filter.search.as_deref())
    }
}

/// Whether a workspace has the folder.
pub(crate) async fn exists(tx: &mut Tx<'_>, id: Uuid, workspace_id: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar(EXISTS)
        .bind(id)
        .bind(workspace_id)
        .fetch_one(&mut **tx)
        .await
}

/// How many folders a workspace has.
pub(crate) async fn count(tx: &mut Tx<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    stored::count(&mut **tx, COUNT, workspace_id).await
}

/// The folder and all that it is in.
pub(crate) async fn list_ancestors(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(ANCESTORS)
        .bind(id)
        .fetch_all(&mut **tx)
        .await
}

/// How many levels the folder and what is in it have; 1 for one without folders.
pub(crate) async fn height(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<i32> {
    sqlx::query_scalar(HEIGHT)
        .bind(id)
        .fetch_one(&mut **tx)
        .await
}

/// Creates a folder.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    folder: &Folder,
) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(folder.id)
        .bind(workspace_id)
        .bind(folder.parent_id)
        .bind(&folder.name)
        .bind(&folder.color)
        .bind(folder.created_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes the changeable columns of a folder.
pub(crate) async fn update(tx: &mut Tx<'_>, folder: &Folder) -> sqlx::Result<()> {
    sqlx::query(UPDATE)
        .bind(folder.id)
        .bind(folder.parent_id)
        .bind(&folder.name)
        .bind(&folder.color)
        .bind(folder.updated_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Removes a folder. What is in it moves to its parent.
pub(crate) async fn delete(tx: &mut Tx<'_>, folder: &Folder) -> sqlx::Result<()> {
    for statement in [LIFT_FOLDERS, LIFT_LINKS] {
        sqlx::query(statement)
            .bind(folder.id)
            .bind(folder.parent_id)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query(DELETE)
        .bind(folder.id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

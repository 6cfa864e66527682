//! Tags of a workspace, and which links have them.

use super::{Bound, Statement, Stored, Tx, row::row, statements, stored};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    ENSURE, COUNT, CLEAR_LINK, TAG_LINK, LIST, LENGTH, FIND, INSERT, UPDATE, CLEAR_TAG, DELETE
];

// Two requests that bring the same new tag wait for each other here, and both go on with it.
pub(super) const ENSURE: &str = "\
INSERT INTO tags (id, workspace_id, name, folded, created_at, updated_at)
SELECT id, $2::uuid, name, folded, $5::timestamptz, $5
FROM unnest($1::uuid[], $3::text[], $4::text[]) AS given (id, name, folded)
ORDER BY folded
ON CONFLICT ON CONSTRAINT tags_folded_key DO NOTHING";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM tags
WHERE workspace_id = $1";

pub(super) const CLEAR_LINK: &str = "\
DELETE FROM link_tags
WHERE link_id = $1";

pub(super) const TAG_LINK: &str = "\
INSERT INTO link_tags (link_id, tag_id)
SELECT $1::uuid, id
FROM tags
WHERE workspace_id = $2
  AND folded = ANY($3)";

pub(super) const LIST: &str = "\
SELECT id, name, color, created_at, updated_at,
       (SELECT count(*)
        FROM link_tags
        JOIN links ON links.id = link_id
        WHERE tag_id = tags.id
          AND deleted_at IS NULL) AS links
FROM tags
WHERE workspace_id = $1
  AND ($2::text IS NULL OR position($2 IN folded) > 0)
ORDER BY folded, id
LIMIT $3
OFFSET $4";

pub(super) const LENGTH: &str = "\
SELECT count(*)
FROM tags
WHERE workspace_id = $1
  AND ($2::text IS NULL OR position($2 IN folded) > 0)";

pub(super) const FIND: &str = "\
SELECT id, name, color, created_at, updated_at,
       (SELECT count(*)
        FROM link_tags
        JOIN links ON links.id = link_id
        WHERE tag_id = tags.id
          AND deleted_at IS NULL) AS links
FROM tags
WHERE id = $1
  AND workspace_id = $2";

pub(super) const INSERT: &str = "\
INSERT INTO tags (id, workspace_id, name, folded, color, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT ON CONSTRAINT tags_folded_key DO NOTHING";

pub(super) const UPDATE: &str = "\
UPDATE tags
SET name = $2,
    folded = $3,
    color = $4,
    updated_at = $5
WHERE id = $1
  AND NOT EXISTS (SELECT
                  FROM tags AS others
                  WHERE others.workspace_id = tags.workspace_id
                    AND others.folded = $3
                    AND others.id <> $1)";

pub(super) const CLEAR_TAG: &str = "\
DELETE FROM link_tags
WHERE tag_id = $1";

pub(super) const DELETE: &str = "\
DELETE FROM tags
WHERE id = $1";

row! {
    /// A tag.
    #[derive(Clone, Debug)]
    pub(crate) struct Tag {
        pub(crate) id: Uuid,
        pub(crate) name: String,
        pub(crate) color: Option<String>,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) updated_at: jiff_sqlx::Timestamp,
        /// How many links have it.
        pub(crate) links: i64,
    }
}

impl Stored for Tag {
    const FIND: &'static str = FIND;
    const LIST: &'static str = LIST;
    const LENGTH: &'static str = LENGTH;
    /// A text in the folded name.
    type Filter = Option<String>;

    fn bind(search: &Option<String>, statement: Bound) -> Bound {
        statement.bind(search.as_deref())
    }
}

/// A name of a tag: a new id for it, the name, and its folded form.
pub(crate) type Given = (Uuid, String, String);

/// Replaces the tags of a link. Names without a tag get one.
pub(crate) async fn set(
    tx: &mut Tx<'_>,
    (link_id, workspace_id): (Uuid, Uuid),
    given: Vec<Given>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(CLEAR_LINK)
        .bind(link_id)
        .execute(&mut **tx)
        .await?;
    if given.is_empty() {
        return Ok(());
    }
    let mut ids = Vec::with_capacity(given.len());
    let mut names = Vec::with_capacity(given.len());
    let mut folded = Vec::with_capacity(given.len());
    for (id, name, form) in given {
        ids.push(id);
        names.push(name);
        folded.push(form);
    }
    sqlx::query(ENSURE)
        .bind(ids)
        .bind(workspace_id)
        .bind(names)
        .bind(&folded)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    sqlx::query(TAG_LINK)
        .bind(link_id)
        .bind(workspace_id)
        .bind(folded)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many tags a workspace has.
pub(crate) async fn count(tx: &mut Tx<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    stored::count(&mut **tx, COUNT, workspace_id).await
}

/// Creates a tag; false when the name is taken.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    tag: &Tag,
    folded: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query(INSERT)
        .bind(tag.id)
        .bind(workspace_id)
        .bind(&tag.name)
        .bind(folded)
        .bind(tag.color.as_deref())
        .bind(tag.created_at)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes the changeable columns of a tag; false when another one has the name.
pub(crate) async fn update(tx: &mut Tx<'_>, tag: &Tag, folded: &str) -> sqlx::Result<bool> {
    let done = sqlx::query(UPDATE)
        .bind(tag.id)
        .bind(&tag.name)
        .bind(folded)
        .bind(tag.color.as_deref())
        .bind(tag.updated_at)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a tag, also from its links.
pub(crate) async fn delete(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<()> {
    sqlx::query(CLEAR_TAG).bind(id).execute(&mut **tx).await?;
    sqlx::query(DELETE).bind(id).execute(&mut **tx).await?;
    Ok(())
}

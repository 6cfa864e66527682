//! The links of folders and of tags, to which a report may be narrowed.

use super::{Statement, statements};
use sqlx::PgPool;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![FOLDERS, TAGS, COUNT_FOLDERS, COUNT_TAGS];

// Deleted links are among them, because reports of a workspace count their clicks.
pub(super) const FOLDERS: &str = "\
SELECT id
FROM links
WHERE workspace_id = $1
  AND folder_id = ANY ($2)
LIMIT $3";

pub(super) const TAGS: &str = "\
SELECT DISTINCT link_id
FROM link_tags
JOIN tags ON tags.id = tag_id
WHERE workspace_id = $1
  AND tag_id = ANY ($2)
LIMIT $3";

pub(super) const COUNT_FOLDERS: &str = "\
SELECT count(*)
FROM folders
WHERE workspace_id = $1
  AND id = ANY ($2)";

pub(super) const COUNT_TAGS: &str = "\
SELECT count(*)
FROM tags
WHERE workspace_id = $1
  AND id = ANY ($2)";

/// A kind of group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Folder,
    Tag,
}

/// The links of these groups, at most so many; `None` if one of the groups is not the workspace's.
/// The ids of groups are different ones.
pub(crate) async fn find(
    main: &PgPool,
    workspace_id: Uuid,
    group: Group,
    ids: &[Uuid],
    most: i64,
) -> sqlx::Result<Option<Vec<Uuid>>> {
    let (count, links) = match group {
        Group::Folder => (COUNT_FOLDERS, FOLDERS),
        Group::Tag => (COUNT_TAGS, TAGS),
    };
    let known: i64 = sqlx::query_scalar(count)
        .bind(workspace_id)
        .bind(ids)
        .fetch_one(main)
        .await?;
    if usize::try_from(known) != Ok(ids.len()) {
        return Ok(None);
    }
    let links = sqlx::query_scalar(links)
        .bind(workspace_id)
        .bind(ids)
        .bind(most)
        .fetch_all(main)
        .await?;
    Ok(Some(links))
}

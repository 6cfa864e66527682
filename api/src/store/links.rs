//! Links, and their appearance on bio pages.

use super::{Statement, Tx, row::row, short_codes, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::{PgExecutor, PgPool};
use std::collections::HashMap;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    INSERT,
    INSERT_BIO_LINK,
    COUNT,
    OF_PAGE,
    NAMES,
    PLACE,
    FIND,
    UPDATE_BIO_LINK,
    UPDATE,
    DELETE_BIO_LINK,
    MARK_DELETED,
    COUNT_THESE,
    REORDER
];

pub(super) const INSERT: &str = "\
INSERT INTO links (id, workspace_id, destination, short_code, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $5)";

pub(super) const INSERT_BIO_LINK: &str = "\
INSERT INTO bio_links (link_id, page_id, title, icon, sort_order, active, is_social, platform, embed_type,
                       embed_meta, scheduled_start, scheduled_end, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM bio_links
WHERE page_id = $1";

pub(super) const OF_PAGE: &str = "\
SELECT link_id AS id, bio_links.title, destination AS url, icon, sort_order, active, is_social, platform, embed_type,
       embed_meta, scheduled_start, scheduled_end
FROM bio_links
JOIN links ON links.id = link_id
WHERE page_id = $1
ORDER BY sort_order, bio_links.created_at, link_id";

// Existing links first, then the most recently deleted ones.
pub(super) const NAMES: &str = "\
SELECT links.id, bio_links.title, destination
FROM links
LEFT JOIN bio_links ON link_id = links.id
WHERE workspace_id = (SELECT workspace_id FROM creators WHERE id = $1)
ORDER BY deleted_at DESC NULLS FIRST, links.id DESC
LIMIT $2";

pub(super) const PLACE: &str = "\
SELECT page_id, creator_id
FROM bio_links
JOIN bio_pages ON bio_pages.id = page_id
WHERE link_id = $1";

pub(super) const FIND: &str = "\
SELECT link_id AS id, bio_links.title, destination AS url, icon, sort_order, active, is_social, platform, embed_type,
       embed_meta, scheduled_start, scheduled_end
FROM bio_links
JOIN links ON links.id = link_id
WHERE link_id = $1";

pub(super) const UPDATE_BIO_LINK: &str = "\
UPDATE bio_links
SET title = $2,
    icon = $3,
    sort_order = $4,
    active = $5,
    embed_type = $6,
    embed_meta = $7,
    scheduled_start = $8,
    scheduled_end = $9
WHERE link_id = $1";

pub(super) const UPDATE: &str = "\
UPDATE links
SET destination = $2,
    updated_at = $3,
    updated_by = $4,
    updated_via = 'dashboard',
    row_version = row_version + 1
WHERE id = $1";

pub(super) const DELETE_BIO_LINK: &str = "\
DELETE FROM bio_links
WHERE link_id = $1";

pub(super) const MARK_DELETED: &str = "\
UPDATE links
SET deleted_at = $2,
    updated_at = $2,
    row_version = row_version + 1
WHERE id = $1";

pub(super) const COUNT_THESE: &str = "\
SELECT count(*)
FROM bio_links
WHERE page_id = $1
  AND link_id = ANY($2)";

pub(super) const REORDER: &str = "\
UPDATE bio_links
SET sort_order = place
FROM (
    SELECT id, (ordinality - 1)::int4 AS place
    FROM unnest($2::uuid[]) WITH ORDINALITY AS given (id, ordinality)
) AS places
WHERE page_id = $1
  AND link_id = places.id
  AND sort_order <> place";

row! {
    /// A link as its page shows it.
    #[derive(Clone, Debug)]
    pub(crate) struct BioLink {
        pub(crate) id: Uuid,
        pub(crate) title: String,
        pub(crate) url: String,
        pub(crate) icon: Option<String>,
        pub(crate) sort_order: i32,
        pub(crate) active: bool,
        pub(crate) is_social: bool,
        pub(crate) platform: Option<String>,
        pub(crate) embed_type: Option<String>,
        pub(crate) embed_meta: Option<Value>,
        pub(crate) scheduled_start: Option<jiff_sqlx::Timestamp>,
        pub(crate) scheduled_end: Option<jiff_sqlx::Timestamp>,
    }
}

/// Creates a link with a code that the caller has claimed.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    (id, workspace_id): (Uuid, Uuid),
    destination: &str,
    short_code: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(id)
        .bind(workspace_id)
        .bind(destination)
        .bind(short_code)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Puts a link on a page.
pub(crate) async fn insert_bio_link(
    tx: &mut Tx<'_>,
    page_id: Uuid,
    link: &BioLink,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(INSERT_BIO_LINK)
        .bind(link.id)
        .bind(page_id)
        .bind(&link.title)
        .bind(&link.icon)
        .bind(link.sort_order)
        .bind(link.active)
        .bind(link.is_social)
        .bind(&link.platform)
        .bind(&link.embed_type)
        .bind(&link.embed_meta)
        .bind(link.scheduled_start)
        .bind(link.scheduled_end)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many links a page has.
pub(crate) async fn count(tx: &mut Tx<'_>, page_id: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT)
        .bind(page_id)
        .fetch_one(&mut **tx)
        .await
}

/// Every link of a page, in the order of the page, inactive and future ones included.
pub(crate) async fn list_of_page(
    executor: impl PgExecutor<'_>,
    page_id: Uuid,
) -> sqlx::Result<Vec<BioLink>> {
    sqlx::query_as(OF_PAGE)
        .bind(page_id)
        .fetch_all(executor)
        .await
}

/// Up to `max` links that the creator has or had, with title and url for those on a page.
pub(crate) async fn list_names(
    pool: &PgPool,
    creator_id: Uuid,
    max: i64,
) -> sqlx::Result<HashMap<Uuid, Option<(String, String)>>> {
    let rows: Vec<(Uuid, Option<String>, String)> = sqlx::query_as(NAMES)
        .bind(creator_id)
        .bind(max)
        .fetch_all(pool)
        .await?;
    let rows = rows.into_iter();
    let named = rows.map(|(id, title, url)| (id, title.map(|title| (title, url))));
    Ok(named.collect())
}

/// Page and creator of a link that is on a page.
pub(crate) async fn find_place(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<Option<(Uuid, Uuid)>> {
    sqlx::query_as(PLACE)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await
}

/// A link that is on a page.
pub(crate) async fn find(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<Option<BioLink>> {
    sqlx::query_as(FIND)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await
}

/// Writes the changeable columns of a link.
pub(crate) async fn update(
    tx: &mut Tx<'_>,
    link: &BioLink,
    user: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(UPDATE_BIO_LINK)
        .bind(link.id)
        .bind(&link.title)
        .bind(&link.icon)
        .bind(link.sort_order)
        .bind(link.active)
        .bind(&link.embed_type)
        .bind(&link.embed_meta)
        .bind(link.scheduled_start)
        .bind(link.scheduled_end)
        .execute(&mut **tx)
        .await?;
    sqlx::query(UPDATE)
        .bind(link.id)
        .bind(&link.url)
        .bind(now.to_sqlx())
        .bind(user)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Removes a link from its page, marks it as deleted, and gives up its code.
pub(crate) async fn delete(tx: &mut Tx<'_>, id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query(DELETE_BIO_LINK)
        .bind(id)
        .execute(&mut **tx)
        .await?;
    sqlx::query(MARK_DELETED)
        .bind(id)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    short_codes::release(tx, id).await
}

/// True when all those ids, each given once, are links of the page.
pub(crate) async fn are_all_on(tx: &mut Tx<'_>, page_id: Uuid, ids: &[Uuid]) -> sqlx::Result<bool> {
    let count: i64 = sqlx::query_scalar(COUNT_THESE)
        .bind(page_id)
        .bind(ids)
        .fetch_one(&mut **tx)
        .await?;
    Ok(usize::try_from(count) == Ok(ids.len()))
}

/// Sets each link's place to its index and returns how many places changed.
pub(crate) async fn reorder(tx: &mut Tx<'_>, page_id: Uuid, ids: &[Uuid]) -> sqlx::Result<u64> {
    let done = sqlx::query(REORDER)
        .bind(page_id)
        .bind(ids)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}

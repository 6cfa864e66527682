//! Links, and links as bio pages show them.

use super::Tx;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::{FromRow, PgExecutor, PgPool};
use std::collections::HashMap;
use uuid::Uuid;

// Without an error for a code that is taken: that would end the transaction, and another is drawn.
pub(super) const INSERT: &str = "\
INSERT INTO links (id, workspace_id, destination, short_code, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT ON CONSTRAINT links_short_code_key DO NOTHING
RETURNING row_version";

pub(super) const INSERT_BIO_LINK: &str = "\
INSERT INTO bio_links (link_id, page_id, title, icon, sort_order, active, is_social, platform, embed_type,
                       embed_meta, scheduled_start, scheduled_end, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM bio_links
WHERE page_id = $1";

pub(super) const OF_PAGE: &str = "\
SELECT link_id AS id, title, destination AS url, icon, sort_order, active, is_social, platform, embed_type,
       embed_meta, scheduled_start, scheduled_end
FROM bio_links
JOIN links ON links.id = link_id
WHERE page_id = $1
ORDER BY sort_order, bio_links.created_at, link_id";

pub(super) const NAMES: &str = "\
SELECT link_id, title, destination
FROM bio_links
JOIN links ON links.id = link_id
JOIN bio_pages ON bio_pages.id = page_id
WHERE link_id = ANY($1)
  AND creator_id = $2";

/// A link as its page shows it.
#[derive(Clone, Debug, FromRow)]
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

/// Makes a link under that short code and gives its version; `None` when the code is taken.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    (id, workspace_id): (Uuid, Uuid),
    destination: &str,
    short_code: &str,
    now: Timestamp,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(INSERT)
        .bind(id)
        .bind(workspace_id)
        .bind(destination)
        .bind(short_code)
        .bind(now.to_sqlx())
        .fetch_optional(&mut **tx)
        .await
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

/// Every link of a page, also inactive and future ones, in the order of the page.
pub(crate) async fn list_of_page(
    executor: impl PgExecutor<'_>,
    page_id: Uuid,
) -> sqlx::Result<Vec<BioLink>> {
    sqlx::query_as(OF_PAGE)
        .bind(page_id)
        .fetch_all(executor)
        .await
}

/// Title and url of those of the ids that are links of the creator's own pages.
pub(crate) async fn list_names(
    pool: &PgPool,
    ids: &[Uuid],
    creator_id: Uuid,
) -> sqlx::Result<HashMap<Uuid, (String, String)>> {
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as(NAMES)
        .bind(ids)
        .bind(creator_id)
        .fetch_all(pool)
        .await?;
    let named = rows.into_iter().map(|(id, title, url)| (id, (title, url)));
    Ok(named.collect())
}

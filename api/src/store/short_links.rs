//! Links with everything that a redirect can do. Those of bio pages are among them.
//!
//! The one rule: a change has the link's row locked, after the row of its page if it is on one.

use super::{Bound, Statement, Tx, row::row, short_codes, statements, stored};
use crate::behavior::Behavior;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    NEWEST,
    OLDEST,
    LAST_CHANGED,
    FIRST_CHANGED,
    BY_TITLE,
    BY_TITLE_BACKWARDS,
    BY_CODE,
    BY_CODE_BACKWARDS,
    LENGTH,
    FIND,
    LOCK,
    PAGE_OF,
    COUNT,
    INSERT,
    UPDATE,
    TOUCH,
    TAKE_FROM_PAGE
];

/// The columns of a [`ShortLink`]; every statement that reads one has them.
macro_rules! columns {
    ($($rest:expr),+ $(,)?) => {
        concat!(
            "\
SELECT links.id, destination, short_code, host, links.title, bio_links.title AS page_title, description,
       enabled, archived, campaign_id,
       EXISTS (SELECT FROM campaigns WHERE id = campaign_id AND deleted_at IS NOT NULL) AS campaign_deleted,
       folder_id, expires_at, clicks_limit, password_hash, behavior, created_by, created_via,
       links.created_at, updated_at, updated_by, updated_via, deleted_at, page_id,
       ARRAY(SELECT name
             FROM link_tags
             JOIN tags ON tags.id = tag_id
             WHERE link_tags.link_id = links.id
             ORDER BY folded) AS tags
FROM links
LEFT JOIN bio_links ON bio_links.link_id = links.id
",
            $($rest),+
        )
    };
}

/// The filters of a list; the statements of the list and of its length have them.
macro_rules! filters {
    () => {
        "\
WHERE links.workspace_id = $1
  AND (deleted_at IS NOT NULL) = $2
  AND ($3::text IS NULL
       OR position(lower($3) IN lower(concat_ws(chr(10), short_code, destination, links.title,
                                                bio_links.title, description))) > 0)
  AND ($4::uuid IS NULL OR campaign_id = $4)
  AND ($5::uuid IS NULL OR folder_id = $5)
  AND ($6::text IS NULL
       OR EXISTS (SELECT
                  FROM link_tags
                  JOIN tags ON tags.id = tag_id
                  WHERE link_tags.link_id = links.id
                    AND folded = $6))
  AND ($7::bool IS NULL OR enabled = $7)
  AND ($8::text IS NULL OR coalesce(host, '') = $8)
"
    };
}

macro_rules! page_of_list {
    ($order:literal) => {
        columns!(filters!(), "ORDER BY ", $order, "\nLIMIT $9\nOFFSET $10")
    };
}

pub(super) const NEWEST: &str = page_of_list!("links.created_at DESC, links.id DESC");
pub(super) const OLDEST: &str = page_of_list!("links.created_at, links.id");
pub(super) const LAST_CHANGED: &str = page_of_list!("updated_at DESC, links.id DESC");
pub(super) const FIRST_CHANGED: &str = page_of_list!("updated_at, links.id");
pub(super) const BY_TITLE: &str =
    page_of_list!("lower(coalesce(links.title, bio_links.title)) NULLS LAST, links.id");
pub(super) const BY_TITLE_BACKWARDS: &str =
    page_of_list!("lower(coalesce(links.title, bio_links.title)) DESC NULLS LAST, links.id DESC");
pub(super) const BY_CODE: &str = page_of_list!("lower(short_code), links.id");
pub(super) const BY_CODE_BACKWARDS: &str = page_of_list!("lower(short_code) DESC, links.id DESC");

pub(super) const LENGTH: &str = concat!(
    "\
SELECT count(*)
FROM links
LEFT JOIN bio_links ON bio_links.link_id = links.id
",
    filters!()
);

pub(super) const FIND: &str = columns!("WHERE links.id = $1\n  AND links.workspace_id = $2");

pub(super) const LOCK: &str = columns!(
    "WHERE links.id = $1\n  AND links.workspace_id = $2\n",
    "FOR UPDATE OF links"
);

pub(super) const PAGE_OF: &str = "\
SELECT page_id
FROM bio_links
JOIN links ON links.id = link_id
WHERE link_id = $1
  AND workspace_id = $2";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM links
WHERE workspace_id = $1
  AND deleted_at IS NULL";

pub(super) const INSERT: &str = "\
INSERT INTO links (id, workspace_id, destination, short_code, host, title, description, enabled, campaign_id,
                   folder_id, expires_at, clicks_limit, password_hash, behavior, created_by, created_via,
                   created_at, updated_at, archived)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17, $18)";

// Clicks beyond the former limit, and those of a deleted link, were not followed.
pub(super) const UPDATE: &str = "\
UPDATE links
SET destination = $2,
    short_code = $3,
    host = $4,
    title = $5,
    description = $6,
    enabled = $7,
    campaign_id = $8,
    folder_id = $9,
    expires_at = $10,
    clicks_limit = $11,
    clicks_counted = clicks_counted
                     AND clicks_limit IS NOT DISTINCT FROM $11
                     AND deleted_at IS NULL
                     AND $15::timestamptz IS NULL,
    password_hash = $12,
    behavior = $13,
    updated_at = $14,
    deleted_at = $15,
    archived = $16,
    updated_by = $17,
    updated_via = $18,
    row_version = row_version + 1
WHERE id = $1";

pub(super) const TOUCH: &str = "\
UPDATE links
SET updated_at = $2,
    row_version = row_version + 1
WHERE id = $1";

pub(super) const TAKE_FROM_PAGE: &str = "\
DELETE FROM bio_links
WHERE link_id = $1";

row! {
    /// A link as its workspace manages it.
    #[derive(Clone, Debug)]
    pub(crate) struct ShortLink {
        pub(crate) id: Uuid,
        pub(crate) destination: String,
        pub(crate) short_code: String,
        /// `None` is the host of `PUBLIC_URL`.
        pub(crate) host: Option<String>,
        pub(crate) title: Option<String>,
        /// Its title on its bio page.
        pub(crate) page_title: Option<String>,
        pub(crate) description: Option<String>,
        pub(crate) enabled: bool,
        pub(crate) archived: bool,
        pub(crate) campaign_id: Option<Uuid>,
        /// True while that campaign is deleted; its links belong to none.
        pub(crate) campaign_deleted: bool,
        pub(crate) folder_id: Option<Uuid>,
        pub(crate) expires_at: Option<jiff_sqlx::Timestamp>,
        pub(crate) clicks_limit: Option<i32>,
        pub(crate) password_hash: Option<String>,
        pub(crate) behavior: Json<Behavior>,
        pub(crate) created_by: Option<String>,
        pub(crate) created_via: Option<String>,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) updated_at: jiff_sqlx::Timestamp,
        /// Who changed it last, and how; `None` before the first change.
        pub(crate) updated_by: Option<String>,
        pub(crate) updated_via: Option<String>,
        pub(crate) deleted_at: Option<jiff_sqlx::Timestamp>,
        /// The bio page that it is on.
        pub(crate) page_id: Option<Uuid>,
        pub(crate) tags: Vec<String>,
    }
}

/// Which links a list has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) deleted: bool,
    /// A text in the code, destination, title or description, without case.
    pub(crate) search: Option<String>,
    pub(crate) campaign_id: Option<Uuid>,
    pub(crate) folder_id: Option<Uuid>,
    /// A tag in its folded form.
    pub(crate) tag: Option<String>,
    pub(crate) enabled: Option<bool>,
    /// A host; '' is that of `PUBLIC_URL`.
    pub(crate) host: Option<String>,
}

/// The order of a list. Ties are in the order of ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    #[default]
    Created,
    Updated,
    Title,
    Code,
}

/// The links of a workspace that pass the filter: that part of them, and how many there are.
pub(crate) async fn list(
    connection: &mut PgConnection,
    workspace_id: Uuid,
    filter: &Filter,
    (order, descending): (Order, bool),
    limit_and_offset: (i64, i64),
) -> sqlx::Result<(Vec<ShortLink>, i64)> {
    let statement = match (order, descending) {
        (Order::Created, true) => NEWEST,
        (Order::Created, false) => OLDEST,
        (Order::Updated, true) => LAST_CHANGED,
        (Order::Updated, false) => FIRST_CHANGED,
        (Order::Title, false) => BY_TITLE,
        (Order::Title, true) => BY_TITLE_BACKWARDS,
        (Order::Code, false) => BY_CODE,
        (Order::Code, true) => BY_CODE_BACKWARDS,
    };
    let bind = |statement: Bound| {
        statement
            .bind(workspace_id)
            .bind(filter.deleted)
            .bind(filter.search.as_deref())
            .bind(filter.campaign_id)
            .bind(filter.folder_id)
            .bind(filter.tag.as_deref())
            .bind(filter.enabled)
            .bind(filter.host.as_deref())
    };
    let statements = (statement, LENGTH);
    stored::part(connection, statements, bind, limit_and_offset).await
}

/// A link of a workspace, deleted ones included.
pub(crate) async fn find(
    executor: impl PgExecutor<'_>,
    id: Uuid,
    workspace_id: Uuid,
) -> sqlx::Result<Option<ShortLink>> {
    stored::one(executor, FIND, id, workspace_id).await
}

/// The same for a change: its row is locked, and so is its page, whose content changes too.
pub(crate) async fn lock(
    tx: &mut Tx<'_>,
    id: Uuid,
    workspace_id: Uuid,
) -> sqlx::Result<Option<ShortLink>> {
    let page: Option<Uuid> = sqlx::query_scalar(PAGE_OF)
        .bind(id)
        .bind(workspace_id)
        .fetch_optional(&mut **tx)
        .await?;
    // The page first, as the commands of pages do; the other order could deadlock with them.
    if let Some(page) = page {
        super::pages::raise_content_version(tx, page).await?;
    }
    stored::one(&mut **tx, LOCK, id, workspace_id).await
}

/// How many links a workspace has.
pub(crate) async fn count(tx: &mut Tx<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    stored::count(&mut **tx, COUNT, workspace_id).await
}

/// Creates a link with a code that the caller has claimed.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    link: &ShortLink,
) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(link.id)
        .bind(workspace_id)
        .bind(&link.destination)
        .bind(&link.short_code)
        .bind(&link.host)
        .bind(&link.title)
        .bind(&link.description)
        .bind(link.enabled)
        .bind(link.campaign_id)
        .bind(link.folder_id)
        .bind(link.expires_at)
        .bind(link.clicks_limit)
        .bind(&link.password_hash)
        .bind(&link.behavior)
        .bind(&link.created_by)
        .bind(&link.created_via)
        .bind(link.created_at)
        .bind(link.archived)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes the changeable columns of a link.
pub(crate) async fn update(tx: &mut Tx<'_>, link: &ShortLink) -> sqlx::Result<()> {
    sqlx::query(UPDATE)
        .bind(link.id)
        .bind(&link.destination)
        .bind(&link.short_code)
        .bind(&link.host)
        .bind(&link.title)
        .bind(&link.description)
        .bind(link.enabled)
        .bind(link.campaign_id)
        .bind(link.folder_id)
        .bind(link.expires_at)
        .bind(link.clicks_limit)
        .bind(&link.password_hash)
        .bind(&link.behavior)
        .bind(link.updated_at)
        .bind(link.deleted_at)
        .bind(link.archived)
        .bind(&link.updated_by)
        .bind(&link.updated_via)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Marks a link as deleted, takes it from its page, and gives up its code.
pub(crate) async fn delete(tx: &mut Tx<'_>, link: &ShortLink) -> sqlx::Result<()> {
    sqlx::query(TAKE_FROM_PAGE)
        .bind(link.id)
        .execute(&mut **tx)
        .await?;
    update(tx, link).await?;
    short_codes::release(tx, link.id).await
}

/// Raises the version of a link whose rules or QR codes changed.
pub(crate) async fn touch(tx: &mut Tx<'_>, id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query(TOUCH)
        .bind(id)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

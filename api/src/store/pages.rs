//! Bio pages.

use super::{Statement, Tx, creators::Creator, row::row, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{PageId, WorkspaceId, directory};
use serde_json::Value;
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    SLUGS,
    COUNT,
    INSERT,
    NEXT_POSITION,
    FIND,
    LOCK,
    UPDATE,
    RAISE_VERSIONS,
    RAISE_CONTENT_VERSION
];

pub(super) const SLUGS: &str = "\
SELECT id, slug
FROM bio_pages
WHERE creator_id = $1
ORDER BY position, created_at, id";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM bio_pages
WHERE creator_id = $1";

pub(super) const NEXT_POSITION: &str = "\
SELECT coalesce(max(position) + 1, 0)
FROM bio_pages
WHERE creator_id = $1";

/// Other sites may show a page in a frame only after its creator has enabled it. Such a site can
/// cover the page's question for consent. The column's own default is older than that rule.
pub(super) const INSERT: &str = "\
INSERT INTO bio_pages (id, creator_id, slug, bio, position, created_at, embed_enabled)
VALUES ($1, $2, $3, $4, $5, $6, false)
RETURNING id, creator_id, bio, template_id, theme_override, custom_css, embed_enabled, published,
          email_collection_enabled, consent, row_version";

pub(super) const FIND: &str = "\
SELECT id, creator_id, bio, template_id, theme_override, custom_css, embed_enabled, published,
       email_collection_enabled, consent, row_version
FROM bio_pages
WHERE creator_id = $1
  AND ($2::uuid IS NULL OR id = $2)
ORDER BY position, created_at, id
LIMIT 1";

pub(super) const LOCK: &str = "\
SELECT id
FROM bio_pages
WHERE creator_id = $1
  AND ($2::uuid IS NULL OR id = $2)
ORDER BY position, created_at, id
LIMIT 1
FOR UPDATE";

pub(super) const UPDATE: &str = "\
UPDATE bio_pages
SET bio = $2,
    template_id = $3,
    theme_override = $4,
    custom_css = $5,
    embed_enabled = $6,
    published = $7,
    email_collection_enabled = $8,
    consent = $9
WHERE id = $1";

pub(super) const RAISE_VERSIONS: &str = "\
UPDATE bio_pages
SET row_version = row_version + 1,
    content_version = content_version + 1
WHERE id = $1
RETURNING row_version";

pub(super) const RAISE_CONTENT_VERSION: &str = "\
UPDATE bio_pages
SET content_version = content_version + 1
WHERE id = $1";

row! {
    /// A page without its links.
    #[derive(Clone, Debug)]
    pub(crate) struct Page {
        pub(crate) id: Uuid,
        pub(crate) creator_id: Uuid,
        pub(crate) bio: String,
        pub(crate) template_id: Option<Uuid>,
        pub(crate) theme_override: Option<Value>,
        pub(crate) custom_css: Option<String>,
        pub(crate) embed_enabled: bool,
        pub(crate) published: bool,
        pub(crate) email_collection_enabled: bool,
        /// `banner` or `assumed`.
        pub(crate) consent: String,
        row_version: i64,
    }
}

impl Page {
    /// Its entry in the directory, for ingest.
    pub(crate) fn directory_entry(&self, creator: &Creator) -> directory::Entry {
        directory_entry(self.id, self.row_version, creator)
    }
}

/// A page's entry in the directory, for ingest.
pub(super) fn directory_entry(id: Uuid, row_version: i64, creator: &Creator) -> directory::Entry {
    directory::Entry::Page(directory::Page {
        page_id: PageId(id),
        workspace_no: creator.workspace_no(),
        workspace_id: WorkspaceId(creator.workspace_id),
        row_version,
    })
}

/// The id and slug of a creator's pages, the first page first.
pub(crate) async fn list_slugs(
    executor: impl PgExecutor<'_>,
    creator_id: Uuid,
) -> sqlx::Result<Vec<(Uuid, String)>> {
    sqlx::query_as(SLUGS)
        .bind(creator_id)
        .fetch_all(executor)
        .await
}

/// How many pages a creator has.
pub(crate) async fn count(tx: &mut Tx<'_>, creator_id: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT)
        .bind(creator_id)
        .fetch_one(&mut **tx)
        .await
}

/// That page of a creator, or its first one.
pub(crate) async fn find(
    executor: impl PgExecutor<'_>,
    creator_id: Uuid,
    page_id: Option<Uuid>,
) -> sqlx::Result<Option<Page>> {
    sqlx::query_as(FIND)
        .bind(creator_id)
        .bind(page_id)
        .fetch_optional(executor)
        .await
}

/// The id of that page of a creator, or of its first one. Locks its row until the transaction ends.
pub(crate) async fn lock(
    tx: &mut Tx<'_>,
    creator_id: Uuid,
    page_id: Option<Uuid>,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar(LOCK)
        .bind(creator_id)
        .bind(page_id)
        .fetch_optional(&mut **tx)
        .await
}

/// Adds a page after the others. The constraint `bio_pages_slug_key` refuses a duplicate slug.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    (id, creator_id): (Uuid, Uuid),
    (slug, bio): (&str, &str),
    now: Timestamp,
) -> sqlx::Result<Page> {
    let position: i32 = sqlx::query_scalar(NEXT_POSITION)
        .bind(creator_id)
        .fetch_one(&mut **tx)
        .await?;
    sqlx::query_as(INSERT)
        .bind(id)
        .bind(creator_id)
        .bind(slug)
        .bind(bio)
        .bind(position)
        .bind(now.to_sqlx())
        .fetch_one(&mut **tx)
        .await
}

/// Writes the settings of a page; its versions are raised by [`record`](super::record).
pub(crate) async fn update(tx: &mut Tx<'_>, page: &Page) -> sqlx::Result<()> {
    sqlx::query(UPDATE)
        .bind(page.id)
        .bind(&page.bio)
        .bind(page.template_id)
        .bind(&page.theme_override)
        .bind(&page.custom_css)
        .bind(page.embed_enabled)
        .bind(page.published)
        .bind(page.email_collection_enabled)
        .bind(&page.consent)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Raises both versions and returns the row version.
pub(super) async fn raise_versions(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar(RAISE_VERSIONS)
        .bind(id)
        .fetch_one(&mut **tx)
        .await
}

/// Raises the version of the content that visitors see.
pub(super) async fn raise_content_version(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<()> {
    sqlx::query(RAISE_CONTENT_VERSION)
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

//! Pages as the public may read them.

use super::{Statement, row::row, statements};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![HEAD, PAGE];

pub(super) const HEAD: &str = "\
SELECT bio_pages.id, published, content_version
FROM creators
JOIN bio_pages ON creator_id = creators.id
WHERE username = $1
  AND ($2::text IS NULL OR slug = $2)
ORDER BY position, bio_pages.created_at, bio_pages.id
LIMIT 1";

pub(super) const PAGE: &str = "\
SELECT bio_pages.id, content_version, username, display_name, slug, bio, template_id, theme_override,
       custom_css, embed_enabled, email_collection_enabled, consent,
       NOT EXISTS (
           SELECT
           FROM bio_pages AS other
           WHERE other.creator_id = bio_pages.creator_id
             AND (other.position, other.created_at, other.id)
               < (bio_pages.position, bio_pages.created_at, bio_pages.id)
       ) AS is_first
FROM bio_pages
JOIN creators ON creators.id = creator_id
WHERE bio_pages.id = $1";

row! {
    /// The page that a name refers to, and its current version.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Head {
        pub(crate) id: Uuid,
        pub(crate) published: bool,
        pub(crate) content_version: i64,
    }
}

row! {
    /// A page with its creator's names, without its links.
    #[derive(Clone, Debug)]
    pub(crate) struct Page {
        pub(crate) id: Uuid,
        pub(crate) content_version: i64,
        pub(crate) username: String,
        pub(crate) display_name: String,
        pub(crate) slug: String,
        /// Whether `/@username` shows it.
        pub(crate) is_first: bool,
        pub(crate) bio: String,
        pub(crate) template_id: Option<Uuid>,
        pub(crate) theme_override: Option<Value>,
        pub(crate) custom_css: Option<String>,
        pub(crate) embed_enabled: bool,
        pub(crate) email_collection_enabled: bool,
        /// `banner` or `assumed`.
        pub(crate) consent: String,
    }
}

/// The page with that slug, or the first one, of the creator with that name.
pub(crate) async fn find_head(
    pool: &PgPool,
    username: &str,
    slug: Option<&str>,
) -> sqlx::Result<Option<Head>> {
    sqlx::query_as(HEAD)
        .bind(username)
        .bind(slug)
        .fetch_optional(pool)
        .await
}

/// The page with that id.
pub(crate) async fn find_page(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<Page>> {
    sqlx::query_as(PAGE).bind(id).fetch_optional(pool).await
}

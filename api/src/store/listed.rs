//! Names of the things in a report's lists, deleted ones included.

use super::{Statement, statements};
use sqlx::{PgExecutor, Row, postgres::PgRow};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![LINKS, CAMPAIGNS, RULES];

pub(super) const LINKS: &str = "\
SELECT links.id, short_code, coalesce(links.title, bio_links.title) AS title, campaign_id, deleted_at IS NOT NULL AS deleted
FROM links
LEFT JOIN bio_links ON bio_links.link_id = links.id
WHERE links.workspace_id = $1
  AND links.id = ANY ($2)";

pub(super) const CAMPAIGNS: &str = "\
SELECT id, NULL::text AS short_code, name AS title, NULL::uuid AS campaign_id, deleted_at IS NOT NULL AS deleted
FROM campaigns
WHERE workspace_id = $1
  AND id = ANY ($2)";

pub(super) const RULES: &str = "\
SELECT id, NULL::text AS short_code, name AS title, NULL::uuid AS campaign_id, deleted_at IS NOT NULL AS deleted
FROM rules
WHERE workspace_id = $1
  AND id = ANY ($2)";

/// What a list says about a thing besides its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) short_code: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) campaign_id: Option<Uuid>,
    pub(crate) deleted: bool,
}

/// These links, as far as they are the workspace's.
pub(crate) async fn links(
    db: impl PgExecutor<'_>,
    workspace_id: Uuid,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(Uuid, Listed)>> {
    read(db, LINKS, workspace_id, ids).await
}

/// These campaigns, as far as they are the workspace's.
pub(crate) async fn campaigns(
    db: impl PgExecutor<'_>,
    workspace_id: Uuid,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(Uuid, Listed)>> {
    read(db, CAMPAIGNS, workspace_id, ids).await
}

/// These rules, as far as they are the workspace's.
pub(crate) async fn rules(
    db: impl PgExecutor<'_>,
    workspace_id: Uuid,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(Uuid, Listed)>> {
    read(db, RULES, workspace_id, ids).await
}

async fn read(
    db: impl PgExecutor<'_>,
    statement: &'static str,
    workspace_id: Uuid,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(Uuid, Listed)>> {
    let query = sqlx::query(statement).bind(workspace_id).bind(ids);
    let rows = query.fetch_all(db).await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &PgRow) -> sqlx::Result<(Uuid, Listed)> {
    let listed = Listed {
        short_code: row.try_get("short_code")?,
        title: row.try_get("title")?,
        campaign_id: row.try_get("campaign_id")?,
        deleted: row.try_get("deleted")?,
    };
    Ok((row.try_get("id")?, listed))
}

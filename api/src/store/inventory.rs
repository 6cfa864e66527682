//! How many links and campaigns a workspace has, for its overview.

use super::{Statement, row::row, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgPool;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![COUNT];

pub(super) const COUNT: &str = "\
SELECT *
FROM (SELECT count(*) AS links,
             count(*) FILTER (WHERE enabled
                                AND NOT archived
                                AND (expires_at IS NULL OR expires_at > $4)) AS active_links
      FROM links
      WHERE workspace_id = $1
        AND deleted_at IS NULL
        AND ($2::uuid IS NULL OR campaign_id = $2)
        AND ($3::uuid[] IS NULL OR id = ANY ($3))) AS of_links
CROSS JOIN (SELECT count(*) AS campaigns
            FROM campaigns
            WHERE workspace_id = $1
              AND deleted_at IS NULL
              AND ($2::uuid IS NULL OR id = $2)
              AND ($3::uuid[] IS NULL
                   OR id IN (SELECT campaign_id
                             FROM links
                             WHERE workspace_id = $1
                               AND links.deleted_at IS NULL
                               AND links.id = ANY ($3)))) AS of_campaigns";

/// Which links and campaigns are counted.
#[derive(Clone, Debug)]
pub(crate) struct Within {
    pub(crate) workspace_id: Uuid,
    /// Only this campaign and its links.
    pub(crate) campaign_id: Option<Uuid>,
    /// Only these links and their campaigns.
    pub(crate) links: Option<Vec<Uuid>>,
}

row! {
    /// What a workspace has.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Inventory {
        pub(crate) links: i64,
        /// Those that redirect.
        pub(crate) active_links: i64,
        pub(crate) campaigns: i64,
    }
}

/// Counts the links and campaigns that are not deleted.
pub(crate) async fn count(
    main: &PgPool,
    within: &Within,
    now: Timestamp,
) -> sqlx::Result<Inventory> {
    sqlx::query_as(COUNT)
        .bind(within.workspace_id)
        .bind(within.campaign_id)
        .bind(within.links.as_deref())
        .bind(now.to_sqlx())
        .fetch_one(main)
        .await
}

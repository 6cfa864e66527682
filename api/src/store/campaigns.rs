//! Campaigns, which group links and share rules with them.
//!
//! The one rule: a change has the workspace's row locked.

use super::{Bound, Statement, Stored, Tx, row::row, statements, stored};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::{PgExecutor, Row, types::Json};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    LIST, LENGTH, FIND, FIND_ANY, EXISTS, PRICED, COUNT, INSERT, UPDATE, TOUCH
];

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "\
SELECT id, name, status, terms, created_at, updated_at, deleted_at,
       (SELECT count(*)
        FROM links
        WHERE campaign_id = campaigns.id
          AND links.deleted_at IS NULL) AS links
FROM campaigns
",
            $rest
        )
    };
}

pub(super) const LIST: &str = columns!(
    "\
WHERE workspace_id = $1
  AND (deleted_at IS NOT NULL) = $2
  AND ($3::text IS NULL OR status = $3)
  AND ($4::text IS NULL OR position(lower($4) IN lower(name)) > 0)
ORDER BY created_at DESC, id DESC
LIMIT $5
OFFSET $6"
);

pub(super) const LENGTH: &str = "\
SELECT count(*)
FROM campaigns
WHERE workspace_id = $1
  AND (deleted_at IS NOT NULL) = $2
  AND ($3::text IS NULL OR status = $3)
  AND ($4::text IS NULL OR position(lower($4) IN lower(name)) > 0)";

pub(super) const FIND: &str =
    columns!("WHERE id = $1\n  AND workspace_id = $2\n  AND deleted_at IS NULL");

pub(super) const FIND_ANY: &str = columns!("WHERE id = $1\n  AND workspace_id = $2");

pub(super) const EXISTS: &str = "\
SELECT EXISTS (SELECT FROM campaigns WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL)";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM campaigns
WHERE workspace_id = $1
  AND deleted_at IS NULL";

// Deleted ones are among them, because their clicks keep them.
pub(super) const PRICED: &str = "\
SELECT id, terms
FROM campaigns
WHERE workspace_id = $1
  AND terms->>'cost_model' IN ('cpc', 'cpm', 'cpa', 'revshare')
ORDER BY id";

pub(super) const INSERT: &str = "\
INSERT INTO campaigns (id, workspace_id, name, status, terms, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)";

pub(super) const UPDATE: &str = "\
UPDATE campaigns
SET name = $2,
    status = $3,
    terms = $4,
    updated_at = $5,
    deleted_at = $6,
    row_version = row_version + 1
WHERE id = $1";

pub(super) const TOUCH: &str = "\
UPDATE campaigns
SET updated_at = $2,
    row_version = row_version + 1
WHERE id = $1";

row! {
    /// A campaign.
    #[derive(Clone, Debug)]
    pub(crate) struct Campaign {
        pub(crate) id: Uuid,
        pub(crate) name: String,
        /// `active`, `paused` or `archived`.
        pub(crate) status: String,
        pub(crate) terms: Json<Terms>,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) updated_at: jiff_sqlx::Timestamp,
        pub(crate) deleted_at: Option<jiff_sqlx::Timestamp>,
        /// How many links belong to it.
        pub(crate) links: i64,
    }
}

/// Money, dates and thresholds of a campaign. Amounts are millionths of its currency's unit, so that
/// a cost of a tenth of a cent is exact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Terms {
    /// `none`, `cpc`, `cpm`, `cpa` or `revshare`; `None` is `none`.
    pub(crate) cost_model: Option<String>,
    pub(crate) cost_rate_micros: Option<i64>,
    pub(crate) revshare_pct: Option<f64>,
    pub(crate) currency: Option<String>,
    pub(crate) daily_budget_micros: Option<i64>,
    pub(crate) total_budget_micros: Option<i64>,
    /// Shares of the budget at which the owner gets a message.
    pub(crate) alert_thresholds: Vec<f64>,
    pub(crate) starts_at: Option<Timestamp>,
    pub(crate) ends_at: Option<Timestamp>,
}

/// Which campaigns a list has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) deleted: bool,
    pub(crate) status: Option<String>,
    pub(crate) search: Option<String>,
}

impl Stored for Campaign {
    const FIND: &'static str = FIND;
    const LIST: &'static str = LIST;
    const LENGTH: &'static str = LENGTH;
    type Filter = Filter;

    fn bind(filter: &Filter, statement: Bound) -> Bound {
        statement
            .bind(filter.deleted)
            .bind(filter.status.as_deref())
            .bind(filter.search.as_deref())
    }
}

/// A campaign of a workspace, deleted or not.
pub(crate) async fn find_any(
    executor: impl PgExecutor<'_>,
    id: Uuid,
    workspace_id: Uuid,
) -> sqlx::Result<Option<Campaign>> {
    stored::one(executor, FIND_ANY, id, workspace_id).await
}

/// The terms of the campaigns that charge something, deleted ones included.
pub(crate) async fn priced(
    executor: impl PgExecutor<'_>,
    workspace_id: Uuid,
) -> sqlx::Result<Vec<(Uuid, Terms)>> {
    let query = sqlx::query(PRICED).bind(workspace_id);
    let rows = query.fetch_all(executor).await?;
    let priced = rows.iter().map(|row| {
        let Json(terms) = row.try_get("terms")?;
        Ok((row.try_get("id")?, terms))
    });
    priced.collect()
}

/// Whether a workspace has the campaign.
pub(crate) async fn exists(tx: &mut Tx<'_>, id: Uuid, workspace_id: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar(EXISTS)
        .bind(id)
        .bind(workspace_id)
        .fetch_one(&mut **tx)
        .await
}

/// How many campaigns a workspace has.
pub(crate) async fn count(tx: &mut Tx<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    stored::count(&mut **tx, COUNT, workspace_id).await
}

/// Creates a campaign.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    campaign: &Campaign,
) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(campaign.id)
        .bind(workspace_id)
        .bind(&campaign.name)
        .bind(&campaign.status)
        .bind(&campaign.terms)
        .bind(campaign.created_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes the changeable columns of a campaign.
pub(crate) async fn update(tx: &mut Tx<'_>, campaign: &Campaign) -> sqlx::Result<()> {
    sqlx::query(UPDATE)
        .bind(campaign.id)
        .bind(&campaign.name)
        .bind(&campaign.status)
        .bind(&campaign.terms)
        .bind(campaign.updated_at)
        .bind(campaign.deleted_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Raises the version of a campaign whose rules changed.
pub(crate) async fn touch(tx: &mut Tx<'_>, id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query(TOUCH)
        .bind(id)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

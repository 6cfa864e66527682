//! Rules of links and of campaigns.
//!
//! The one rule: a change has the row of its link or campaign locked, and raises its version.

use super::{Bound, Statement, Stored, Tx, row::row, statements};
use crate::behavior::RuleBehavior;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] =
    statements![LIST, LENGTH, FIND, COUNT, INSERT, UPDATE, DELETE];

macro_rules! columns {
    ($($rest:literal),+) => {
        concat!(
            "\
SELECT id, link_id, campaign_id, name, description, type AS kind, priority, conditions, logic, destination,
       enabled, behavior, created_at, updated_at
FROM rules
",
            $($rest),+
        )
    };
}

// In the order of their evaluation.
pub(super) const LIST: &str = columns!(
    "\
WHERE workspace_id = $1
  AND deleted_at IS NULL
  AND (link_id IS NULL OR EXISTS (SELECT FROM links WHERE links.id = link_id AND links.deleted_at IS NULL))
  AND (campaign_id IS NULL
       OR EXISTS (SELECT FROM campaigns WHERE campaigns.id = campaign_id AND campaigns.deleted_at IS NULL))
  AND ($2::uuid IS NULL OR link_id = $2)
  AND ($3::uuid IS NULL OR campaign_id = $3)
  AND ($4::text IS NULL OR position(lower($4) IN lower(name)) > 0)
ORDER BY link_id, campaign_id, priority, created_at, id
LIMIT $5
OFFSET $6"
);

pub(super) const LENGTH: &str = "\
SELECT count(*)
FROM rules
WHERE workspace_id = $1
  AND deleted_at IS NULL
  AND (link_id IS NULL OR EXISTS (SELECT FROM links WHERE links.id = link_id AND links.deleted_at IS NULL))
  AND (campaign_id IS NULL
       OR EXISTS (SELECT FROM campaigns WHERE campaigns.id = campaign_id AND campaigns.deleted_at IS NULL))
  AND ($2::uuid IS NULL OR link_id = $2)
  AND ($3::uuid IS NULL OR campaign_id = $3)
  AND ($4::text IS NULL OR position(lower($4) IN lower(name)) > 0)";

pub(super) const FIND: &str = columns!(
    "\
WHERE id = $1
  AND workspace_id = $2
  AND deleted_at IS NULL
  AND (link_id IS NULL OR EXISTS (SELECT FROM links WHERE links.id = link_id AND links.deleted_at IS NULL))
  AND (campaign_id IS NULL
       OR EXISTS (SELECT FROM campaigns WHERE campaigns.id = campaign_id AND campaigns.deleted_at IS NULL))"
);

pub(super) const COUNT: &str = "\
SELECT count(*), coalesce(max(priority), 0)
FROM rules
WHERE deleted_at IS NULL
  AND (link_id = $1 OR campaign_id = $1)";

pub(super) const INSERT: &str = "\
INSERT INTO rules (id, workspace_id, link_id, campaign_id, name, description, type, priority, conditions,
                   logic, destination, enabled, behavior, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)";

pub(super) const UPDATE: &str = "\
UPDATE rules
SET name = $2,
    description = $3,
    type = $4,
    priority = $5,
    conditions = $6,
    logic = $7,
    destination = $8,
    enabled = $9,
    behavior = $10,
    updated_at = $11
WHERE id = $1";

pub(super) const DELETE: &str = "\
UPDATE rules
SET deleted_at = $2,
    updated_at = $2
WHERE id = $1";

row! {
    /// A rule.
    #[derive(Clone, Debug)]
    pub(crate) struct RuleRow {
        pub(crate) id: Uuid,
        pub(crate) link_id: Option<Uuid>,
        pub(crate) campaign_id: Option<Uuid>,
        pub(crate) name: String,
        pub(crate) description: Option<String>,
        pub(crate) kind: Option<String>,
        /// Lower ones are evaluated first.
        pub(crate) priority: i32,
        /// As the owner wrote them.
        pub(crate) conditions: Value,
        /// `AND` or `OR`.
        pub(crate) logic: String,
        pub(crate) destination: String,
        pub(crate) enabled: bool,
        pub(crate) behavior: Json<RuleBehavior>,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) updated_at: jiff_sqlx::Timestamp,
    }
}

/// Which rules a list has. Those of deleted links and campaigns are never among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) link_id: Option<Uuid>,
    pub(crate) campaign_id: Option<Uuid>,
    pub(crate) search: Option<String>,
}

impl Stored for RuleRow {
    const FIND: &'static str = FIND;
    const LIST: &'static str = LIST;
    const LENGTH: &'static str = LENGTH;
    type Filter = Filter;

    fn bind(filter: &Filter, statement: Bound) -> Bound {
        statement
            .bind(filter.link_id)
            .bind(filter.campaign_id)
            .bind(filter.search.as_deref())
    }
}

/// How many rules a link or campaign has, and their highest priority.
pub(crate) async fn count(tx: &mut Tx<'_>, owner: Uuid) -> sqlx::Result<(i64, i32)> {
    sqlx::query_as(COUNT).bind(owner).fetch_one(&mut **tx).await
}

/// Creates a rule.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    rule: &RuleRow,
) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(rule.id)
        .bind(workspace_id)
        .bind(rule.link_id)
        .bind(rule.campaign_id)
        .bind(&rule.name)
        .bind(&rule.description)
        .bind(&rule.kind)
        .bind(rule.priority)
        .bind(&rule.conditions)
        .bind(&rule.logic)
        .bind(&rule.destination)
        .bind(rule.enabled)
        .bind(&rule.behavior)
        .bind(rule.created_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes the changeable columns of a rule.
pub(crate) async fn update(tx: &mut Tx<'_>, rule: &RuleRow) -> sqlx::Result<()> {
    sqlx::query(UPDATE)
        .bind(rule.id)
        .bind(&rule.name)
        .bind(&rule.description)
        .bind(&rule.kind)
        .bind(rule.priority)
        .bind(&rule.conditions)
        .bind(&rule.logic)
        .bind(&rule.destination)
        .bind(rule.enabled)
        .bind(&rule.behavior)
        .bind(rule.updated_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Marks a rule as deleted. Its clicks still name it.
pub(crate) async fn delete(
    tx: &mut Tx<'_>,
    id: Uuid,
    now: jiff_sqlx::Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(DELETE)
        .bind(id)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

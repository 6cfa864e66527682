//! Mobile apps of workspaces.
//!
//! The one rule: a change has the workspace's row locked.

use super::{Bound, Statement, Stored, Tx, row::row, statements, stored};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::directory::Platform;
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] =
    statements![LIST, COUNT, FIND, PLATFORMS, INSERT, UPDATE, DELETE];

pub(super) const LIST: &str = "\
SELECT id, platform, package, name, team_id, fingerprints, store_url, created_at, updated_at
FROM mobile_apps
WHERE workspace_id = $1
  AND deleted_at IS NULL
ORDER BY created_at, id
LIMIT $2
OFFSET $3";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM mobile_apps
WHERE workspace_id = $1
  AND deleted_at IS NULL";

pub(super) const FIND: &str = "\
SELECT id, platform, package, name, team_id, fingerprints, store_url, created_at, updated_at
FROM mobile_apps
WHERE id = $1
  AND workspace_id = $2
  AND deleted_at IS NULL";

pub(super) const PLATFORMS: &str = "\
SELECT id, platform
FROM mobile_apps
WHERE id = ANY($1)
  AND workspace_id = $2
  AND deleted_at IS NULL";

pub(super) const INSERT: &str = "\
INSERT INTO mobile_apps (id, workspace_id, platform, package, name, team_id, fingerprints, store_url, created_at,
                         updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)";

pub(super) const UPDATE: &str = "\
UPDATE mobile_apps
SET package = $2,
    name = $3,
    team_id = $4,
    fingerprints = $5,
    store_url = $6,
    updated_at = $7,
    row_version = row_version + 1
WHERE id = $1";

pub(super) const DELETE: &str = "\
UPDATE mobile_apps
SET deleted_at = $2,
    updated_at = $2,
    row_version = row_version + 1
WHERE id = $1";

row! {
    /// An app that is not deleted.
    #[derive(Clone, Debug)]
    pub(crate) struct MobileApp {
        pub(crate) id: Uuid,
        /// `ios`, `android` or `web`.
        pub(crate) platform: String,
        /// The bundle id or package name; a web app has none.
        pub(crate) package: Option<String>,
        pub(crate) name: String,
        pub(crate) team_id: Option<String>,
        pub(crate) fingerprints: Vec<String>,
        pub(crate) store_url: Option<String>,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) updated_at: jiff_sqlx::Timestamp,
    }
}

impl Stored for MobileApp {
    const FIND: &'static str = FIND;
    const LIST: &'static str = LIST;
    const LENGTH: &'static str = COUNT;
    type Filter = ();

    fn bind((): &(), statement: Bound) -> Bound {
        statement
    }
}

/// The platform of that name. The table holds only these three.
pub(crate) fn platform(name: &str) -> Platform {
    match name {
        "ios" => Platform::Ios,
        "web" => Platform::Web,
        _ => Platform::Android,
    }
}

/// How many apps a workspace has.
pub(crate) async fn count(executor: impl PgExecutor<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    stored::count(executor, COUNT, workspace_id).await
}

/// Those of these ids that are apps of the workspace, with their platforms.
pub(crate) async fn platforms(
    executor: impl PgExecutor<'_>,
    ids: &[Uuid],
    workspace_id: Uuid,
) -> sqlx::Result<Vec<(Uuid, Platform)>> {
    let found: Vec<(Uuid, String)> = sqlx::query_as(PLATFORMS)
        .bind(ids)
        .bind(workspace_id)
        .fetch_all(executor)
        .await?;
    let found = found.into_iter();
    Ok(found.map(|(id, name)| (id, platform(&name))).collect())
}

/// Adds an app. The index `mobile_apps_package` refuses one that the workspace has.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    app: &MobileApp,
) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(app.id)
        .bind(workspace_id)
        .bind(&app.platform)
        .bind(&app.package)
        .bind(&app.name)
        .bind(&app.team_id)
        .bind(&app.fingerprints)
        .bind(&app.store_url)
        .bind(app.created_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes the changeable columns of an app. The same index refuses the package of another one.
pub(crate) async fn update(tx: &mut Tx<'_>, app: &MobileApp) -> sqlx::Result<()> {
    sqlx::query(UPDATE)
        .bind(app.id)
        .bind(&app.package)
        .bind(&app.name)
        .bind(&app.team_id)
        .bind(&app.fingerprints)
        .bind(&app.store_url)
        .bind(app.updated_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Marks an app as deleted.
pub(crate) async fn delete(tx: &mut Tx<'_>, id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query(DELETE)
        .bind(id)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

//! The statements of a rebuild: create the schema, take over generations, count losses, and swap.

use super::{RebuildError, SCHEMA};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use std::time::{Duration, Instant};

pub(crate) fn statements() -> Vec<&'static str> {
    vec![COUNT_PROJECTORS, LIST_FRESH, LIST_READERS]
}

/// How long a projector may take to disconnect, and the time between two checks.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// PostgreSQL's code for a missing right.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// The tables of all versions, which a swap removes.
const TABLES: &str = "events, sessions, seen, hits, custom_events, refusals, conversions, conversion_changes, unattributed, waiting, log_partitions, logs, _sqlx_migrations";

/// A role sees the program's name only for sessions of itself and of roles that it is a member of.
const COUNT_PROJECTORS: &str = "
SELECT count(*)
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'footfall-projector'";

/// Lists partitions too, because they do not move with their table.
const LIST_FRESH: &str = "
SELECT format('%I', relname)
FROM pg_class
WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')";

/// The roles that may read the tables in use. The fresh tables must grant them the same.
const LIST_READERS: &str = "
SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(acl.grantee)) END
FROM pg_class, aclexplode(relacl) AS acl
WHERE pg_class.oid = to_regclass('public.log_partitions')
  AND acl.privilege_type = 'SELECT'
  AND acl.grantee <> relowner";

pub(super) async fn has_former_tables(pool: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT to_regclass('public.events') IS NOT NULL")
        .fetch_one(pool)
        .await
}

/// Fails while a projector is connected. Waits a few seconds, because a projector that was just
/// stopped may still be connected.
pub(super) async fn refuse_projectors(connection: &mut PgConnection) -> Result<(), RebuildError> {
    let since = Instant::now();
    loop {
        let projectors: i64 = sqlx::query_scalar(COUNT_PROJECTORS)
            .fetch_one(&mut *connection)
            .await?;
        if projectors == 0 {
            return Ok(());
        }
        if since.elapsed() > PATIENCE {
            return Err(RebuildError::ProjectorRuns);
        }
        // Within a transaction the server caches its list of sessions. This statement discards it.
        sqlx::raw_sql("SELECT pg_stat_clear_snapshot()")
            .execute(&mut *connection)
            .await?;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Creates the schema of the fresh tables, if it is missing. Tables of another version in it are
/// dropped, because they come from a rebuild by another build.
pub(super) async fn provide_schema(pool: &PgPool) -> Result<(), RebuildError> {
    let is_there: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
        .bind(SCHEMA)
        .fetch_one(pool)
        .await?;
    if !is_there {
        let create = AssertSqlSafe(format!("CREATE SCHEMA {SCHEMA}"));
        let created = sqlx::raw_sql(create).execute(pool).await;
        created.map_err(|error| match error.as_database_error() {
            Some(refused) if refused.code().as_deref() == Some(INSUFFICIENT_PRIVILEGE) => {
                RebuildError::NoSchema
            }
            _ => error.into(),
        })?;
        return Ok(());
    }
    let versions = format!("{SCHEMA}._sqlx_migrations");
    let begun: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(&versions)
        .fetch_one(pool)
        .await?;
    let versions = AssertSqlSafe(format!("SELECT max(version) FROM {versions}"));
    let version: Option<i64> = if begun {
        sqlx::query_scalar(versions).fetch_one(pool).await?
    } else {
        None
    };
    let newest = crate::MIGRATIONS.iter().map(|migration| migration.version);
    if version != newest.max() {
        let mut connection = pool.acquire().await?;
        drop_tables(&mut connection, SCHEMA).await?;
    }
    Ok(())
}

/// Copies the generations of the logs to the fresh tables, so that every seq stays the same. Sets
/// epochs above those of any projector, so that older claims are fenced.
pub(super) async fn take_over_generations(pool: &PgPool) -> sqlx::Result<()> {
    let known: bool = sqlx::query_scalar("SELECT to_regclass('public.logs') IS NOT NULL")
        .fetch_one(pool)
        .await?;
    if !known {
        return Ok(());
    }
    let statement = AssertSqlSafe(format!(
        "INSERT INTO {SCHEMA}.logs
        SELECT generation, log_id, given_at
        FROM public.logs
        ON CONFLICT DO NOTHING;
        INSERT INTO {SCHEMA}.log_partitions (topic, partition, generation, epoch, log_id)
        SELECT topic, partition, generation, epoch + 1, log_id
        FROM public.log_partitions
        ON CONFLICT DO NOTHING"
    ));
    sqlx::raw_sql(statement).execute(pool).await?;
    Ok(())
}

/// Counts the events of the tables in use that are missing in the fresh ones.
pub(super) async fn count_lost(pool: &PgPool) -> sqlx::Result<i64> {
    let mut lost = 0;
    // `events` exists only in the tables of earlier versions, and `seen` only in the present ones.
    for table in ["events", "seen"] {
        let is_there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(format!("public.{table}"))
            .fetch_one(pool)
            .await?;
        if is_there {
            let statement = format!(
                "SELECT count(*)
                FROM public.{table} AS former
                WHERE NOT EXISTS (
                    SELECT
                    FROM {SCHEMA}.seen
                    WHERE seen.workspace_no = former.workspace_no AND seen.event_id = former.event_id
                )"
            );
            lost += sqlx::query_scalar::<_, i64>(AssertSqlSafe(statement))
                .fetch_one(pool)
                .await?;
        }
    }
    Ok(lost)
}

/// Replaces the tables in use by the fresh ones in one transaction. Returns the number of their
/// events.
pub(super) async fn swap(pool: &PgPool) -> Result<i64, RebuildError> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let events: i64 =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {SCHEMA}.seen")))
            .fetch_one(&mut *transaction)
            .await?;
    let readers: Vec<String> = sqlx::query_scalar(LIST_READERS)
        .fetch_all(&mut *transaction)
        .await?;
    drop_tables(&mut transaction, "public").await?;
    // Checked again under the locks of the dropped tables. A projector that connects now waits for
    // the commit.
    refuse_projectors(&mut transaction).await?;
    let fresh: Vec<String> = sqlx::query_scalar(LIST_FRESH)
        .bind(SCHEMA)
        .fetch_all(&mut *transaction)
        .await?;
    for table in fresh {
        let grants = readers
            .iter()
            .map(|reader| format!("GRANT SELECT ON public.{table} TO {reader};"));
        let statements: Vec<String> =
            std::iter::once(format!("ALTER TABLE {SCHEMA}.{table} SET SCHEMA public;"))
                .chain(grants)
                .collect();
        sqlx::raw_sql(AssertSqlSafe(statements.concat()))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(events)
}

async fn drop_tables(connection: &mut PgConnection, schema: &str) -> sqlx::Result<()> {
    let names: Vec<String> = TABLES
        .split(", ")
        .map(|table| format!("{schema}.{table}"))
        .collect();
    let statement = format!("DROP TABLE IF EXISTS {}", names.join(", "));
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await?;
    Ok(())
}

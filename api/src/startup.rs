//! Makes the databases usable, while the routes already answer 503.

use crate::{app::Database, conversions};
use runtime::{
    Context,
    database::{self, DatabaseError, PoolSettings},
};
use sqlx::{PgPool, migrate::Migrator};
use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};
use tracing::{info, warn};

/// The schema of the main database.
pub static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    database::migrations(&[
        (1, "base", include_str!("../migrations/0001_base.sql")),
        (
            2,
            "workspaces",
            include_str!("../migrations/0002_workspaces.sql"),
        ),
        (3, "links", include_str!("../migrations/0003_links.sql")),
        (
            4,
            "conversions",
            include_str!("../migrations/0004_conversions.sql"),
        ),
        (
            5,
            "event limits",
            include_str!("../migrations/0005_event_limits.sql"),
        ),
        (
            6,
            "counted clicks",
            include_str!("../migrations/0006_counted_clicks.sql"),
        ),
        (
            7,
            "archived links",
            include_str!("../migrations/0007_archived_links.sql"),
        ),
        (
            8,
            "mobile apps",
            include_str!("../migrations/0008_mobile_apps.sql"),
        ),
        (
            9,
            "webhooks",
            include_str!("../migrations/0009_webhooks.sql"),
        ),
        (
            11,
            "web apps",
            include_str!("../migrations/0011_web_apps.sql"),
        ),
    ])
});

/// The newest migration of the projector, which this build's reports need.
pub const ANALYTICS_SCHEMA: i64 = 9;

/// The newest applied migration. Reads sqlx's table directly. Its migrator would create the table,
/// as the wrong role and in a read-only session.
pub(crate) const SCHEMA_VERSION: &str = "\
SELECT max(version)
FROM _sqlx_migrations
WHERE success";

/// PostgreSQL's code for a table that does not exist.
const UNDEFINED_TABLE: &str = "42P01";

/// Pause between two checks of a database that is not usable yet.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a database may be unusable before it is logged: all parts of a program start at once.
const GRACE: Duration = Duration::from_secs(3);
/// Pause between two checks during [`GRACE`].
const SHORT_PAUSE: Duration = Duration::from_millis(50);

/// A pool for reports. Its sessions cannot write, regardless of the rights of their role, and end every
/// statement after `timeout`.
pub(crate) fn reading_pool(
    url: &str,
    size: u32,
    timeout: Duration,
) -> Result<PgPool, DatabaseError> {
    let settings = PoolSettings {
        statement_timeout: timeout,
        parameters: &[("default_transaction_read_only", "on")],
        ..PoolSettings::new("footfall-api-reports", size)
    };
    database::pool(url, &settings)
}

/// A pool with one connection that cancels statements of [`reading_pool`]. It is free even when all
/// of those connections are busy.
pub(crate) fn cancelling_pool(url: &str) -> Result<PgPool, DatabaseError> {
    database::pool(url, &PoolSettings::new("footfall-api-cancel", 1))
}

/// Waits for the server of the main database, migrates the schema, and admits requests.
pub(crate) async fn open_main(database: Database, context: Context) -> Result<(), DatabaseError> {
    let (readiness, lifecycle) = (&context.readiness, &context.lifecycle);
    let pool = database.raw_pool();
    match database::migrate(pool, &MIGRATIONS, database.name(), readiness, lifecycle).await {
        Err(DatabaseError::Stopped) => return Ok(()),
        migrated => migrated?,
    }
    let sources = (&*context.clock, &*context.ids);
    if let Err(error) = conversions::load_bundled(pool, sources).await {
        // Sales stay unconverted until rates are loaded; nothing else needs them.
        warn!("cannot load the bundled rates of currencies: {error}");
    }
    database.set_usable();
    Ok(())
}

/// Waits until the projector has migrated the analytics database, and admits requests.
pub(crate) async fn open_analytics(
    database: Database,
    version: i64,
    context: Context,
) -> Result<(), DatabaseError> {
    let part = database.name();
    let begun = Instant::now();
    let mut said = String::new();
    loop {
        let missing = match read_version(database.raw_pool()).await {
            Ok(Some(applied)) if applied >= version => break,
            Ok(_) => "not migrated yet by the projector".to_owned(),
            Err(error) => format!("the server is unavailable: {}", database::message(&error)),
        };
        let is_late = begun.elapsed() >= GRACE;
        // Each reason is logged once, not at every check.
        if is_late && missing != said {
            warn!("waiting for the {part}: {missing}");
            said.clone_from(&missing);
        }
        context.readiness.missing(part, missing);
        tokio::select! {
            () = context.lifecycle.servers_stopping() => return Ok(()),
            () = tokio::time::sleep(if is_late { PAUSE } else { SHORT_PAUSE }) => {}
        }
    }
    info!("the {part} is ready");
    context.readiness.ready(part);
    database.set_usable();
    Ok(())
}

async fn read_version(pool: &PgPool) -> Result<Option<i64>, sqlx::Error> {
    match sqlx::query_scalar(SCHEMA_VERSION).fetch_one(pool).await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(UNDEFINED_TABLE) => {
            Ok(None)
        }
        read => read,
    }
}

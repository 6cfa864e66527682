//! PostgreSQL pools with limits on every session, and migrations by one program at a time.
//!
//! The one rule: the server enforces limits on every session. Otherwise a statement could hang for
//! ever, and a transaction of a vanished client would keep its locks.

use crate::{Lifecycle, Readiness, Settings, settings::Setting};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool, SqlSafeStr as _,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    postgres::{PgConnectOptions, PgDatabaseError, PgPoolOptions},
};
use std::{error::Error, str::FromStr, time::Duration};
use tracing::{info, warn};
use url::Url;

/// How long a request waits for a free connection before it gets a 503.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause between two attempts while the server is unavailable.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Interval of the log lines about a running migration.
const MIGRATION_NOTICE: Duration = Duration::from_secs(10);

/// How often the server checks, during a statement, that the client is still connected.
const CLIENT_CHECK: Duration = Duration::from_secs(5);
/// TCP keepalive: idle time before the first probe, time between probes, and number of probes.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_COUNT: u32 = 3;
/// How long the server waits for the client's host to acknowledge sent data.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL is invalid, or the server reported an error.
    #[error("{}", message(.0))]
    Sqlx(#[from] sqlx::Error),
    /// A migration failed, or the tables belong to a newer build.
    #[error("{}", message(.0))]
    Migrate(#[from] MigrateError),
    /// The encoding of the database cannot hold every text that a visitor may send.
    #[error("the database is encoded as {0}; create it with ENCODING 'UTF8'")]
    Encoding(String),
    /// The program is stopping.
    #[error("stopped while waiting for the database")]
    Stopped,
}

/// Reads the URL of a database. An invalid URL is recorded as a problem, whose text never repeats
/// it.
pub fn read_url(settings: &mut Settings, setting: &Setting) -> String {
    let url = settings.required(setting);
    if !url.is_empty()
        && let Err(what) = check_url(url.trim())
    {
        settings.problem(
            setting,
            format!("{what}; give postgres://user:password@host/name"),
        );
    }
    url.trim().to_owned()
}

fn check_url(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("cannot be read as a URL: {error}"))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err("is not a PostgreSQL URL".to_owned());
    }
    if url.path().trim_start_matches('/').is_empty() {
        return Err("has no database name".to_owned());
    }
    PgConnectOptions::from_str(text).map_err(|error| error.to_string())?;
    Ok(())
}

/// How many sessions a pool has, and the limits that the server enforces on each.
///
/// To override some: `PoolSettings { statement_timeout: .., ..PoolSettings::new("name", 4) }`.
#[derive(Clone, Copy, Debug)]
pub struct PoolSettings {
    /// Name of the sessions at the server, for example in `pg_stat_activity`.
    pub name: &'static str,
    /// Most connections at a time.
    pub size: u32,
    /// Longest time of one statement.
    pub statement_timeout: Duration,
    /// Longest wait for one lock.
    pub lock_timeout: Duration,
    /// Longest idle time of the client within a transaction.
    pub idle_in_transaction_timeout: Duration,
    /// Further server parameters.
    pub parameters: &'static [(&'static str, &'static str)],
}

impl PoolSettings {
    /// Limits for short statements, such as those of a request.
    #[must_use]
    pub const fn new(name: &'static str, size: u32) -> Self {
        Self {
            name,
            size,
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(5),
            idle_in_transaction_timeout: Duration::from_secs(15),
            parameters: &[],
        }
    }

    /// Options for a connection to the server at `url` under these limits. A limit in the URL
    /// itself (`?options=-c%20statement_timeout%3D5min`) is the operator's choice and stays.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn connect_options(&self, url: &str) -> Result<PgConnectOptions, DatabaseError> {
        let options = PgConnectOptions::from_str(url)?.application_name(self.name);
        let chosen = options.get_options().unwrap_or_default().to_owned();
        let limits = self.limits();
        // PostgreSQL takes the last of two options, so ours would override the operator's.
        let limits = limits.iter().filter(|(name, _)| !sets(&chosen, name));
        Ok(options
            .options(limits.map(|(name, value)| (*name, value.as_str())))
            .options(self.parameters.iter().copied()))
    }

    fn limits(&self) -> Vec<(&'static str, String)> {
        let milliseconds = |time: Duration| time.as_millis().to_string();
        let seconds = |time: Duration| time.as_secs().to_string();
        // Names and units of PostgreSQL's own settings.
        vec![
            ("statement_timeout", milliseconds(self.statement_timeout)),
            ("lock_timeout", milliseconds(self.lock_timeout)),
            (
                "idle_in_transaction_session_timeout",
                milliseconds(self.idle_in_transaction_timeout),
            ),
            (
                "client_connection_check_interval",
                milliseconds(CLIENT_CHECK),
            ),
            ("tcp_keepalives_idle", seconds(KEEPALIVE_IDLE)),
            ("tcp_keepalives_interval", seconds(KEEPALIVE_INTERVAL)),
            ("tcp_keepalives_count", KEEPALIVE_COUNT.to_string()),
            ("tcp_user_timeout", milliseconds(UNACKNOWLEDGED)),
        ]
    }
}

/// True when options of a URL, such as `-c lock_timeout=5s`, set that setting. `deadlock_timeout`
/// contains the name of another one, so names are compared whole.
fn sets(options: &str, name: &str) -> bool {
    options.split_whitespace().any(|word| {
        let word = word
            .strip_prefix("--")
            .or(word.strip_prefix("-c"))
            .unwrap_or(word);
        word.split('=').next() == Some(name)
    })
}

/// A pool with those settings. Does not connect yet.
///
/// # Errors
/// When the URL cannot be read.
pub fn pool(url: &str, settings: &PoolSettings) -> Result<PgPool, DatabaseError> {
    Ok(PgPoolOptions::new()
        .max_connections(settings.size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(settings.connect_options(url)?))
}

/// The migrations of a schema: number, description and statements of each.
#[must_use]
pub fn migrations(files: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |&(version, description, sql): &(_, &'static str, &'static str)| {
        let kind = MigrationType::Simple;
        Migration::new(version, description.into(), kind, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(files.iter().map(migration).collect())
}

/// Waits for the server and brings the schema up to date. The migrator's advisory lock makes sure
/// that only one program migrates at a time.
///
/// # Errors
/// When a migration fails, or the program stops before the schema is up to date.
pub async fn migrate(
    pool: &PgPool,
    migrator: &Migrator,
    part: &'static str,
    readiness: &Readiness,
    lifecycle: &Lifecycle,
) -> Result<(), DatabaseError> {
    loop {
        let migrated = tokio::select! {
            migrated = run_migrations(pool, migrator, part, readiness) => migrated,
            () = lifecycle.servers_stopping() => return Err(DatabaseError::Stopped),
        };
        // A transient failure is retried, because services may start before their database.
        match migrated {
            Ok(()) => break,
            Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _))
                if is_away(&error) =>
            {
                readiness.missing(part, "the server is unavailable");
                let error = message(&error);
                warn!("{part} is unavailable, retrying: {error}");
                pause(lifecycle).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    // Other encodings cannot store every text that visitors send.
    let encoding: String = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(pool)
        .await?;
    if encoding != "UTF8" {
        return Err(DatabaseError::Encoding(encoding));
    }
    info!("{part} is up to date");
    readiness.ready(part);
    Ok(())
}

/// Migrates in its own session, where statements and lock waits have no timeout. A new index on a
/// large table takes hours, and another program that migrates holds the migrator's lock as long.
async fn run_migrations(
    pool: &PgPool,
    migrator: &Migrator,
    part: &'static str,
    readiness: &Readiness,
) -> Result<(), MigrateError> {
    let options = PgConnectOptions::clone(&pool.connect_options())
        .options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    let mut connection = connect(&options).await?;
    let migrated = {
        let migrating = migrator.run_direct(None, &mut connection, false);
        tokio::pin!(migrating);
        let first = tokio::time::Instant::now() + MIGRATION_NOTICE;
        let mut notices = tokio::time::interval_at(first, MIGRATION_NOTICE);
        loop {
            tokio::select! {
                migrated = &mut migrating => break migrated,
                _ = notices.tick() => {
                    readiness.missing(part, "migrating, or waiting for another program's migration");
                    info!("{part} is being migrated, by this program or another one");
                }
            }
        }
    };
    // After a failure the session still holds the migrator's lock, so it must end here.
    let _ = tokio::time::timeout(ACQUIRE_TIMEOUT, connection.close()).await;
    migrated
}

/// One connection outside a pool, with the timeout of a pool.
async fn connect(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    tokio::time::timeout(ACQUIRE_TIMEOUT, options.connect())
        .await
        // The error of a full pool, which callers retry.
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

async fn pause(lifecycle: &Lifecycle) -> Result<(), DatabaseError> {
    tokio::select! {
        () = lifecycle.servers_stopping() => Err(DatabaseError::Stopped),
        () = tokio::time::sleep(RETRY_PAUSE) => Ok(()),
    }
}

/// The server's message. Removes the line number that sqlx appends, which refers to PostgreSQL's
/// source.
#[must_use]
pub fn message(error: &(dyn Error + 'static)) -> String {
    let text = error.to_string();
    let mut line = None;
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(sqlx::Error::Database(server)) = error.downcast_ref() {
            let server = server.try_downcast_ref::<PgDatabaseError>();
            line = server.and_then(PgDatabaseError::line);
        }
        cause = error.source();
    }
    let suffix = line.map(|line| format!(" at line {line}"));
    let plain = suffix.and_then(|suffix| text.strip_suffix(suffix.as_str()));
    plain.unwrap_or(&text).to_owned()
}

/// PostgreSQL's code for a lock wait that exceeded `lock_timeout`.
pub const LOCK_NOT_AVAILABLE: &str = "55P03";
/// PostgreSQL's code for a canceled statement, usually one that exceeded `statement_timeout`.
pub const QUERY_CANCELED: &str = "57014";
/// PostgreSQL's code for a transaction whose client was idle for too long.
const IDLE_IN_TRANSACTION: &str = "25P03";

/// True for transient errors: the server is unavailable, restarts, lacks resources, or ended
/// something that took too long. The same request may succeed later.
#[must_use]
pub fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Classes: 57P shutdown and start-up; 08 connection; 53 resources; 40 conflicts, deadlocks.
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            let classes = ["57P", "08", "53", "40"];
            let codes = [LOCK_NOT_AVAILABLE, QUERY_CANCELED, IDLE_IN_TRANSACTION];
            codes.contains(&&*code) || classes.iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: Setting = Setting::new("DATABASE_URL", "none", "a database").secret();

    #[test]
    fn an_invalid_url_is_reported_without_repeating_it() {
        for (text, what) in [
            ("hunter2", "cannot be read as a URL"),
            ("mysql://u:hunter2@h/name", "is not a PostgreSQL URL"),
            ("postgres://u:hunter2@h", "has no database name"),
            ("postgres://u:hunter2@h/", "has no database name"),
            ("postgres://u:hunter2@h:port/name", "invalid port"),
            ("postgres://u:hunter2@h/name?port=hunter2", "invalid digit"),
            ("postgres://u:hunter2@h/name?sslmode=maybe", "maybe"),
        ] {
            let mut settings = Settings::from_pairs([("DATABASE_URL", text)]);
            read_url(&mut settings, &URL);
            let said = settings.finish().unwrap_err().to_string();
            assert!(said.contains(what), "{text}: {said}");
            assert!(said.contains("postgres://user:password@host/name"));
            assert!(!said.contains("hunter2"), "{said}");
        }
        for text in [
            "postgres://h/name",
            " postgresql://u:p@h:5433/name?sslmode=require\n",
            "postgres://%2Frun%2Fpostgresql/name",
            "postgres:///name?host=/run/postgresql",
        ] {
            let mut settings = Settings::from_pairs([("DATABASE_URL", text)]);
            assert_eq!(read_url(&mut settings, &URL), text.trim());
            settings.finish().unwrap();
        }
    }

    #[test]
    fn sessions_have_limits_that_the_url_may_change() {
        let settings = PoolSettings {
            statement_timeout: Duration::from_secs(7),
            parameters: &[("enable_seqscan", "off")],
            ..PoolSettings::new("footfall-test", 2)
        };
        let options = |url: &str| {
            let options = settings.connect_options(url).unwrap();
            assert_eq!(options.get_application_name(), Some("footfall-test"));
            options.get_options().unwrap().to_owned()
        };
        let ours = options("postgres://h/name");
        for parameter in [
            "statement_timeout=7000",
            "lock_timeout=5000",
            "idle_in_transaction_session_timeout=15000",
            "client_connection_check_interval=5000",
            "tcp_keepalives_idle=30",
            "tcp_keepalives_interval=10",
            "tcp_keepalives_count=3",
            "tcp_user_timeout=30000",
            "enable_seqscan=off",
        ] {
            let given = format!("-c {parameter}");
            assert!(ours.contains(&given), "{given} is missing: {ours}");
        }
        let chosen = options("postgres://h/name?options=-c%20statement_timeout%3D5min");
        assert_eq!(chosen.matches("statement_timeout").count(), 1, "{chosen}");
        assert!(chosen.contains("-c statement_timeout=5min"), "{chosen}");
        let other = options("postgres://h/name?options=-c%20deadlock_timeout%3D5s");
        assert!(other.contains("-c lock_timeout="), "{other}");
    }
}

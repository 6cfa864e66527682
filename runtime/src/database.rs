//! PostgreSQL pools, and schemas that one program migrates while the others wait.

use crate::{Lifecycle, Readiness, Settings};
use sqlx::{
    PgPool,
    migrate::{Migrate, MigrateError, Migrator},
    postgres::{PgConnectOptions, PgDatabaseError, PgPoolOptions},
};
use std::{error::Error, str::FromStr, time::Duration};
use tracing::{info, warn};
use url::Url;

/// How long a request waits for a free connection before it is answered 503.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause between two looks at a database that is not there or not migrated yet.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL cannot be read, or the server refused.
    #[error("{}", message(.0))]
    Sqlx(#[from] sqlx::Error),
    /// A migration failed, or the tables are of a newer build.
    #[error("{}", message(.0))]
    Migrate(#[from] MigrateError),
    /// A database that cannot hold every text a visitor may send.
    #[error("the database is encoded as {0}; create it with ENCODING 'UTF8'")]
    Encoding(String),
    /// The program is stopping.
    #[error("stopped while waiting for the database")]
    Stopped,
}

/// Reads the URL of a database; what cannot be one is noted as a problem, which never repeats it.
pub fn read_url(settings: &mut Settings, name: &str) -> String {
    let url = settings.required(name);
    if !url.is_empty()
        && let Err(what) = check_url(url.trim())
    {
        settings.problem(
            name,
            format!("{what}; give postgres://user:password@host/name"),
        );
    }
    url.trim().to_owned()
}

fn check_url(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("cannot be read as a URL: {error}"))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err("is no URL of a PostgreSQL database".to_owned());
    }
    if url.path().trim_start_matches('/').is_empty() {
        return Err("names no database".to_owned());
    }
    PgConnectOptions::from_str(text).map_err(|error| error.to_string())?;
    Ok(())
}

/// A pool of at most `size` connections, each with those server settings. Does not connect yet.
///
/// # Errors
/// When the URL cannot be read.
pub fn pool(
    url: &str,
    name: &str,
    size: u32,
    settings: &[(&str, &str)],
) -> Result<PgPool, DatabaseError> {
    let options = PgConnectOptions::from_str(url)?
        .application_name(name)
        .options(settings.iter().copied());
    Ok(PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options))
}

/// Waits for the server and brings the schema up to date; one program at a time does, by an
/// advisory lock that the migrator takes.
///
/// # Errors
/// When a migration fails, or the program stops before the server answers.
pub async fn migrate(
    pool: &PgPool,
    migrator: &Migrator,
    part: &'static str,
    readiness: &Readiness,
    lifecycle: &Lifecycle,
) -> Result<(), DatabaseError> {
    loop {
        match migrator.run(pool).await {
            Ok(()) => break,
            Err(MigrateError::Execute(error)) if is_away(&error) => {
                readiness.missing(part, "the server does not answer");
                let error = message(&error);
                warn!("{part} does not answer, trying again: {error}");
                pause(lifecycle).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
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

/// Waits until another program has brought the schema to at least this build's newest migration.
///
/// # Errors
/// When the program stops before that.
pub async fn wait_for_schema(
    pool: &PgPool,
    migrator: &Migrator,
    part: &'static str,
    readiness: &Readiness,
    lifecycle: &Lifecycle,
) -> Result<(), DatabaseError> {
    let newest = migrator
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    loop {
        let applied = applied_version(pool, migrator).await;
        match applied {
            Ok(Some(version)) if version >= newest => break,
            Ok(_) => readiness.missing(part, "not migrated yet by the program that owns it"),
            Err(error) => {
                readiness.missing(part, "the server does not answer");
                warn!("{part} does not answer, trying again: {error}");
            }
        }
        pause(lifecycle).await?;
    }
    readiness.ready(part);
    Ok(())
}

async fn applied_version(pool: &PgPool, migrator: &Migrator) -> Result<Option<i64>, DatabaseError> {
    let mut connection = pool.acquire().await?;
    connection
        .ensure_migrations_table(&migrator.table_name)
        .await?;
    let applied = connection
        .list_applied_migrations(&migrator.table_name)
        .await?;
    Ok(applied.iter().map(|migration| migration.version).max())
}

async fn pause(lifecycle: &Lifecycle) -> Result<(), DatabaseError> {
    tokio::select! {
        () = lifecycle.servers_stopping() => Err(DatabaseError::Stopped),
        () = tokio::time::sleep(RETRY_PAUSE) => Ok(()),
    }
}

/// An error in the words of the server. sqlx adds the number of a line, which is one of PostgreSQL's own source.
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

/// True for errors of a server that is away, restarting or overloaded: waiting helps.
#[must_use]
pub fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Class 57P: shutdown and start-up; 08: connection; 53: resources.
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.starts_with("57P") || code.starts_with("08") || code.starts_with("53")
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_url_is_a_problem_that_does_not_repeat_it() {
        for (text, what) in [
            ("hunter2", "cannot be read as a URL"),
            ("mysql://u:hunter2@h/name", "is no URL of a PostgreSQL"),
            ("postgres://u:hunter2@h", "names no database"),
            ("postgres://u:hunter2@h/", "names no database"),
            ("postgres://u:hunter2@h:port/name", "invalid port"),
            ("postgres://u:hunter2@h/name?port=hunter2", "invalid digit"),
            ("postgres://u:hunter2@h/name?sslmode=maybe", "maybe"),
        ] {
            let mut settings = Settings::from_pairs([("DATABASE_URL", text)]);
            read_url(&mut settings, "DATABASE_URL");
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
            assert_eq!(read_url(&mut settings, "DATABASE_URL"), text.trim());
            settings.finish().unwrap();
        }
    }
}

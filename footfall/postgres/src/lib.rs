//! A PostgreSQL server in a directory, for programs that bring their database along.
//!
//! Owns one directory (cluster, password, port, log, downloaded programs) and one child process. The rule to keep:
//! **the server that uses the directory is the one this process started**; whatever an earlier life left behind is
//! stopped or cleared first, and two servers never touch one cluster.

mod cluster;
mod download;
mod former;
mod memory;
mod privilege;
mod programs;
mod roles;
mod server;
#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tracing::info;

use self::{cluster::Cluster, privilege::Account, programs::Binaries, server::Server};
use runtime::private;

/// The role that the cluster is made with. It makes the others, and does nothing else.
const SUPERUSER: &str = "footfall";
/// The database that every cluster has.
const MAINTENANCE: &str = "postgres";
/// `SQLSTATE` of a database that exists already.
const DUPLICATE_DATABASE: &str = "42P04";

pub use self::programs::Programs;

/// Why the embedded server did not start, stop or answer, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No usable programs on this machine, and the download is not allowed or failed.
    #[error(
        "no PostgreSQL 15 or newer: {reason}; install the package `postgresql`, or set DATABASE_URL to use a server, or set EMBEDDED_POSTGRES=download"
    )]
    NoPrograms {
        /// What was looked at, and what was wrong with it.
        reason: String,
    },
    /// The data was written by a version that is not here.
    #[error("the data in {} was written by PostgreSQL {wanted}, and there is {found}; install that version, or set EMBEDDED_POSTGRES=download to fetch it", dir.display())]
    OtherVersion {
        /// The cluster's directory.
        dir: PathBuf,
        /// The version that wrote it.
        wanted: u32,
        /// What this machine has.
        found: String,
    },
    /// Started by root, and there is no way to run the server as somebody else.
    #[error(
        "PostgreSQL refuses to run as root, and it cannot be run as another user here: {reason}; start the program as an ordinary user, or set DATABASE_URL"
    )]
    Privilege {
        /// What is missing.
        reason: String,
    },
    /// One of PostgreSQL's programs failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Its name.
        program: String,
        /// What it said.
        output: String,
    },
    /// The server ended while it was starting, or took too long.
    #[error("the embedded PostgreSQL did not start: {reason}; the end of {} says:\n{tail}", log.display())]
    Start {
        /// What was seen.
        reason: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// The server ended by itself, or somebody ended it.
    #[error("the embedded PostgreSQL is gone: {reason}; its log is {}; start the program again, it recovers", log.display())]
    Ended {
        /// What was seen.
        reason: String,
        /// Its log file.
        log: PathBuf,
    },
    /// A server of an earlier run still uses the cluster and does not go.
    #[error("a PostgreSQL server of an earlier run still uses {}: {reason}; stop it by hand (process {pid})", dir.display())]
    Former {
        /// The cluster's directory.
        dir: PathBuf,
        /// Its process.
        pid: u32,
        /// Why it is still there.
        reason: String,
    },
    /// A file or directory cannot be used.
    #[error("the embedded PostgreSQL cannot use {}: {source}; choose another directory with --data-dir", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server does not answer as it should.
    #[error(
        "the embedded PostgreSQL answers: {}; its log is postgres/postgres.log in the data directory",
        runtime::database::message(.0)
    )]
    Database(#[from] sqlx::Error),
    /// A name that is not a plain lower-case identifier.
    #[error(
        "`{0}` is not a valid name for a database or a role; use at most 63 lower-case letters, digits and underscores"
    )]
    Name(String),
}

impl PostgresError {
    /// For `map_err`: the system's word about a path.
    fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }
}

/// A PostgreSQL server of our own in a directory.
///
/// Dropped without [`EmbeddedPostgres::stop`], the server is told to stop and nobody waits for it.
pub struct EmbeddedPostgres {
    server: Server,
    password: String,
}

impl fmt::Debug for EmbeddedPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedPostgres")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl EmbeddedPostgres {
    /// A server that accepts connections: programs found or fetched, cluster made if there was none, an earlier
    /// run's server stopped.
    pub async fn start(dir: &Path, programs: Programs) -> Result<Self, PostgresError> {
        private::make_folder(dir).map_err(PostgresError::file(dir))?;
        let dir = tokio::fs::canonicalize(dir)
            .await
            .map_err(PostgresError::file(dir))?;
        let cluster = Cluster::new(&dir);
        let account = Account::of(cluster.owner()).await?;
        let binaries = Binaries::find(programs, &dir, cluster.version()?, &account).await?;
        former::clear(&cluster, &binaries, &account).await?;
        let password = cluster.password()?;
        if !cluster.exists() {
            info!(
                "embedded PostgreSQL {}: making a new cluster",
                binaries.version
            );
            cluster.init(&binaries, &account, &password).await?;
        }
        let server = Server::start(cluster, binaries, account, &password).await?;
        Ok(Self { server, password })
    }

    /// The URL of a database for the superuser, who may do everything that the server's user may do on this machine.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> String {
        self.url_of(SUPERUSER, &self.password, database)
    }

    fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        let port = self.server.port();
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}")
    }

    /// The database exists afterwards; whether it was made now.
    pub async fn create_database(&self, name: &str) -> Result<bool, PostgresError> {
        check_name(name)?;
        let options = connect_options(self.server.port(), &self.password);
        let mut connection = PgConnection::connect_with(&options).await?;
        // The name cannot be bound in this statement; it was checked to be a plain identifier.
        let create = AssertSqlSafe(format!("CREATE DATABASE \"{name}\""));
        let made = match connection.execute(create).await {
            Ok(_) => true,
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some(DUPLICATE_DATABASE) =>
            {
                false
            }
            Err(error) => return Err(error.into()),
        };
        connection.close().await?;
        Ok(made)
    }

    /// Completes when the server is gone without [`EmbeddedPostgres::stop`], and says how. Cancelling it changes nothing.
    pub async fn ended(&mut self) -> PostgresError {
        self.server.ended().await
    }

    /// Ends the server: connections are cut, everything is written, and it is gone when this returns.
    pub async fn stop(self) -> Result<(), PostgresError> {
        self.server.stop().await
    }
}

/// Refuses a name that would need quotes: names cannot be bound in the statements that use them.
fn check_name(name: &str) -> Result<(), PostgresError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(plain) {
        return Err(PostgresError::Name(name.to_owned()));
    }
    Ok(())
}

fn connect_options(port: u16, password: &str) -> PgConnectOptions {
    // Everything is said here, because what is not comes from PGHOST and its like.
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(SUPERUSER)
        .password(password)
        .database(MAINTENANCE)
        .ssl_mode(PgSslMode::Disable)
}

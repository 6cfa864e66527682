//! Runs a PostgreSQL server in a directory, for programs that bring their own database.
//!
//! Owns one directory (cluster, password, port, log, downloaded programs) and one child process.
//! The rule to keep: **the server that uses the directory is the one that this process started**. A
//! server of an earlier run is stopped first, so two servers never use one cluster.

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

/// The superuser of the cluster. It creates the other roles, and does nothing else.
const SUPERUSER: &str = "footfall";
/// The database that every cluster has.
const MAINTENANCE: &str = "postgres";
/// `SQLSTATE` of a database that exists already.
const DUPLICATE_DATABASE: &str = "42P04";

pub use self::{programs::Programs, roles::password_in};

/// Why the embedded server did not start, stop or answer, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No usable programs on this machine, and the download is not allowed or failed.
    #[error(
        "no PostgreSQL 15 or newer: {reason}; install the package `postgresql`, or set DATABASE_URL to use a server, or set EMBEDDED_POSTGRES=download"
    )]
    NoPrograms {
        /// The places that were searched, and their problems.
        reason: String,
    },
    /// The data was written by a version that is not installed.
    #[error("the data in {} was written by PostgreSQL {wanted}, but this machine has {found}; install that version, or set EMBEDDED_POSTGRES=download", dir.display())]
    OtherVersion {
        /// The cluster's directory.
        dir: PathBuf,
        /// The version that wrote it.
        wanted: u32,
        /// The versions on this machine.
        found: String,
    },
    /// Started by root, and the server cannot run as another user.
    #[error(
        "PostgreSQL refuses to run as root, and it cannot run as another user: {reason}; start the program as an ordinary user, or set DATABASE_URL"
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
        /// Its output.
        output: String,
    },
    /// The server ended while it was starting, or took too long.
    #[error("the embedded PostgreSQL did not start: {reason}; the end of {}:\n{tail}", log.display())]
    Start {
        /// The observed reason.
        reason: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The server ended unexpectedly.
    #[error("the embedded PostgreSQL ended: {reason}; its log is {}; start the program again, and it recovers", log.display())]
    Ended {
        /// The observed reason.
        reason: String,
        /// Its log file.
        log: PathBuf,
    },
    /// A server of an earlier run still uses the cluster and does not end.
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
        /// Its path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The server refuses a connection or a statement.
    #[error(
        "the embedded PostgreSQL reports: {}; its log is postgres/postgres.log in the data directory",
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
    /// For `map_err`: a system error about a path.
    fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }
}

/// A PostgreSQL server of our own in a directory.
///
/// If it is dropped without [`EmbeddedPostgres::stop`], the server is asked to stop, without
/// waiting for its end.
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
    /// Starts a server that accepts connections. Finds or downloads the programs, stops an earlier
    /// run's server, and creates the cluster if there is none.
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
                "embedded PostgreSQL {}: creating a new cluster",
                binaries.version
            );
            cluster.init(&binaries, &account, &password).await?;
        }
        let server = Server::start(cluster, binaries, account, &password).await?;
        Ok(Self { server, password })
    }

    /// The URL of a database for the superuser, who has all rights of the server's user on this
    /// machine.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> String {
        self.url_of(SUPERUSER, &self.password, database)
    }

    fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        let port = self.server.port();
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}")
    }

    /// Ensures that the database exists. Returns whether it was created now.
    pub async fn create_database(&self, name: &str) -> Result<bool, PostgresError> {
        check_name(name)?;
        let options = connect_options(self.server.port(), &self.password);
        let mut connection = PgConnection::connect_with(&options).await?;
        // This statement cannot bind the name; it was checked to be a plain identifier.
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

    /// Completes when the server ends without [`EmbeddedPostgres::stop`], and returns the reason.
    /// Cancelling it changes nothing.
    pub async fn ended(&mut self) -> PostgresError {
        self.server.ended().await
    }

    /// Stops the server: closes connections, writes everything, and returns when it has ended.
    pub async fn stop(self) -> Result<(), PostgresError> {
        self.server.stop().await
    }
}

/// Refuses a name that would need quotes, because the statements that use names cannot bind them.
fn check_name(name: &str) -> Result<(), PostgresError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(plain) {
        return Err(PostgresError::Name(name.to_owned()));
    }
    Ok(())
}

fn connect_options(port: u16, password: &str) -> PgConnectOptions {
    // Sets every option, because a missing one would come from PGHOST or a similar variable.
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(SUPERUSER)
        .password(password)
        .database(MAINTENANCE)
        .ssl_mode(PgSslMode::Disable)
}

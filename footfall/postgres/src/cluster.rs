//! Manages the directory: the cluster, and the files for password, port and log.
//!
//! The rule to keep: `cluster` exists only when it is complete. It is created under another name
//! and renamed, so that a first start that was killed begins again instead of failing for ever.

use std::{
    fs, io,
    net::TcpListener,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rand::{TryRngCore as _, rngs::OsRng};

use super::{
    PostgresError, SUPERUSER,
    privilege::{self, Account, run},
    programs::Binaries,
};
use runtime::private;

/// Creating a cluster takes a second or two, and much longer on a slow disk.
const INIT_TIMEOUT: Duration = Duration::from_mins(5);
/// A log above this size is renamed at the next start; one former log is kept.
const LOG_LIMIT_BYTES: u64 = 10 * 1024 * 1024;
/// How the names of PostgreSQL's Unix sockets and of their locks begin.
const SOCKET: &[u8] = b".s.PGSQL.";
/// Number of log lines that an error shows.
const TAIL_LINES: usize = 15;

/// Paths of the directory.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    home: PathBuf,
}

impl Cluster {
    /// The cluster in this directory.
    pub(super) fn new(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
        }
    }

    /// The data directory, in PostgreSQL's terms.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join("cluster")
    }

    /// File with the process id and the state of the running server.
    pub(super) fn pid_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    /// The server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    /// True if the cluster exists, which means that it is complete.
    pub(super) fn exists(&self) -> bool {
        self.data().exists()
    }

    /// User and group of its files, if it exists.
    pub(super) fn owner(&self) -> Option<(u32, u32)> {
        privilege::owner(&self.data())
    }

    /// The version that wrote it, if it exists.
    pub(super) fn version(&self) -> Result<Option<u32>, PostgresError> {
        if !self.exists() {
            return Ok(None);
        }
        let path = self.data().join("PG_VERSION");
        let text = fs::read_to_string(&path).map_err(PostgresError::file(&path))?;
        let version = text.trim().parse().map_err(io::Error::other);
        version.map(Some).map_err(PostgresError::file(path))
    }

    /// The superuser's password, generated at the first start.
    pub(super) fn password(&self) -> Result<String, PostgresError> {
        let path = self.home.join("password");
        let known = match fs::read_to_string(&path) {
            Ok(text) => text.trim().to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(PostgresError::file(path)(error)),
        };
        if !known.is_empty() {
            return Ok(known);
        }
        // Written whole or not at all: an empty file from a killed start would lock us out.
        let made = random_password().map_err(PostgresError::file(&path))?;
        private::write_file(&path, &made).map_err(PostgresError::file(path))?;
        Ok(made)
    }

    /// Creates the cluster, with this password for its superuser.
    pub(super) async fn init(
        &self,
        binaries: &Binaries,
        account: &Account,
        password: &str,
    ) -> Result<(), PostgresError> {
        let unfinished = self.home.join("cluster.unfinished");
        let data = unfinished.join("cluster");
        // A copy, because `initdb` reads it as the other user, who cannot read our own file.
        let secret = unfinished.join("password");
        // Sorting by bytes is fastest, and it is all that we promise. `C.UTF-8` gives letters an
        // upper and a lower case; if it fails, `C` serves.
        let mut made = Ok(());
        for letters in ["--lc-ctype=C.UTF-8", "--lc-ctype=C"] {
            remove(&unfinished)?;
            for directory in [&unfinished, &data] {
                fs::DirBuilder::new()
                    .mode(0o700)
                    .create(directory)
                    .map_err(PostgresError::file(directory))?;
                account.give(directory)?;
            }
            private::write_file(&secret, password).map_err(PostgresError::file(&secret))?;
            account.give(&secret)?;
            let mut command = account.command_on(&data, binaries.program("initdb"))?;
            command
                .arg("--pwfile")
                .arg(account.beside(&data, "password"));
            command.args(["--username", SUPERUSER, "--auth=scram-sha-256"]);
            command.args(["--encoding=UTF8", "--locale=C", letters]);
            command.args(["--data-checksums", "--no-instructions"]);
            made = run(command, INIT_TIMEOUT).await.map(drop);
            if made.is_ok() {
                break;
            }
        }
        if let Err(error) = made {
            remove(&unfinished)?;
            return Err(error);
        }
        fs::rename(&data, self.data()).map_err(PostgresError::file(&data))?;
        // `initdb` has synced the files that it created, but not this name.
        private::sync_name(&self.data()).map_err(PostgresError::file(self.data()))?;
        remove(&unfinished)
    }

    /// The port of the last start if it is free, otherwise another.
    pub(super) fn choose_port(&self) -> Result<u16, PostgresError> {
        let path = self.home.join("port");
        let last = fs::read_to_string(&path).ok();
        let last = last.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port))?.local_addr();
        // Free at this moment only. `Server::start` tries again if another program takes the port.
        let address = free(last).or_else(|_| free(0));
        let port = address.map_err(PostgresError::file(&path))?.port();
        private::write_file(&path, &port.to_string()).map_err(PostgresError::file(path))?;
        Ok(port)
    }

    /// Forgets the port of the last start.
    pub(super) fn forget_port(&self) {
        // If the file stays, it is only a worse first guess.
        let _ = fs::remove_file(self.home.join("port"));
    }

    /// Removes the Unix sockets of dead servers, and their locks.
    pub(super) fn remove_sockets(&self) -> Result<(), PostgresError> {
        let entries = match fs::read_dir(self.data()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(PostgresError::file(self.data()))?,
        };
        for entry in entries.flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(SOCKET) {
                fs::remove_file(entry.path()).map_err(PostgresError::file(entry.path()))?;
            }
        }
        Ok(())
    }

    /// Opens the log for the server. Renames it first if it has grown large.
    pub(super) fn open_log(&self) -> Result<fs::File, PostgresError> {
        let path = self.log();
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_LIMIT_BYTES) {
            fs::rename(&path, path.with_extension("log.1")).map_err(PostgresError::file(&path))?;
        }
        let mut options = fs::OpenOptions::new();
        let options = options.create(true).append(true).mode(0o600);
        options.open(&path).map_err(PostgresError::file(path))
    }

    /// Current length of the log, so that later lines can be found.
    pub(super) fn log_length(&self) -> u64 {
        fs::metadata(self.log()).map_or(0, |metadata| metadata.len())
    }

    /// The last lines that were written after the log had this length.
    pub(super) fn log_tail(&self, since: u64) -> String {
        let bytes = fs::read(self.log()).unwrap_or_default();
        let since = usize::try_from(since).unwrap_or(0).min(bytes.len());
        let text = String::from_utf8_lossy(bytes.get(since..).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(TAIL_LINES);
        lines.get(from..).unwrap_or_default().join("\n")
    }
}

fn random_password() -> io::Result<String> {
    let mut bytes = [0; 24];
    OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(hex::encode(bytes))
}

fn remove(path: &Path) -> Result<(), PostgresError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(PostgresError::file(path)(error))
        }
        _ => Ok(()),
    }
}

//! The spool's file: an SQLite database in a private folder that one process has locked.
//!
//! The one rule: [`Store::commit`] returns after the fsync. SQLite repairs what a crash leaves in
//! the middle of a commit.

use runtime::private;
use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;

/// The database. SQLite keeps `-wal` and `-shm` files beside it.
pub(super) const FILE: &str = "spool.db";
/// Locked while a store is open, so that a second process is refused.
const LOCK_FILE: &str = "spool.lock";
/// `FfSp`, the application id in the file's header.
const APPLICATION_ID: i32 = 0x4666_5370;
/// The version of the layout below. A newer program writes a higher number.
const VERSION: i32 = 1;
/// Only another program, such as the `sqlite3` shell, can cause a wait.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// A write-ahead file that grew larger is truncated to this size.
const KEPT_BYTES: i64 = 64 * 1024 * 1024;

/// Why the spool cannot be used.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The folder or a file in it cannot be made, protected or locked.
    #[error("the spool {}: {source}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another process uses the folder.
    #[error("the spool {} is in use by another program", .0.display())]
    InUse(PathBuf),
    /// The file belongs to another program or to a newer version.
    #[error("{} was written by another program or by a newer version", .0.display())]
    Foreign(PathBuf),
    /// The file cannot be read or written.
    #[error("the spool's file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// An earlier write failed on the disk; writing needs a restart.
    #[error("the disk failed during an earlier write of the spool")]
    Broken,
    /// A thread cannot be started.
    #[error("cannot start the spool's thread: {0}")]
    Thread(#[source] io::Error),
}

impl SpoolError {
    /// Whether the file's state on the disk is unknown after the error. On a full disk it is known:
    /// nothing was written.
    pub(super) fn is_disk_failure(&self) -> bool {
        let Self::Sqlite(error) = self else {
            return false;
        };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        )
    }
}

/// An event of the file, without its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) seq: i64,
    pub(super) key: String,
    pub(super) payload_bytes: u64,
    pub(super) at_ms: i64,
}

/// An event to write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) seq: i64,
    pub(super) key: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) at_ms: i64,
}

/// The file, open for writing.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    file: PathBuf,
    /// Last, so that the folder is unlocked after the connection is closed.
    _lock: Lock,
}

#[derive(Debug)]
struct Lock(File);

/// Unlocks explicitly, because closing the file may not: a child that is being started has a copy
/// of it until its program runs.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Store {
    /// Opens the file in this folder, and makes both if they are missing.
    pub(super) fn open(dir: &Path) -> Result<Self, SpoolError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| SpoolError::Folder { path, source }
        };
        private::make_folder(dir).map_err(failed(dir))?;
        // Absolute, so that SQLite never treats a name that begins with `file:` as a URL.
        let dir = fs::canonicalize(dir).map_err(failed(dir))?;
        let lock = lock(&dir)?;
        let file = dir.join(FILE);
        let is_new = !file.exists();
        drop(private_file(&file).map_err(failed(&file))?);
        // SQLite gives these the permissions of the main file. Files of an earlier run may have
        // others.
        for suffix in ["-wal", "-shm"] {
            let path = dir.join(format!("{FILE}{suffix}"));
            match private::protect(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&path)(error));
                }
                _ => {}
            }
        }
        if is_new {
            private::sync_name(&file).map_err(failed(&file))?;
        }
        let connection = connect(&file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        prepare(&connection, &file)?;
        Ok(Self {
            connection,
            file,
            _lock: lock,
        })
    }

    /// Every event of the file, in order.
    pub(super) fn events(&self) -> Result<Vec<Found>, SpoolError> {
        let mut statement = self
            .connection
            .prepare("SELECT seq, key, length(payload), at_ms FROM events ORDER BY seq")?;
        let rows = statement.query_map([], |row| {
            Ok(Found {
                seq: row.get(0)?,
                key: row.get(1)?,
                payload_bytes: row.get::<_, i64>(2)?.unsigned_abs(),
                at_ms: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Gives the space of drained events back to the file system. Fast on an empty file only.
    pub(super) fn shrink(&self) -> Result<(), SpoolError> {
        Ok(self.connection.execute_batch("VACUUM")?)
    }

    /// Writes new events and removes drained ones, all or nothing. They are on the disk when this
    /// returns.
    pub(super) fn commit(&self, rows: &[Row<'_>], drained: &[i64]) -> Result<(), SpoolError> {
        let connection = &self.connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let written = write(connection, rows, drained).and_then(|()| {
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(())
        });
        if written.is_err() && !connection.is_autocommit() {
            // On a full or failing disk SQLite may roll back on its own; autocommit is then on.
            connection.execute_batch("ROLLBACK")?;
        }
        Ok(written?)
    }

    /// A second connection for reading.
    pub(super) fn reader(&self) -> Result<Reader, SpoolError> {
        let connection = connect(&self.file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(Reader(connection))
    }
}

/// Reads payloads.
#[derive(Debug)]
pub(super) struct Reader(Connection);

impl Reader {
    /// The payloads of these events; `None` for one that the file does not have.
    pub(super) fn payloads(
        &self,
        seqs: impl Iterator<Item = i64>,
    ) -> Result<Vec<Option<Vec<u8>>>, SpoolError> {
        use rusqlite::OptionalExtension as _;
        let mut statement = self
            .0
            .prepare_cached("SELECT payload FROM events WHERE seq = ?1")?;
        let payloads = seqs.map(|seq| statement.query_row([seq], |row| row.get(0)).optional());
        Ok(payloads.collect::<Result<_, _>>()?)
    }
}

fn lock(dir: &Path) -> Result<Lock, SpoolError> {
    let path = dir.join(LOCK_FILE);
    let failed = |source| SpoolError::Folder {
        path: path.clone(),
        source,
    };
    let file = private_file(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(SpoolError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Opens a file that only its owner may read and write, and makes it if it is missing.
fn private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    private::protect(path)?;
    Ok(file)
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

fn prepare(connection: &Connection, file: &Path) -> Result<(), SpoolError> {
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // An fsync in each commit, not only in checkpoints.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", KEPT_BYTES)?;
    // Overwrites drained events. Erasure in the log would not reach what stayed in this file.
    connection.pragma_update(None, "secure_delete", true)?;
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    match (number("application_id")?, number("user_version")?) {
        (0, 0) => connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE events (
                 seq INTEGER PRIMARY KEY,
                 at_ms INTEGER NOT NULL,
                 key TEXT NOT NULL,
                 payload BLOB NOT NULL
             ) STRICT;
             PRAGMA application_id = {APPLICATION_ID};
             PRAGMA user_version = {VERSION};
             COMMIT;"
        ))?,
        (APPLICATION_ID, VERSION) => {}
        _ => return Err(SpoolError::Foreign(file.to_owned())),
    }
    Ok(())
}

fn write(
    connection: &Connection,
    rows: &[Row<'_>],
    drained: &[i64],
) -> Result<(), rusqlite::Error> {
    let mut delete = connection.prepare_cached("DELETE FROM events WHERE seq = ?1")?;
    for seq in drained {
        delete.execute([seq])?;
    }
    let mut insert = connection
        .prepare_cached("INSERT INTO events (seq, at_ms, key, payload) VALUES (?1, ?2, ?3, ?4)")?;
    for row in rows {
        insert.execute(params![row.seq, row.at_ms, row.key, row.payload])?;
    }
    Ok(())
}

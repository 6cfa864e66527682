//! Opens the record file: its folder, permissions, settings and tables.
//!
//! Every partition has its own table, keyed by base offset, so appends always reach the last page of a table. In one
//! table for all partitions they reached the middle, which doubled the measured time per append. Searched columns come
//! before the bytes of the batch, so that a search reads no overflow page.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::{Durability, StoreError};

/// The record file. `SQLite` keeps `-wal` and `-shm` files beside it.
pub(super) const FILE: &str = "records.db";
/// Locked while a store is open, so that a second store on the folder is refused.
const LOCK_FILE: &str = "records.lock";
/// `FfLg`, the application id in the file's header.
const APPLICATION_ID: i32 = 0x4666_4c67;
/// The permission bits of the group and of other users.
const OTHERS: u32 = 0o077;
/// The version of the layout below. A newer program writes a higher number.
const VERSION: i32 = 1;
/// Measured: with 4 kB pages, batches of 1-2 kB leave a third of the file unused. 16 kB pages save nothing more, and a
/// small commit writes twice as much.
pub(super) const PAGE_BYTES: u16 = 8192;
/// How long to wait for a lock. Only another program, such as the `sqlite3` shell, can cause a wait.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements that a connection caches: a few, plus one per partition in use.
const PREPARED_STATEMENTS: usize = 256;

const TABLES: &str = "
    CREATE TABLE meta (
        name TEXT PRIMARY KEY,
        value ANY NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE topics (
        name TEXT PRIMARY KEY,
        id BLOB NOT NULL UNIQUE
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE configs (
        topic TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (topic, name)
    ) STRICT, WITHOUT ROWID;
    -- A partition without a topic belongs to one that was deleted, and waits for its table to be emptied.
    CREATE TABLE partitions (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT,
        \"index\" INTEGER NOT NULL,
        start INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE producers (
        partition INTEGER NOT NULL,
        producer INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        used INTEGER NOT NULL,
        recent BLOB NOT NULL,
        PRIMARY KEY (partition, producer)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE offsets (
        consumer_group TEXT NOT NULL,
        topic TEXT NOT NULL,
        partition INTEGER NOT NULL,
        committed INTEGER NOT NULL,
        leader_epoch INTEGER NOT NULL,
        metadata TEXT,
        PRIMARY KEY (consumer_group, topic, partition)
    ) STRICT, WITHOUT ROWID;";

/// The columns of a partition's table, in its `CREATE TABLE`.
///
/// `last` is the distance to the last offset. `newest` is the largest timestamp of the partition up to and including this
/// batch; it never decreases, so it can be searched. `behind` is the difference between `newest` and the batch's own
/// largest timestamp. It is usually 0, which takes no byte.
const PARTITION_COLUMNS: &str = "(
    base INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    behind INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT";

/// The name of a partition's table.
pub(super) fn table(number: i64) -> String {
    format!("batches_{number}")
}

/// Creates a partition's table.
pub(super) fn create_partition_table(
    connection: &Connection,
    number: i64,
) -> Result<(), rusqlite::Error> {
    let table = table(number);
    connection.execute_batch(&format!("CREATE TABLE {table} {PARTITION_COLUMNS}"))
}

/// A folder with its file, locked for one store.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    lock: File,
}

/// Unlocks explicitly, because closing the file may not: a child that is being started has a copy
/// of it until its program runs.
impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

/// Creates the folder if necessary, removes other users' access to it, and locks it against a second store.
pub(super) fn prepare_folder(dir: &Path) -> Result<Place, StoreError> {
    let in_folder = |source| StoreError::Folder {
        dir: dir.to_owned(),
        source,
    };
    make_folder(dir).map_err(in_folder)?;
    // Absolute, so that `SQLite` never treats a name that begins with `file:` as a URL.
    let dir = fs::canonicalize(dir).map_err(in_folder)?;
    let lock = private_file(&dir.join(LOCK_FILE)).map_err(in_folder)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(StoreError::InUse { dir }),
        Err(fs::TryLockError::Error(source)) => return Err(in_folder(source)),
    }
    Ok(Place {
        file: dir.join(FILE),
        lock,
    })
}

fn make_folder(dir: &Path) -> io::Result<()> {
    let existed = dir.is_dir();
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    protect(dir)?;
    if !existed && let Some(parent) = fs::canonicalize(dir)?.parent() {
        sync_folder(parent)?;
    }
    Ok(())
}

/// Writes the folder's entries to disk. Without it, a power loss may take new and renamed files.
pub(super) fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Opens a file that only its owner can access, and creates it if it does not exist.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    protect(path)?;
    Ok(file)
}

fn protect(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode & 0o7777 & !OTHERS))
}

/// Removes other users' access to a file. A missing file is not an error: the last connection of a store that is
/// closing may remove the file at any moment.
pub(super) fn protect_if_there(path: &Path) -> io::Result<()> {
    match protect(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// Opens the file for the single writer, and creates the tables in an empty file.
pub(super) fn open_writer(file: &Path, durability: Durability) -> Result<Connection, StoreError> {
    let in_folder = |source| StoreError::Folder {
        dir: file.to_owned(),
        source,
    };
    let is_new = !file.exists();
    drop(private_file(file).map_err(in_folder)?);
    // `SQLite` creates these with the main file's permissions. Files from an earlier run may have others.
    for suffix in ["-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        protect_if_there(Path::new(&name)).map_err(in_folder)?;
    }
    if is_new && let Some(dir) = file.parent() {
        sync_folder(dir).map_err(in_folder)?;
    }
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", durability.pragma())?;
    // The `checkpoint` module makes checkpoints, mostly on its own thread.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -8192)?;
    match version(&connection)? {
        (0, 0) => {
            let create = format!(
                "BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
            );
            connection.execute_batch(&create)?;
        }
        (APPLICATION_ID, VERSION) => {}
        (application, version) => {
            return Err(StoreError::Foreign {
                file: file.to_owned(),
                application,
                version,
            });
        }
    }
    Ok(connection)
}

fn version(connection: &Connection) -> Result<(i32, i32), rusqlite::Error> {
    let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok((application, version))
}

/// Opens the file for a reader.
pub(super) fn open_reader(file: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Opened for writing, because a reader of a file in WAL mode may have to recover it first.
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// Opens the file for checkpoints only.
pub(super) fn open_checkpointer(
    file: &Path,
    durability: Durability,
) -> Result<Connection, rusqlite::Error> {
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", durability.pragma())?;
    Ok(connection)
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    Ok(connection)
}

/// Reads the number stored under a name, or returns the default.
pub(super) fn number(
    connection: &Connection,
    name: &str,
    default: i64,
) -> Result<i64, rusqlite::Error> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
        .map(|value| value.unwrap_or(default))
}

/// Stores a value under a name.
pub(super) fn keep(
    connection: &Connection,
    name: &str,
    value: impl rusqlite::ToSql,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
        .execute(rusqlite::params![name, value])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_folder_is_free_although_a_starting_child_has_a_copy_of_its_lock() {
        let folder = tempfile::TempDir::new().unwrap();
        let place = prepare_folder(folder.path()).unwrap();
        let copy = place.lock.try_clone().unwrap();
        assert!(matches!(
            prepare_folder(folder.path()),
            Err(StoreError::InUse { .. })
        ));
        drop(place);
        prepare_folder(folder.path()).unwrap();
        drop(copy);
    }
}

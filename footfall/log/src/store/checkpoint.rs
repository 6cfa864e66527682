//! Moves committed pages from the write-ahead file into the main file, so that the write-ahead file stays small.
//!
//! A separate thread copies pages while the writer continues. Afterwards the writer copies the few pages added
//! meanwhile and restarts the write-ahead file. No reader may use the file at that moment, so readers hold a gate.

use std::{
    path::Path,
    sync::{
        Arc, RwLock,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;
use tracing::warn;

use super::{StoreError, StoreOptions, room, schema};
use crate::lock;

/// Pages that a commit writes in addition to the batches: the rest of the last page, and producers' progress.
const PAGES_PER_COMMIT: usize = 4;
/// An unusually large write-ahead file is truncated to this size when it restarts.
const KEPT_BYTES: i64 = 64 * 1024 * 1024;

/// Held for reading while a reader uses the file, and for writing while the write-ahead file restarts.
pub(super) type Gate = RwLock<()>;

/// The writer's handle to the checkpoint thread.
pub(super) struct Checkpoints {
    gate: Arc<Gate>,
    begin: Option<Sender<()>>,
    done: Receiver<Result<(), StoreError>>,
    thread: Option<JoinHandle<()>>,
    begin_bytes: usize,
    written: usize,
    running: bool,
}

impl Checkpoints {
    /// Starts the thread, with its own connection to `file`.
    pub(super) fn start(
        file: &Path,
        options: &StoreOptions,
        gate: Arc<Gate>,
    ) -> Result<Self, StoreError> {
        let connection = schema::open_checkpointer(file, options.durability)?;
        let (begin, requests) = channel();
        let (report, done) = channel();
        let thread = thread::Builder::new()
            .name("log-checkpoint".to_owned())
            .spawn(move || {
                while requests.recv().is_ok() {
                    let result = checkpoint(&connection, "PRAGMA wal_checkpoint(PASSIVE)");
                    if report.send(result).is_err() {
                        break;
                    }
                }
            })
            .map_err(StoreError::Thread)?;
        Ok(Self {
            gate,
            begin: Some(begin),
            done,
            thread: Some(thread),
            begin_bytes: options.checkpoint_bytes,
            written: 0,
            running: false,
        })
    }

    /// Begins or finishes a checkpoint if one is due.
    pub(super) fn after_commit(
        &mut self,
        connection: &Connection,
        bytes: usize,
    ) -> Result<(), StoreError> {
        self.written += bytes + PAGES_PER_COMMIT * usize::from(schema::PAGE_BYTES);
        if self.running {
            let Ok(result) = self.done.try_recv() else {
                return Ok(());
            };
            self.running = false;
            self.written = 0;
            result?;
            let _nobody_reads = lock::write(&self.gate);
            // Another program that reads the file, such as the `sqlite3` shell, must not make appends wait.
            connection.busy_timeout(Duration::ZERO)?;
            let restarted = checkpoint(connection, "PRAGMA wal_checkpoint(RESTART)");
            connection.busy_timeout(schema::BUSY_TIMEOUT)?;
            return restarted;
        }
        if self.written >= self.begin_bytes {
            self.running = self
                .begin
                .as_ref()
                .is_some_and(|begin| begin.send(()).is_ok());
        }
        Ok(())
    }

    /// Moves everything into the main file, and empties the write-ahead file.
    pub(super) fn close(mut self, connection: &Connection) -> Result<(), StoreError> {
        drop(self.begin.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            warn!("the log's checkpoint thread panicked");
        }
        let _nobody_reads = lock::write(&self.gate);
        checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
    }
}

/// Limits the size of a restarted write-ahead file.
pub(super) fn limit_file(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "journal_size_limit", KEPT_BYTES)
}

/// Moves the write-ahead file of an earlier run into the main file. After a disk failure the system may have dropped
/// parts of that file that still read well. New commits after such a part would not survive a power loss.
pub(super) fn take_in(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    match checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)") {
        // On a full disk, for example, a later checkpoint moves it.
        Err(error) if !error.is_disk_failure(|| room::is_left_beside(file)) => {
            warn!(%error, "the log's write-ahead file was not moved into the main file: {error}");
            Ok(())
        }
        done => done,
    }
}

fn checkpoint(connection: &Connection, pragma: &str) -> Result<(), StoreError> {
    // Ignore the result row: if another program blocked this checkpoint, the next one moves the rest.
    connection.query_row(pragma, [], |_| Ok(()))?;
    Ok(())
}

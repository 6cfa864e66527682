//! The writer: one thread that commits everything that waits in one transaction, with one fsync.
//!
//! The rules to keep: nothing in memory changes before the commit; a request that fails does not fail its neighbours;
//! after the disk failed a write, nothing is acknowledged until the file is opened again, because the system may have
//! dropped what it could not write.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, TryRecvError},
    },
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::oneshot;
use tracing::{error, warn};

use super::{
    AppendError, Shared, StoreError,
    append::{Append, Appended, Staged},
    checkpoint::Checkpoints,
    producers::Producers,
    schema::Place,
    tail::Tails,
    topics,
};

/// A transaction takes no more requests once they hold this many bytes, so that commits stay short.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// The pause between two pieces of cleaning up after a deleted topic. Requests do not wait for it.
const CLEANING_PAUSE: Duration = Duration::from_millis(5);

/// A request to the writer.
pub(super) enum Job {
    /// Appends, each partition decided for itself.
    Append {
        appends: Vec<Append>,
        bytes: usize,
        reply: oneshot::Sender<Vec<Result<Appended, AppendError>>>,
    },
    /// Any other change, and about how many bytes it writes if it is a large one.
    Change(Box<dyn Change>, usize),
    /// Ends the thread, after everything that was asked for before.
    Stop(oneshot::Sender<()>),
}

/// A change of the file that is none of records.
pub(super) trait Change: Send {
    /// Makes the change; possibly more than once, after a rollback. An error undoes this change alone.
    fn apply(&mut self, connection: &Connection) -> Result<(), StoreError>;
    /// Called once, after the commit or with the reason why there was none.
    fn finish(self: Box<Self>, writer: &mut WriterState, result: Result<(), StoreError>);
}

/// What only the writer's thread touches.
pub(super) struct WriterState {
    pub(super) shared: Arc<Shared>,
    pub(super) producers: Producers,
    pub(super) tails: Tails,
    pub(super) cleaning: bool,
}

/// The writer's thread.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) state: WriterState,
    pub(super) checkpoints: Checkpoints,
    pub(super) broken: bool,
    /// Until nothing is written any more, no other store may open the folder.
    pub(super) _place: Place,
}

/// What a job came to inside the transaction.
enum Outcome {
    Appends(Vec<Result<Appended, AppendError>>),
    Change(Result<(), StoreError>),
}

impl Writer {
    /// Serves jobs until a stop job comes, or until every sender is gone.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut stopped = None;
        while stopped.is_none() {
            let Some(first) = self.wait(jobs) else {
                break;
            };
            let mut group = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(job) = next.take() {
                match job {
                    Job::Stop(reply) => {
                        stopped = Some(reply);
                        break;
                    }
                    Job::Append { bytes: size, .. } | Job::Change(_, size) => bytes += size,
                }
                group.push(job);
                if bytes < GROUP_BYTES {
                    next = jobs.try_recv().ok();
                }
            }
            self.commit(group);
            self.checkpoint(bytes);
        }
        self.close();
        if let Some(reply) = stopped {
            let _ = reply.send(());
        }
    }

    /// Keeps the write-ahead file small, after a commit of about this many bytes.
    fn checkpoint(&mut self, bytes: usize) {
        if !self.broken
            && let Err(error) = self.checkpoints.after_commit(&self.connection, bytes)
        {
            self.note(&error);
        }
    }

    /// The next job; cleans up in between if a topic was deleted.
    fn wait(&mut self, jobs: &Receiver<Job>) -> Option<Job> {
        while self.state.cleaning && !self.broken {
            match jobs.try_recv() {
                Ok(job) => return Some(job),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            match self.transaction(topics::clean) {
                Ok(more) => {
                    self.state.cleaning = more;
                    if more {
                        self.checkpoint(0);
                    }
                }
                Err(error) => {
                    self.note(&error);
                    self.state.cleaning = false;
                }
            }
            if let Ok(job) = jobs.recv_timeout(CLEANING_PAUSE) {
                return Some(job);
            }
        }
        jobs.recv().ok()
    }

    fn close(self) {
        if !self.broken
            && let Err(error) = self.checkpoints.close(&self.connection)
        {
            warn!(%error, "the log's write-ahead file was not moved into the main file: {error}");
        }
        if let Err((_, error)) = self.connection.close() {
            warn!(%error, "the log's file did not close: {error}");
        }
    }

    /// Commits jobs together; if that fails, each one alone, so that a large one takes no small one with it.
    fn commit(&mut self, mut group: Vec<Job>) {
        if group.is_empty() {
            return;
        }
        let failure = match self.attempt(&mut group) {
            Ok(()) => return,
            Err(failure) => failure,
        };
        self.note(&failure);
        if group.len() > 1 && !self.broken {
            for job in group {
                self.commit(vec![job]);
            }
            return;
        }
        for job in group {
            self.finish(job, Err(&failure));
        }
    }

    /// One transaction for all jobs; takes them only if it was committed.
    fn attempt(&mut self, group: &mut Vec<Job>) -> Result<(), StoreError> {
        let mut staged = Staged::default();
        let mut outcomes = Vec::with_capacity(group.len());
        let state = &self.state;
        let removed = Self::in_transaction(&self.connection, self.broken, |connection| {
            for job in group.iter_mut() {
                outcomes.push(match job {
                    Job::Append { appends, .. } => {
                        let mut results = Vec::with_capacity(appends.len());
                        for append in appends.iter() {
                            results.push(staged.append(connection, &state.producers, append)?);
                        }
                        Outcome::Appends(results)
                    }
                    Job::Change(change, _) => Outcome::Change(alone(connection, &mut **change)?),
                    Job::Stop(_) => Outcome::Change(Ok(())),
                });
            }
            Ok(state.producers.write(connection, &staged.moved)?)
        })?;
        staged.publish(&mut self.state.tails);
        self.state.producers.learn(staged.moved, &removed);
        for (job, outcome) in group.drain(..).zip(outcomes) {
            self.finish(job, Ok(outcome));
        }
        Ok(())
    }

    fn finish(&mut self, job: Job, outcome: Result<Outcome, &StoreError>) {
        match job {
            Job::Append {
                appends,
                bytes,
                reply,
            } => {
                self.state.shared.queued.fetch_sub(bytes, Ordering::AcqRel);
                let results = match outcome {
                    Ok(Outcome::Appends(results)) => results,
                    Ok(Outcome::Change(_)) | Err(_) => {
                        vec![Err(AppendError::Storage); appends.len()]
                    }
                };
                let _ = reply.send(results);
            }
            Job::Change(change, _) => {
                let result = match outcome {
                    Ok(Outcome::Change(result)) => result,
                    Ok(Outcome::Appends(_)) => Err(StoreError::Stopped),
                    Err(error) => Err(error.copy()),
                };
                change.finish(&mut self.state, result);
            }
            Job::Stop(_) => {}
        }
    }

    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        Self::in_transaction(&self.connection, self.broken, work)
    }

    fn in_transaction<T>(
        connection: &Connection,
        broken: bool,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if broken {
            return Err(StoreError::Broken);
        }
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let done = work(connection).and_then(|value| {
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(value)
        });
        if done.is_err() && !connection.is_autocommit() {
            // `SQLite` rolls back by itself when the disk is full or failing; then there is nothing to do.
            connection.execute_batch("ROLLBACK")?;
        }
        done
    }

    /// Says that something failed, and ends all writing if the disk cannot be trusted any more.
    fn note(&mut self, failure: &StoreError) {
        metrics::counter!("embedded_log_write_failures_total").increment(1);
        if failure.is_disk_failure() && !self.broken {
            self.broken = true;
            metrics::gauge!("embedded_log_broken").set(1.0);
            error!(error = %failure, "the disk failed to write the log: {failure}; nothing more is accepted until the next start");
        } else {
            warn!(error = %failure, "the log could not be written: {failure}");
        }
    }
}

/// Applies a change so that its own error undoes nothing but itself. The outer error is one of the whole transaction.
fn alone(
    connection: &Connection,
    change: &mut dyn Change,
) -> Result<Result<(), StoreError>, StoreError> {
    connection.prepare_cached("SAVEPOINT change")?.execute([])?;
    let applied = change.apply(connection);
    match &applied {
        Err(error) if error.is_of_storage() => return applied.map(Ok),
        Err(_) => {
            connection
                .prepare_cached("ROLLBACK TO change")?
                .execute([])?;
        }
        Ok(()) => {}
    }
    connection.prepare_cached("RELEASE change")?.execute([])?;
    Ok(applied)
}

//! The writer: one thread that commits all waiting jobs in one transaction, with one fsync.
//!
//! The rules to keep: change nothing in memory before the commit; one failed job does not fail the others. After a disk
//! failure, acknowledge nothing until the file is opened again: the system may have dropped unwritten data.

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
    room,
    schema::Place,
    tails::Tails,
    topics,
};

/// A transaction takes no more jobs above this size in bytes, so that commits stay short.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// The pause between two steps of cleaning up after a deleted topic. Jobs do not wait for it.
const CLEANING_PAUSE: Duration = Duration::from_millis(5);

/// A job for the writer.
pub(super) enum Job {
    /// Appends, with a separate result for each partition.
    Append {
        appends: Vec<Append>,
        bytes: usize,
        reply: oneshot::Sender<Vec<Result<Appended, AppendError>>>,
    },
    /// Any other change, and its approximate size in bytes if it is large.
    Change(Box<dyn Change>, usize),
    /// Ends the thread after all earlier jobs.
    Stop(oneshot::Sender<()>),
}

/// A change of the file other than an append.
pub(super) trait Change: Send {
    /// Makes the change; called again after a rollback. An error undoes only this change.
    fn apply(&mut self, connection: &Connection) -> Result<(), StoreError>;
    /// Called once, after the commit or with the error that prevented it.
    fn finish(self: Box<Self>, writer: &mut WriterState, result: Result<(), StoreError>);
}

/// State that only the writer's thread uses, except `shared`.
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
    /// The folder, locked until the writer has ended.
    pub(super) place: Place,
}

/// The result of a job inside the transaction.
enum Outcome {
    Appends(Vec<Result<Appended, AppendError>>),
    Change(Result<(), StoreError>),
}

impl Writer {
    /// Runs jobs until a stop job arrives or all senders are dropped.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut stopped = None;
        while stopped.is_none() {
            let Some(first) = self.wait(jobs) else {
                break;
            };
            // Take the jobs that queued up during the last commit. Waiting for more would only delay these.
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

    /// Waits for the next job. Cleans up after deleted topics meanwhile.
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

    /// Commits jobs together. If that fails, commits each one alone, so that one large job does not fail the small
    /// ones.
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

    /// Runs all jobs in one transaction, and removes them from `group` only after the commit.
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
        // The commit succeeded: only now may memory and readers see the changes.
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
            // On a full or failing disk `SQLite` may roll back on its own; autocommit is then on again.
            connection.execute_batch("ROLLBACK")?;
        }
        done
    }

    /// Logs and counts a failure, and ends all writing if the disk can no longer be trusted.
    fn note(&mut self, failure: &StoreError) {
        metrics::counter!("embedded_log_write_failures_total").increment(1);
        let has_room = || room::is_left_beside(&self.place.file);
        if !self.broken && failure.is_disk_failure(has_room) {
            self.broken = true;
            metrics::gauge!("embedded_log_broken").set(1.0);
            error!(error = %failure, "the disk failed to write the log: {failure}; nothing is accepted until the next start");
        } else {
            warn!(error = %failure, "the log could not be written: {failure}");
        }
    }
}

/// Applies a change in a savepoint, so that its error undoes only this change. The outer error concerns the whole
/// transaction.
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

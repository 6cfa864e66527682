//! The writer: one thread that commits all waiting jobs together, with one fsync.
//!
//! The rules to keep: a job is answered after the commit; after a disk failure nothing is accepted
//! until the next start, because the system may have dropped what it could not write.

use super::{
    Shared, SpoolRefusal,
    lanes::Entry,
    store::{Row, SpoolError, Store},
};
use crate::sink::Outgoing;
use std::sync::{
    Arc,
    mpsc::{Receiver, Sender, channel},
};
use std::thread;
use tokio::sync::oneshot;
use tracing::{error, warn};

/// A commit takes no more jobs above this size, so that it stays short.
const GROUP_BYTES: u64 = 8 * 1024 * 1024;

/// A job for the writer.
pub(super) enum Job {
    /// Keeps events for which the lanes have made room.
    Append(Append),
    /// Removes events that the log has.
    Drained(Vec<i64>),
    /// Ends the thread after all earlier jobs.
    Stop(oneshot::Sender<()>),
}

struct Writer {
    store: Store,
    shared: Arc<Shared>,
    next_seq: i64,
    /// Events to remove. Those of a failed commit stay for the next one.
    drained: Vec<i64>,
    broken: bool,
}

/// Events of one call, with the channel to their caller.
pub(super) struct Append {
    pub(super) events: Vec<Outgoing>,
    pub(super) at_ms: i64,
    pub(super) reply: oneshot::Sender<Result<(), SpoolRefusal>>,
}

/// Starts the thread.
pub(super) fn start(
    store: Store,
    next_seq: i64,
    shared: Arc<Shared>,
) -> Result<Sender<Job>, SpoolError> {
    let (jobs, queue) = channel();
    let writer = Writer {
        store,
        shared,
        next_seq,
        drained: Vec::new(),
        broken: false,
    };
    thread::Builder::new()
        .name("spool-writer".to_owned())
        .spawn(move || writer.run(&queue))
        .map_err(SpoolError::Thread)?;
    Ok(jobs)
}

impl Writer {
    /// Runs jobs until a stop job arrives or all senders are dropped.
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut stopped = None;
        while stopped.is_none() {
            let Ok(first) = jobs.recv() else {
                break;
            };
            // Takes the jobs that queued up during the last commit. Waiting for more would only
            // delay these.
            let mut group = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(job) = next.take() {
                match job {
                    Job::Append(append) => {
                        bytes += append.events.iter().map(super::size).sum::<u64>();
                        group.push(append);
                    }
                    Job::Drained(mut seqs) => self.drained.append(&mut seqs),
                    Job::Stop(reply) => {
                        stopped = Some(reply);
                        break;
                    }
                }
                if bytes < GROUP_BYTES {
                    next = jobs.try_recv().ok();
                }
            }
            self.commit(group);
        }
        // The folder is unlocked before the reply, so that the next store can open it.
        drop(self.store);
        if let Some(reply) = stopped {
            let _ = reply.send(());
        }
    }

    fn commit(&mut self, group: Vec<Append>) {
        if group.is_empty() && self.drained.is_empty() {
            return;
        }
        match self.attempt(&group) {
            Ok(()) => {
                self.drained.clear();
                self.keep(group);
            }
            Err(failure) => {
                self.note(&failure);
                for append in group {
                    self.shared.not_kept(&append.events);
                    let _ = append.reply.send(Err(SpoolRefusal::Disk));
                }
                // Removing drained events makes room on a full disk.
                if !self.broken && self.store.commit(&[], &self.drained).is_ok() {
                    self.drained.clear();
                }
            }
        }
    }

    fn attempt(&self, group: &[Append]) -> Result<(), SpoolError> {
        if self.broken {
            return Err(SpoolError::Broken);
        }
        let events = group
            .iter()
            .flat_map(|append| append.events.iter().map(|event| (event, append.at_ms)));
        let rows: Vec<Row<'_>> = (self.next_seq..)
            .zip(events)
            .map(|(seq, (event, at_ms))| Row {
                seq,
                key: &event.key,
                payload: &event.payload,
                at_ms,
            })
            .collect();
        self.store.commit(&rows, &self.drained)
    }

    /// Puts the committed events into their lanes, and only then answers.
    fn keep(&mut self, group: Vec<Append>) {
        for append in group {
            let entries = append.events.iter().map(|event| {
                let entry = Entry {
                    seq: self.next_seq,
                    bytes: super::size(event),
                    at_ms: append.at_ms,
                };
                self.next_seq += 1;
                (event.key.as_str(), entry)
            });
            self.shared.kept(entries);
            let _ = append.reply.send(Ok(()));
        }
    }

    /// Logs a failure, and ends all writing if the disk can no longer be trusted.
    fn note(&mut self, failure: &SpoolError) {
        if self.broken {
            return;
        }
        if failure.is_disk_failure() {
            self.broken = true;
            self.shared.broke();
            error!(
                "the disk failed to write the spool: {failure}; it accepts nothing until the next start"
            );
        } else {
            warn!("the spool could not be written: {failure}");
        }
    }
}

//! From lines to batches of records, on a thread of its own.
//!
//! The one rule: records leave in the order of their lines, and no more are held than one batch.

use super::{
    lines::{Line, Lines},
    summary::Counts,
};
use ingest::{
    Outgoing,
    accept::Acceptor,
    directory::Directory,
    history::{BadLine, History, MAX_LINE_BYTES, Reason, Taken},
};
use runtime::{Clock, IdSource};
use std::{
    io::Read,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::mpsc};

/// Records of a batch: enough that handing over costs nothing, few enough to hold several.
const BATCH_RECORDS: usize = 1_000;
/// Bytes of a batch that is handed over though it has fewer.
const BATCH_BYTES: usize = 1024 * 1024;
/// How long after the directory was read a page may still be on its way: a change reaches every
/// reader within a second.
const NEWS: Duration = Duration::from_secs(2);

/// Records of some lines, and what became of all of them.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) records: Vec<Outgoing>,
    pub(super) counts: Counts,
    /// Bytes of the input up to here.
    pub(super) read_bytes: u64,
}

/// Takes lines in.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    pub(super) acceptor: Arc<Acceptor>,
    pub(super) directory: Arc<Directory>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) handle: Handle,
}

impl Intake {
    /// Reads until the input ends or nobody takes batches any more. Blocks.
    ///
    /// # Errors
    /// When the input cannot be read; what was read before is handed over.
    pub(super) fn run(
        &self,
        input: impl Read,
        batches: &mpsc::Sender<Batch>,
    ) -> std::io::Result<()> {
        let begun = Instant::now();
        let mut lines = Lines::new(input, MAX_LINE_BYTES);
        let mut batch = Batch::default();
        let mut bytes = 0;
        loop {
            let full = batch.records.len() >= BATCH_RECORDS || bytes >= BATCH_BYTES;
            // Whoever writes slowly sees each line arrive.
            let hand_over = full || (lines.may_wait() && batch.counts.lines > 0);
            if hand_over && batches.blocking_send(std::mem::take(&mut batch)).is_err() {
                return Ok(());
            }
            if hand_over {
                bytes = 0;
            }
            let line = match lines.read() {
                Ok(Some(line)) => line,
                ended => {
                    // A receiver that is gone has said why.
                    let _ = batches.blocking_send(batch);
                    return ended.map(|_| ());
                }
            };
            let taken = match line {
                Line::Text([]) => None,
                Line::Text(text) => Some(self.take(text, begun)),
                Line::TooLong => Some(Err(BadLine::too_long())),
            };
            let number = lines.number;
            batch.read_bytes = lines.bytes;
            let Some(taken) = taken else { continue };
            batch.counts.lines += 1;
            let first = batch.records.len();
            match taken {
                Ok(taken) => batch.put(taken),
                Err(bad) => batch.counts.reject(number, bad),
            }
            let added = batch.records.get(first..).unwrap_or_default();
            bytes += added
                .iter()
                .map(|record| record.payload.len())
                .sum::<usize>();
        }
    }

    /// What becomes of a line, when the directory was read at `begun`: what that does not know yet may
    /// still be on its way. Blocks while it waits.
    pub(super) fn take(&self, line: &[u8], begun: Instant) -> Result<Taken, BadLine> {
        let history = History {
            acceptor: &self.acceptor,
            directory: &self.directory,
            ids: &*self.ids,
        };
        let now = self.clock.now();
        let taken = history.take(line, now);
        let unknown = |taken: &Result<Taken, BadLine>| {
            let news = [Reason::UnknownPage, Reason::UnknownWorkspace];
            taken.as_ref().is_err_and(|bad| news.contains(&bad.reason))
        };
        let left = NEWS.saturating_sub(begun.elapsed());
        if !unknown(&taken) || left.is_zero() {
            return taken;
        }
        let known = |_: &Directory| {
            let again = history.take(line, now);
            (!unknown(&again)).then_some(again)
        };
        let waited = self.handle.block_on(self.directory.wait_for(left, known));
        waited.unwrap_or(taken)
    }
}

impl Batch {
    fn put(&mut self, taken: Taken) {
        match taken {
            Taken::Refused(reason) => self.counts.refuse(reason),
            Taken::Record(record) => {
                self.counts.records += 1;
                self.records.push(record);
            }
            Taken::Visit(events) => {
                self.counts.visits += 1;
                for event in events {
                    // Events made of these types are always JSON.
                    if let Ok(payload) = event.to_bytes() {
                        let key = event.workspace_id.to_string();
                        self.records.push(Outgoing { key, payload });
                        self.counts.events += 1;
                    }
                }
            }
        }
    }
}

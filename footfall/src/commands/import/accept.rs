//! Turns lines into batches of records, on a thread of its own.
//!
//! The rule to keep: records leave in the order of their lines, and at most one unfinished batch is
//! held.

use super::{
    bad_lines::Told,
    lines::{Line, Lines},
    summary::Counts,
    unit::{Made, Unit},
};
use ingest::{
    accept::Acceptor,
    directory::Directory,
    history::{BadLine, History, MAX_LINE_BYTES, Reason, Taken, TakenConversion},
};
use runtime::{Clock, IdSource};
use std::{
    io::Read,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::mpsc};

/// Records that fill a batch: enough that handing over costs nothing, few enough to hold several
/// batches.
const BATCH_RECORDS: usize = 1_000;
/// Bytes that fill a batch, even with fewer records.
const BATCH_BYTES: usize = 1024 * 1024;
/// Lines that fill a batch, even with fewer records. Each may be a bad line, which takes memory
/// too.
const BATCH_LINES: u64 = 1_000;
/// By how much the thread lowers its priority. The import waits for the tables, and they need the
/// processor as well, as do live visits.
const NICER: i32 = 10;
/// How long after the directory was read a page or link may still be missing from it. A change reaches
/// every reader within a second.
const NEWS: Duration = Duration::from_secs(2);

/// The result of some lines: units for the log, counts, and bad lines.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) units: Vec<Unit>,
    pub(super) counts: Counts,
    /// Conversions, each with the number of its line.
    pub(super) conversions: Vec<(u64, TakenConversion)>,
    pub(super) bad: Vec<Told>,
    /// Bytes of the input up to here.
    pub(super) read_bytes: u64,
    records: usize,
    bytes: usize,
}

/// Turns lines into units.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    pub(super) acceptor: Arc<Acceptor>,
    pub(super) directory: Arc<Directory>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) handle: Handle,
    /// Partitions of the log.
    pub(super) partitions: i32,
}

impl Intake {
    /// Reads until the input ends or the receiver of batches is gone. Blocks.
    ///
    /// # Errors
    /// When the input cannot be read. The lines before the error are handed over.
    pub(super) fn run(
        &self,
        input: impl Read,
        batches: &mpsc::Sender<Batch>,
    ) -> std::io::Result<()> {
        // On Linux this changes only this thread. If it fails, the import just takes longer.
        let _ = rustix::process::nice(NICER);
        let begun = Instant::now();
        let mut lines = Lines::new(input, MAX_LINE_BYTES);
        let mut batch = Batch::default();
        loop {
            // Hands over before a possible wait, so that the lines of a slow writer are not held
            // back.
            let hand_over = batch.is_full() || (lines.may_wait() && batch.counts.lines > 0);
            if hand_over && batches.blocking_send(std::mem::take(&mut batch)).is_err() {
                return Ok(());
            }
            let line = match lines.read() {
                Ok(Some(line)) => line,
                ended => {
                    // If the receiver is gone, it has reported why.
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
            match taken {
                Ok(taken) => batch.put(number, Made::of(taken, self.partitions)),
                Err(bad) => batch.bad.push(Told {
                    line: number,
                    reason: bad.reason.name().into(),
                    problem: bad.what,
                }),
            }
        }
    }

    /// Judges a line. `begun` is when the directory was read. For a short time after that, an
    /// unknown page or link may still be on its way, so the line waits for it. Blocks while it waits.
    pub(super) fn take(&self, line: &[u8], begun: Instant) -> Result<Taken, BadLine> {
        let history = History {
            acceptor: &self.acceptor,
            directory: &self.directory,
            ids: &*self.ids,
        };
        let now = self.clock.now();
        let taken = history.take(line, now);
        let unknown = |taken: &Result<Taken, BadLine>| {
            let news = [
                Reason::UnknownPage,
                Reason::UnknownWorkspace,
                Reason::UnknownLink,
            ];
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
    fn put(&mut self, line: u64, made: Made) {
        match made {
            Made::Refused(reason) => self.counts.refuse(reason),
            Made::Conversion(conversion) => self.conversions.push((line, *conversion)),
            Made::Machine(unit, reason) => {
                self.counts.note_machine(reason);
                self.push(unit);
            }
            Made::Unit(unit) => self.push(unit),
        }
    }

    fn push(&mut self, unit: Unit) {
        self.records += unit.events.len();
        let bytes = unit.events.iter().map(|event| event.bytes.len());
        self.bytes += bytes.sum::<usize>();
        self.units.push(unit);
    }

    const fn is_full(&self) -> bool {
        self.records >= BATCH_RECORDS
            || self.bytes >= BATCH_BYTES
            || self.counts.lines >= BATCH_LINES
    }
}

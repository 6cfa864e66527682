//! The spool: keeps events on the disk while the log does not accept them.
//!
//! Owns the events until the log has them, in order per tenant. Its file is in [`store`], written by
//! the thread of [`writer`]; [`lanes`] decides what goes where, and [`drain`] moves events to the
//! log. The one rule: an event is accepted after the fsync of its commit, and removed after the
//! log's acknowledgement.

mod drain;
mod lanes;
mod store;
#[cfg(test)]
mod tests;
mod watch;
mod writer;

pub use store::SpoolError;

use super::Outgoing;
use lanes::{Chunk, Entry, Lanes, OVERHEAD_BYTES, Route};
use runtime::{Clock, Readiness, Settings, settings::Setting};
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};
use store::{Reader, Store};
use thiserror::Error;
use tokio::sync::{Notify, oneshot};
use watch::Watch;
use writer::{Append, Job};

/// Readiness part: where accepted events go.
pub const SPOOL_PART: &str = "spool";

pub(crate) const DIR: Setting = Setting::new(
    "SPOOL_DIR",
    "none",
    "folder on a lasting disk for events that Kafka does not accept in time; without it their beacons get 503",
);
pub(crate) const MAX_BYTES: Setting = Setting::new(
    "SPOOL_MAX_BYTES",
    "1000000000",
    "most bytes of events in SPOOL_DIR; above it beacons get 503",
);

/// How long a new event waits for the end of its tenant's lane.
const ENDING: Duration = Duration::from_millis(250);

/// Where a spool is, and how much it may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolOptions {
    /// Its folder, which it does not share.
    pub dir: PathBuf,
    /// Most bytes of keys and payloads, with a little for each event.
    pub max_bytes: u64,
}

impl SpoolOptions {
    /// Reads the settings. Returns `None` without `SPOOL_DIR`.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let max_bytes = settings.parse(&MAX_BYTES, "a number of bytes");
        let dir = settings.text(DIR)?;
        Some(Self {
            dir: PathBuf::from(dir),
            max_bytes,
        })
    }
}

/// Why the spool did not accept an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SpoolRefusal {
    /// It holds as much as it may.
    #[error("the spool is full")]
    Full,
    /// Its disk failed or is full.
    #[error("the spool could not be written")]
    Disk,
}

/// An open spool.
#[derive(Debug)]
pub struct Spool {
    shared: Arc<Shared>,
    jobs: Sender<Job>,
    reader: Arc<Mutex<Reader>>,
}

/// What the spool's users, its writer and its drain share.
#[derive(Debug)]
struct Shared {
    lanes: Mutex<Lanes>,
    /// True while there is a lane, so that the usual case needs no lock.
    holds: AtomicBool,
    broken: AtomicBool,
    /// Lanes have something to send.
    work: Notify,
    /// A lane has ended.
    ended: Notify,
    clock: Arc<dyn Clock>,
    watch: Watch,
}

/// Bytes of the bound that an event takes.
fn size(event: &Outgoing) -> u64 {
    size_of(event.key.len(), event.payload.len())
}

fn size_of(key: usize, payload: usize) -> u64 {
    u64::try_from(key + payload).unwrap_or(u64::MAX / 2) + OVERHEAD_BYTES
}

impl Spool {
    /// Opens the spool with the events of an earlier run, and makes it if it is missing. Blocks.
    ///
    /// # Errors
    /// When the folder or its file cannot be used.
    pub fn open(
        options: &SpoolOptions,
        clock: Arc<dyn Clock>,
        readiness: Readiness,
    ) -> Result<Self, SpoolError> {
        let store = Store::open(&options.dir)?;
        let found = store.events()?;
        if found.is_empty() {
            store.shrink()?;
        }
        let mut lanes = Lanes::new(options.max_bytes);
        let mut next_seq = 1;
        for event in found {
            next_seq = event.seq + 1;
            let payload = usize::try_from(event.payload_bytes).unwrap_or(usize::MAX / 2);
            let entry = Entry {
                seq: event.seq,
                bytes: size_of(event.key.len(), payload),
                at_ms: event.at_ms,
            };
            lanes.found(&event.key, entry);
        }
        let reader = Arc::new(Mutex::new(store.reader()?));
        let shared = Arc::new(Shared {
            holds: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            work: Notify::new(),
            ended: Notify::new(),
            clock,
            watch: Watch::new(readiness),
            lanes: Mutex::new(lanes),
        });
        shared.change(|_| ());
        shared.work.notify_one();
        let jobs = writer::start(store, next_seq, Arc::clone(&shared))?;
        Ok(Self {
            shared,
            jobs,
            reader,
        })
    }

    /// False if every event can go to the log directly.
    pub(super) fn holds_events(&self) -> bool {
        self.shared.holds.load(Ordering::Acquire)
    }

    /// For each event, whether it goes to the spool. Waits a moment for lanes that are ending.
    pub(super) async fn routes(&self, events: &[Outgoing]) -> Vec<bool> {
        let ending = tokio::time::sleep(ENDING);
        tokio::pin!(ending);
        loop {
            let ended = self.shared.ended.notified();
            tokio::pin!(ended);
            // Before the look at the lanes, so that no end is missed.
            ended.as_mut().enable();
            let routes: Vec<Route> = {
                let lanes = self.shared.lock();
                events.iter().map(|event| lanes.route(&event.key)).collect()
            };
            let spooled = |route: &Route| *route != Route::Log;
            if !routes.contains(&Route::Soon) {
                return routes.iter().map(spooled).collect();
            }
            tokio::select! {
                () = ended => {}
                () = &mut ending => {
                    let mut lanes = self.shared.lock();
                    for (event, route) in events.iter().zip(&routes) {
                        if *route == Route::Soon {
                            lanes.lingers(&event.key);
                        }
                    }
                    return routes.iter().map(spooled).collect();
                }
            }
        }
    }

    /// Whether an event with this key would overtake others if it went to the log.
    pub(super) fn has_lane(&self, key: &str) -> bool {
        self.shared.lock().has(key)
    }

    /// Keeps events, all or none. They are on the disk when this returns `Ok`.
    pub(super) async fn append(&self, events: Vec<Outgoing>) -> Result<(), SpoolRefusal> {
        self.submit(events)?
            .await
            .unwrap_or(Err(SpoolRefusal::Disk))
    }

    /// Like [`Self::append`], for events that the log did not accept in time. From now on new
    /// events do not try.
    pub(super) async fn append_failed(&self, events: Vec<Outgoing>) -> Result<(), SpoolRefusal> {
        let submitted = self.submit(events)?;
        self.shared.change(Lanes::log_is_away);
        submitted.await.unwrap_or(Err(SpoolRefusal::Disk))
    }

    fn submit(
        &self,
        events: Vec<Outgoing>,
    ) -> Result<oneshot::Receiver<Result<(), SpoolRefusal>>, SpoolRefusal> {
        if self.shared.broken.load(Ordering::Acquire) {
            return Err(SpoolRefusal::Disk);
        }
        let (reply, kept) = oneshot::channel();
        self.shared.change(|lanes| {
            let sizes = events.iter().map(|event| (event.key.as_str(), size(event)));
            lanes.reserve(sizes).map_err(|_| SpoolRefusal::Full)
        })?;
        let at_ms = self.shared.clock.now().as_millisecond();
        let job = Job::Append(Append {
            events,
            at_ms,
            reply,
        });
        if let Err(unsent) = self.jobs.send(job) {
            // The writer has stopped. Nothing that it held back may stay reserved.
            if let Job::Append(append) = unsent.0 {
                self.shared.not_kept(&append.events);
            }
            return Err(SpoolRefusal::Disk);
        }
        Ok(kept)
    }

    /// Notes that the log accepted an event.
    pub(super) fn log_answers(&self) {
        self.shared.change(Lanes::log_answers);
    }

    /// Counts events that neither the log nor the spool accepted.
    pub(super) fn count_refused(&self, refusal: SpoolRefusal, events: u64) {
        self.shared.watch.refused(refusal, events);
    }

    /// Stops the writer after all jobs so far, and unlocks the folder. The events stay for the next
    /// start.
    pub async fn close(&self) {
        let (reply, stopped) = oneshot::channel();
        if self.jobs.send(Job::Stop(reply)).is_ok() {
            // An error means that the writer has already stopped.
            let _ = stopped.await;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the lanes, and shows the result.
    fn change<T>(&self, change: impl FnOnce(&mut Lanes) -> T) -> T {
        let mut lanes = self.lock();
        let result = change(&mut lanes);
        self.holds.store(!lanes.is_empty(), Ordering::Release);
        self.watch.depth(&lanes);
        result
    }

    fn kept<'a>(&self, entries: impl Iterator<Item = (&'a str, Entry)>) {
        self.change(|lanes| {
            for (key, entry) in entries {
                lanes.kept(key, entry);
                self.watch.spooled();
            }
        });
        self.work.notify_one();
    }

    fn not_kept(&self, events: &[Outgoing]) {
        self.change(|lanes| {
            for event in events {
                lanes.not_kept(&event.key, size(event));
            }
        });
        self.ended.notify_waiters();
    }

    fn settle(&self, chunk: Chunk, delivered: usize) {
        if self.change(|lanes| lanes.settle(chunk, delivered)) {
            self.ended.notify_waiters();
        }
    }

    fn broke(&self) {
        self.broken.store(true, Ordering::Release);
        self.watch.broke();
    }
}

//! Keeps the order of spooled events: a lane per tenant, and what each lane sends next.
//!
//! Owns the decisions and the bound, in memory and without I/O. The one rule: while a lane exists,
//! new events of its tenant go behind it. A lane ends when the log has all its events.

use std::collections::{HashMap, VecDeque};

/// Bytes that an event takes in the file beside its key and payload, rounded up.
pub(super) const OVERHEAD_BYTES: u64 = 64;
/// Most events of one lane in flight. Several batches of the producer.
const MAX_WINDOW: usize = 1_000;
/// Most bytes of one lane in flight, so that a few lanes do not fill the memory for all.
const MAX_CHUNK_BYTES: u64 = 256 * 1024;
/// A moving lane this short ends within a few milliseconds. New events wait for its end instead of
/// extending it, or a busy tenant would never leave the spool.
const ENDING_EVENTS: usize = 400;

/// The lanes of a spool.
#[derive(Debug)]
pub(super) struct Lanes {
    by_key: HashMap<String, Lane>,
    /// Keys of lanes that have events to send and none in flight.
    ready: VecDeque<String>,
    max_bytes: u64,
    bytes: u64,
    events: u64,
    away: bool,
}

/// The spooled events of a tenant.
#[derive(Debug)]
struct Lane {
    /// In the file and not in flight, in order.
    waiting: VecDeque<Entry>,
    /// On their way to the file.
    appending: usize,
    /// On their way to the log.
    sending: usize,
    /// When the first of those was spooled.
    sending_since_ms: Option<i64>,
    /// How many events the next chunk may have. It starts with one, so that lanes whose partition
    /// does not answer hold little memory.
    window: usize,
    /// True when its last chunk reached the log.
    moves: bool,
    failures: u32,
}

/// An event in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) seq: i64,
    pub(super) bytes: u64,
    /// When it was spooled, in milliseconds since 1970.
    pub(super) at_ms: i64,
}

/// Consecutive events of a tenant on their way to the log.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) key: String,
    pub(super) entries: Vec<Entry>,
    /// How often the lane has failed since its last success.
    pub(super) failures: u32,
}

/// Where a new event goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// To the log.
    Log,
    /// To the spool, behind others of its tenant, or because the log does not answer.
    Spool,
    /// To the log once its tenant's lane has ended, which is soon.
    Soon,
}

/// The spool has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// How much the spool holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Depth {
    pub(super) events: u64,
    pub(super) bytes: u64,
}

impl Chunk {
    pub(super) fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.bytes).sum()
    }
}

impl Lane {
    const fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            appending: 0,
            sending: 0,
            sending_since_ms: None,
            window: 1,
            moves: false,
            failures: 0,
        }
    }

    fn len(&self) -> usize {
        self.waiting.len() + self.appending + self.sending
    }
}

impl Lanes {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            by_key: HashMap::new(),
            ready: VecDeque::new(),
            max_bytes,
            bytes: 0,
            events: 0,
            away: false,
        }
    }

    /// Takes in an event that the file has from an earlier run.
    pub(super) fn found(&mut self, key: &str, entry: Entry) {
        self.bytes += entry.bytes;
        self.lane(key).appending += 1;
        self.kept(key, entry);
    }

    pub(super) fn route(&self, key: &str) -> Route {
        match self.by_key.get(key) {
            Some(lane) if lane.moves && lane.len() <= ENDING_EVENTS => Route::Soon,
            Some(_) => Route::Spool,
            None if self.away => Route::Spool,
            None => Route::Log,
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    /// Makes room for events, all or none.
    pub(super) fn reserve<'a>(
        &mut self,
        events: impl Iterator<Item = (&'a str, u64)> + Clone,
    ) -> Result<(), Full> {
        let more: u64 = events.clone().map(|(_, bytes)| bytes).sum();
        if self.bytes.saturating_add(more) > self.max_bytes {
            return Err(Full);
        }
        self.bytes += more;
        for (key, _) in events {
            self.lane(key).appending += 1;
        }
        Ok(())
    }

    /// Notes that the log does not answer: until it does, all new events go to the spool. Has no
    /// effect on an empty spool, because only a spooled event can find out that the log is back.
    pub(super) fn log_is_away(&mut self) {
        self.away = !self.by_key.is_empty();
    }

    /// Notes that the log accepted an event.
    pub(super) const fn log_answers(&mut self) {
        self.away = false;
    }

    /// True when less than a sixteenth is free. A spool that was full counts as full until then, or
    /// it would change its state with each event.
    pub(super) const fn is_nearly_full(&self) -> bool {
        self.bytes > self.max_bytes - self.max_bytes / 16
    }

    /// Notes that the file has a reserved event. Events of a lane must come in their order.
    pub(super) fn kept(&mut self, key: &str, entry: Entry) {
        self.events += 1;
        let lane = self.lane(key);
        lane.appending = lane.appending.saturating_sub(1);
        lane.waiting.push_back(entry);
        let begins = lane.sending == 0 && lane.waiting.len() == 1;
        if begins {
            self.ready.push_back(key.to_owned());
        }
    }

    /// Notes that the file does not have a reserved event. Returns true if its lane has ended.
    pub(super) fn not_kept(&mut self, key: &str, bytes: u64) -> bool {
        self.bytes = self.bytes.saturating_sub(bytes);
        let lane = self.lane(key);
        lane.appending = lane.appending.saturating_sub(1);
        self.end_if_empty(key)
    }

    /// Takes the next events to send. Each lane has at most one chunk in flight.
    pub(super) fn take(&mut self) -> Option<Chunk> {
        let key = self.ready.pop_front()?;
        let lane = self.by_key.get_mut(&key)?;
        let mut entries = Vec::new();
        let mut bytes = 0;
        while let Some(entry) = lane.waiting.front()
            && entries.len() < lane.window
            && (entries.is_empty() || bytes + entry.bytes <= MAX_CHUNK_BYTES)
        {
            bytes += entry.bytes;
            entries.extend(lane.waiting.pop_front());
        }
        lane.sending = entries.len();
        lane.sending_since_ms = entries.first().map(|entry| entry.at_ms);
        let failures = lane.failures;
        Some(Chunk {
            key,
            entries,
            failures,
        })
    }

    /// Notes that the log has the first `delivered` events of a chunk, and that the others must be
    /// sent again. Returns true if the lane has ended.
    pub(super) fn settle(&mut self, chunk: Chunk, delivered: usize) -> bool {
        let mut entries = chunk.entries;
        let failed = entries.split_off(delivered.min(entries.len()));
        if !entries.is_empty() {
            self.log_answers();
        }
        for entry in &entries {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
            self.events = self.events.saturating_sub(1);
        }
        let lane = self.lane(&chunk.key);
        lane.sending = 0;
        lane.sending_since_ms = None;
        if failed.is_empty() {
            lane.moves = true;
            lane.failures = 0;
            lane.window = (lane.window * 4).min(MAX_WINDOW);
        } else {
            lane.moves = false;
            lane.failures = lane.failures.saturating_add(1);
            lane.window = 1;
        }
        for entry in failed.into_iter().rev() {
            lane.waiting.push_front(entry);
        }
        if !lane.waiting.is_empty() {
            self.ready.push_back(chunk.key);
            return false;
        }
        self.end_if_empty(&chunk.key)
    }

    /// Notes that a lane did not end as soon as it should have.
    pub(super) fn lingers(&mut self, key: &str) {
        if let Some(lane) = self.by_key.get_mut(key) {
            lane.moves = false;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    pub(super) const fn depth(&self) -> Depth {
        Depth {
            events: self.events,
            bytes: self.bytes,
        }
    }

    /// When the oldest event was spooled.
    pub(super) fn oldest_ms(&self) -> Option<i64> {
        let first = |lane: &Lane| {
            let waiting = || lane.waiting.front().map(|entry| entry.at_ms);
            lane.sending_since_ms.or_else(waiting)
        };
        self.by_key.values().filter_map(first).min()
    }

    fn lane(&mut self, key: &str) -> &mut Lane {
        self.by_key.entry(key.to_owned()).or_insert_with(Lane::new)
    }

    fn end_if_empty(&mut self, key: &str) -> bool {
        let ends = self.by_key.get(key).is_some_and(|lane| lane.len() == 0);
        if ends {
            self.by_key.remove(key);
            // The last lane ends, so no event is left to find out that the log is back.
            self.away &= !self.by_key.is_empty();
        }
        ends
    }
}

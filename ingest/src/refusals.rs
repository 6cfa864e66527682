//! Sums refused beacons per known page, reason and minute, and publishes the sums once a minute.
//!
//! Owns the sums until they are in the log. The one rule: a sum gets its event id when it is first
//! published and keeps it, so publishing it again after a failure counts once. Few sums are
//! published at a time, so they never displace beacons in the producer's queue, even after an
//! outage.

use crate::{
    accept::KnownPage,
    sink::{Outgoing, Sink},
};
use jiff::Timestamp;
use runtime::IdSource;
use schemas::{BeaconRefused, Body, Event, EventId, RefusalReason};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tracing::warn;

/// Most sums kept in memory, about 15 MB.
pub const MAX_SUMS: usize = 100_000;
/// Sums handed to the sink at once. Its queue holds 100,000 records of all kinds.
pub const AT_ONCE: usize = 200;

const MINUTE_SECONDS: i64 = 60;
/// In every time zone, days begin at a quarter of an hour, so sums merged by quarter still separate
/// days.
const QUARTER_SECONDS: i64 = 15 * MINUTE_SECONDS;

/// The sums of one instance.
#[derive(Debug, Default)]
pub struct Refusals {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sums: BTreeMap<Key, Sum>,
    /// At most [`AT_ONCE`] sums that already are events and are not known to be in the log. Their
    /// counts must not change, because the log may have a copy of the event.
    unsent: Vec<Event>,
    lost: u64,
}

/// What a sum counts. The order keeps the minutes of a page and reason next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    page: schemas::PageId,
    reason: RefusalReason,
    minute_seconds: i64,
}

#[derive(Clone, Copy, Debug)]
struct Sum {
    page: KnownPage,
    count: u32,
}

/// Which sums to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those of past minutes.
    Finished,
    /// All sums, at the end of the program.
    All,
}

impl Refusals {
    /// Counts a refused beacon for this page.
    pub fn add(&self, page: KnownPage, reason: RefusalReason, now: Timestamp) {
        let key = Key {
            page: page.page_id,
            reason,
            minute_seconds: minute_of(now),
        };
        self.lock().add(key, Sum { page, count: 1 });
    }

    /// Publishes the due sums in small groups until one fails. Failed sums are published first the
    /// next time, and the sums behind them are merged.
    pub async fn publish(&self, which: Which, sink: &dyn Sink, ids: &dyn IdSource, now: Timestamp) {
        loop {
            let events = self.take(which, ids, now);
            if events.is_empty() {
                return;
            }
            let failed = publish(which, events, sink).await;
            // The next group would fail too while the log is unavailable, so the round ends here.
            if !failed.is_empty() {
                let mut state = self.lock();
                state.unsent = failed;
                state.merge(minute_of(now));
                let sums = state.waiting();
                drop(state);
                warn!("could not publish {sums} sums of refused beacons, retrying");
                return;
            }
        }
    }

    /// How many sums are not in the log yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().waiting()
    }

    /// Takes the events to publish next.
    fn take(&self, which: Which, ids: &dyn IdSource, now: Timestamp) -> Vec<Event> {
        let current = minute_of(now);
        let mut state = self.lock();
        let lost = std::mem::take(&mut state.lost);
        if lost > 0 {
            warn!(
                "{lost} refused beacons were not counted: the limit of {MAX_SUMS} sums is reached"
            );
        }
        // Failed events go first and alone: a sum added to them would change a count that the log
        // may have.
        if !state.unsent.is_empty() {
            return std::mem::take(&mut state.unsent);
        }
        let is_due = |key: &&Key| which == Which::All || key.minute_seconds != current;
        let due: Vec<Key> = state
            .sums
            .keys()
            .filter(is_due)
            .take(AT_ONCE)
            .copied()
            .collect();
        due.into_iter()
            .filter_map(|key| Some(event(key, state.sums.remove(&key)?, ids, now)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting(&self) -> usize {
        self.sums.len() + self.unsent.len()
    }

    fn add(&mut self, key: Key, more: Sum) {
        let is_full = self.waiting() >= MAX_SUMS;
        let sum = if is_full && !self.sums.contains_key(&key) {
            // When full, the newest earlier minute of the same page and reason takes the count. An
            // inexact minute is better than a lost count.
            let same = Key {
                minute_seconds: i64::MIN,
                ..key
            }..key;
            self.sums.range_mut(same).next_back().map(|(_, sum)| sum)
        } else {
            Some(self.sums.entry(key).or_insert(Sum { count: 0, ..more }))
        };
        match sum {
            Some(sum) => sum.count = sum.count.saturating_add(more.count),
            None => self.lost = self.lost.saturating_add(more.count.into()),
        }
    }

    /// Merges the sums of past minutes by quarter of an hour. However long the log is unavailable,
    /// a page and reason take only four sums an hour.
    fn merge(&mut self, current: i64) {
        for (mut key, sum) in std::mem::take(&mut self.sums) {
            // The current minute still grows, so it stays separate.
            if key.minute_seconds != current {
                key.minute_seconds -= key.minute_seconds.rem_euclid(QUARTER_SECONDS);
            }
            self.add(key, sum);
        }
    }
}

/// Publishes events and returns those that are not known to be in the log.
async fn publish(which: Which, events: Vec<Event>, sink: &dyn Sink) -> Vec<Event> {
    let mut kept = Vec::with_capacity(events.len());
    let mut outgoing = Vec::with_capacity(events.len());
    for event in events {
        // Serializing these types never fails.
        if let Ok(record) = Outgoing::of(&event) {
            outgoing.push(record);
            kept.push(event);
        }
    }
    let results = match which {
        // Sums of a long outage take little memory here, and would take much of a spool.
        Which::Finished => sink.publish_kept(&outgoing).await,
        Which::All => sink.publish(&outgoing).await,
    };
    kept.into_iter()
        .zip(results)
        .filter_map(|(event, result)| result.is_err().then_some(event))
        .collect()
}

/// Start of the minute, in seconds since 1970.
fn minute_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(MINUTE_SECONDS) * MINUTE_SECONDS
}

fn event(key: Key, sum: Sum, ids: &dyn IdSource, now: Timestamp) -> Event {
    let minute = Timestamp::from_second(key.minute_seconds).unwrap_or(now);
    Event {
        event_id: EventId(ids.uuid_v7(now)),
        occurred_at: minute,
        received_at: now,
        workspace_id: sum.page.tenant.workspace_id,
        workspace_no: sum.page.tenant.workspace_no,
        producer: crate::accept::PRODUCER.to_owned(),
        enrichment: None,
        visitor: None,
        body: Body::BeaconRefused(BeaconRefused {
            page_id: key.page,
            reason: key.reason,
            minute,
            count: sum.count,
        }),
    }
}

//! Sums of refused beacons: per known page, reason and minute, published once a minute.
//!
//! Owns the sums until they are in the log. The one rule: a sum gets its event id when it is first
//! published and keeps it, so that publishing it again after a failure counts once. Sums are few and go
//! out a few at a time, so that they never take the log's place from beacons, not even after an outage.

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

/// Most sums kept, for pages times reasons. Some 15 MB.
pub const MAX_SUMS: usize = 100_000;
/// Sums that are handed to the sink at once, which holds 100,000 records for everything.
pub const AT_ONCE: usize = 200;

const MINUTE_SECONDS: i64 = 60;
/// Every time zone's day begins with a quarter of an hour, so that merged sums still tell days apart.
const QUARTER_SECONDS: i64 = 15 * MINUTE_SECONDS;

/// The sums of one instance.
#[derive(Debug, Default)]
pub struct Refusals {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sums: BTreeMap<Key, Sum>,
    /// At most [`AT_ONCE`] sums that have their event already and are not known to be in the log. Their
    /// counts are fixed: a copy of the event may be there.
    unsent: Vec<Event>,
    lost: u64,
}

/// What a sum is of. The order puts the minutes of a page and reason beside each other.
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

/// Which sums are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those of minutes that are over.
    Finished,
    /// All, at the end of the program.
    All,
}

impl Refusals {
    /// A beacon for that page was refused.
    pub fn add(&self, page: KnownPage, reason: RefusalReason, now: Timestamp) {
        let key = Key {
            page: page.page_id,
            reason,
            minute_seconds: minute_of(now),
        };
        self.lock().add(key, Sum { page, count: 1 });
    }

    /// Publishes what is due, a few sums after the other, until one fails. That stays, is published first
    /// the next time, and what waits behind it is merged.
    pub async fn publish(&self, which: Which, sink: &dyn Sink, ids: &dyn IdSource, now: Timestamp) {
        loop {
            let events = self.take(which, ids, now);
            if events.is_empty() {
                return;
            }
            let failed = publish(events, sink).await;
            if !failed.is_empty() {
                let mut state = self.lock();
                state.unsent = failed;
                state.merge(minute_of(now));
                let sums = state.waiting();
                drop(state);
                warn!("{sums} sums of refused beacons are not in the log yet");
                return;
            }
        }
    }

    /// How many sums are not in the log.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().waiting()
    }

    /// The events to publish next.
    fn take(&self, which: Which, ids: &dyn IdSource, now: Timestamp) -> Vec<Event> {
        let current = minute_of(now);
        let mut state = self.lock();
        let lost = std::mem::take(&mut state.lost);
        if lost > 0 {
            warn!("{lost} refused beacons were not summed: there are {MAX_SUMS} sums already");
        }
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
            // A count at an earlier minute is better than none.
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

    /// Adds up the sums of finished minutes within each quarter of an hour: however long the log is
    /// unavailable, there are four an hour of a page and reason.
    fn merge(&mut self, current: i64) {
        for (mut key, sum) in std::mem::take(&mut self.sums) {
            if key.minute_seconds != current {
                key.minute_seconds -= key.minute_seconds.rem_euclid(QUARTER_SECONDS);
            }
            self.add(key, sum);
        }
    }
}

/// Publishes events; those come back that are not known to be in the log.
async fn publish(events: Vec<Event>, sink: &dyn Sink) -> Vec<Event> {
    let mut kept = Vec::with_capacity(events.len());
    let mut outgoing = Vec::with_capacity(events.len());
    for event in events {
        // Events made of these types are always JSON.
        if let Ok(record) = Outgoing::of(&event) {
            outgoing.push(record);
            kept.push(event);
        }
    }
    let results = sink.publish(&outgoing).await;
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

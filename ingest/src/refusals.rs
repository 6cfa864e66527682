//! Sums of refused beacons: per known page, reason and minute, published once a minute.
//!
//! Owns the sums until they are in the log. The one rule: a sum gets its event id when it is first
//! published and keeps it, so that publishing it again after a failure counts once.

use crate::{
    accept::KnownPage,
    sink::{Outgoing, Sink},
};
use jiff::Timestamp;
use runtime::IdSource;
use schemas::{BeaconRefused, Body, Event, EventId, RefusalReason};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tracing::warn;

/// Most sums kept: pages times reasons times the minutes that the log was away. Some 10 MB.
const MAX_SUMS: usize = 100_000;

const MINUTE_SECONDS: i64 = 60;

/// The sums of one instance.
#[derive(Debug, Default)]
pub struct Refusals {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sums: HashMap<Key, Sum>,
    /// Sums that have their event already and are not known to be in the log.
    unsent: Vec<Event>,
    lost: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
        let mut state = self.lock();
        if !state.sums.contains_key(&key) && state.sums.len() + state.unsent.len() >= MAX_SUMS {
            state.lost += 1;
            return;
        }
        let sum = state.sums.entry(key).or_insert(Sum { page, count: 0 });
        sum.count = sum.count.saturating_add(1);
    }

    /// Publishes what is due. What fails stays and is published the next time.
    pub async fn publish(&self, which: Which, sink: &dyn Sink, ids: &dyn IdSource, now: Timestamp) {
        let events = self.take(which, ids, now);
        let mut kept = Vec::with_capacity(events.len());
        let mut outgoing = Vec::with_capacity(events.len());
        for event in events {
            // Events made of these types are always JSON.
            if let Ok(payload) = event.to_bytes() {
                let key = event.workspace_id.to_string();
                outgoing.push(Outgoing { key, payload });
                kept.push(event);
            }
        }
        if outgoing.is_empty() {
            return;
        }
        let results = sink.publish(&outgoing).await;
        let failed: Vec<Event> = kept
            .into_iter()
            .zip(results)
            .filter_map(|(event, result)| result.is_err().then_some(event))
            .collect();
        if !failed.is_empty() {
            let sums = failed.len();
            warn!("{sums} sums of refused beacons are not in the log yet");
            self.lock().unsent.extend(failed);
        }
    }

    /// How many sums are not in the log.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let state = self.lock();
        state.sums.len() + state.unsent.len()
    }

    fn take(&self, which: Which, ids: &dyn IdSource, now: Timestamp) -> Vec<Event> {
        let current = minute_of(now);
        let mut state = self.lock();
        let lost = std::mem::take(&mut state.lost);
        if lost > 0 {
            warn!("{lost} refused beacons were not summed: there are {MAX_SUMS} sums already");
        }
        let mut events = std::mem::take(&mut state.unsent);
        let mut due: Vec<(Key, Sum)> = Vec::new();
        state.sums.retain(|key, sum| {
            let is_due = which == Which::All || key.minute_seconds != current;
            if is_due {
                due.push((*key, *sum));
            }
            !is_due
        });
        drop(state);
        due.sort_by_key(|(key, _)| (key.minute_seconds, key.page, key.reason));
        events.extend(due.into_iter().map(|(key, sum)| event(key, sum, ids, now)));
        events
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

//! Shows how the spool is: its metrics, its part of `/ready`, its log lines.

use super::{SPOOL_PART, SpoolRefusal, lanes::Lanes};
use metrics::{Counter, Gauge, counter, gauge};
use runtime::Readiness;
use std::sync::{Mutex, PoisonError};
use tracing::{info, warn};

/// How the spool is, as `/ready` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Empty,
    Holds,
    Full,
    Broken,
}

pub(super) struct Watch {
    readiness: Readiness,
    state: Mutex<State>,
    events: Gauge,
    bytes: Gauge,
    age: Gauge,
    spooled: Counter,
    drained: Counter,
    full: Counter,
    disk: Counter,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Watch {
    pub(super) fn new(readiness: Readiness) -> Self {
        readiness.ready(SPOOL_PART);
        let refused = |reason| counter!("ingest_spool_refused_total", "reason" => reason);
        let age = gauge!("ingest_spool_age_seconds");
        age.set(0.0);
        Self {
            readiness,
            state: Mutex::new(State::Empty),
            events: gauge!("ingest_spool_events"),
            bytes: gauge!("ingest_spool_bytes"),
            age,
            spooled: counter!("ingest_spooled_total"),
            drained: counter!("ingest_spool_drained_total"),
            full: refused("full"),
            disk: refused("disk"),
        }
    }

    /// Shows how much the lanes hold.
    pub(super) fn depth(&self, lanes: &Lanes) {
        let depth = lanes.depth();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let [events, bytes] = [depth.events, depth.bytes].map(|number| number as f64);
        self.events.set(events);
        self.bytes.set(bytes);
        if lanes.is_empty() {
            self.age.set(0.0);
            self.enter(State::Empty);
        } else if !lanes.is_nearly_full() {
            self.enter(State::Holds);
        }
    }

    /// Shows the age of the oldest event.
    pub(super) fn age(&self, lanes: &Lanes, now_ms: i64) {
        let age_ms = lanes.oldest_ms().map_or(0, |oldest| now_ms - oldest);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        self.age.set(age_ms.max(0) as f64 / 1_000.0);
    }

    pub(super) fn spooled(&self) {
        self.spooled.increment(1);
    }

    pub(super) fn drained(&self, events: u64) {
        self.drained.increment(events);
    }

    pub(super) fn refused(&self, refusal: SpoolRefusal, events: u64) {
        match refusal {
            SpoolRefusal::Full => {
                self.full.increment(events);
                self.enter(State::Full);
            }
            SpoolRefusal::Disk => self.disk.increment(events),
        }
    }

    pub(super) fn broke(&self) {
        self.enter(State::Broken);
    }

    fn enter(&self, state: State) {
        let mut current = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Only a restart repairs a broken spool.
        if *current == state || *current == State::Broken {
            return;
        }
        let before = std::mem::replace(&mut *current, state);
        match state {
            State::Empty => {
                self.readiness.ready(SPOOL_PART);
                info!("the spool is empty: the log has its events");
            }
            State::Holds => {
                let what = "events wait on the disk until Kafka accepts them";
                self.readiness.limited(SPOOL_PART, what);
                if before == State::Empty {
                    warn!("{what}");
                }
            }
            State::Full => {
                let what = "the spool is full: beacons get 503 until Kafka accepts events";
                self.readiness.limited(SPOOL_PART, what);
                warn!("{what}");
            }
            State::Broken => self.readiness.limited(
                SPOOL_PART,
                "the disk of the spool failed: beacons get 503 while Kafka does not accept events; repair it and restart",
            ),
        }
    }
}

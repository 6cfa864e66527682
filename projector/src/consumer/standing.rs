//! Tracks the state of each partition of this projector, for `/ready`, gauges and log lines.
//!
//! The one rule: only the newest worker of a partition reports its state. Gauges of partitions that
//! belong to other projectors must not raise an alert.

use jiff::{SignedDuration, Timestamp};
use runtime::{Clock, Readiness};
use schemas::topics::EVENTS;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tracing::{info, warn};

/// The part of `/ready`.
const PART: &str = "projector";

/// How often the log repeats the trouble of a partition.
const REMIND_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Why a partition cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// True for trouble with the database or its network: no partition can be written. False for
    /// trouble of this partition only: a lock, a record, its log.
    pub(super) is_of_server: bool,
    /// The offset of the refused record.
    pub(super) offset: Option<i64>,
    /// The description, as a continuation of the partition's name.
    pub(super) text: String,
}

impl Trouble {
    /// Trouble of this partition only.
    pub(super) fn here(text: impl Into<String>) -> Self {
        Self {
            is_of_server: false,
            offset: None,
            text: text.into(),
        }
    }

    /// The partition is stopped at a refused record.
    pub(super) fn at_record(offset: i64, why: impl std::fmt::Display) -> Self {
        Self {
            offset: Some(offset),
            ..Self::here(format!("is stopped at offset {offset}: {why}"))
        }
    }

    /// The database is unavailable, or refuses everything.
    pub(super) fn of_server(reason: impl std::fmt::Display) -> Self {
        Self {
            is_of_server: true,
            ..Self::here(format!("waits for the database: {reason}"))
        }
    }
}

#[derive(Debug)]
struct Standing {
    /// Serial number of the worker that may report.
    worker: u64,
    /// True after the first claim since the partition became ours.
    claimed: bool,
    /// The present trouble, if any.
    suffering: Option<Suffering>,
}

#[derive(Debug)]
struct Suffering {
    trouble: Trouble,
    since: Timestamp,
    logged_at: Timestamp,
}

/// The states of our partitions.
pub(super) struct Standings {
    readiness: Readiness,
    clock: Arc<dyn Clock>,
    partitions: Mutex<BTreeMap<i32, Standing>>,
}

impl Standings {
    pub(super) fn new(readiness: Readiness, clock: Arc<dyn Clock>) -> Self {
        Self {
            readiness,
            clock,
            partitions: Mutex::default(),
        }
    }

    /// Lets this worker report for the partition from now on. A partition that was ours before
    /// keeps its state meanwhile, because a new claim usually takes milliseconds.
    pub(super) fn begin(&self, partition: i32, worker: u64) {
        self.change(|partitions| {
            let standing = partitions.entry(partition).or_insert_with(|| {
                set_stopped(partition, false);
                Standing {
                    worker,
                    claimed: false,
                    suffering: None,
                }
            });
            standing.worker = worker;
        });
    }

    /// Removes a partition that is no longer ours.
    pub(super) fn end(&self, partition: i32) {
        self.change(|partitions| {
            partitions.remove(&partition);
            // The series stay, so their last values must not raise an alert.
            set_stopped(partition, false);
            set_lag(partition, 0);
        });
    }

    /// Records that the partition is written without trouble.
    pub(super) fn folds(&self, partition: i32, worker: u64) {
        self.change(|partitions| {
            let Some(standing) = of_worker(partitions, partition, worker) else {
                return;
            };
            standing.claimed = true;
            set_stopped(partition, false);
            if let Some(Suffering { since, .. }) = standing.suffering.take() {
                info!(
                    kafka.partition = partition,
                    "partition {partition} is written again after trouble since {since}"
                );
            }
        });
    }

    /// Records that the partition cannot be written. Logs the trouble once, and again every minute.
    pub(super) fn suffers(&self, partition: i32, worker: u64, trouble: Trouble) {
        let now = self.clock.now();
        self.change(|partitions| {
            let Some(standing) = of_worker(partitions, partition, worker) else {
                return;
            };
            // The gauge is for trouble of one partition. Without the server, none is written.
            set_stopped(partition, !trouble.is_of_server);
            let before = standing.suffering.take();
            let logged_at = before
                .as_ref()
                .filter(|before| before.trouble == trouble)
                .map(|before| before.logged_at)
                .filter(|at| now.duration_since(*at) < REMIND_EVERY);
            if logged_at.is_none() {
                warn!(
                    kafka.topic = EVENTS,
                    kafka.partition = partition,
                    kafka.offset = trouble.offset,
                    "partition {partition} {}",
                    trouble.text
                );
            }
            standing.suffering = Some(Suffering {
                trouble,
                // The start is kept when the trouble changes: the partition was not written all
                // that time.
                since: before.map_or(now, |before| before.since),
                logged_at: logged_at.unwrap_or(now),
            });
        });
    }

    /// Publishes the state without a change. A projector without partitions would otherwise never
    /// be ready.
    pub(super) fn publish(&self) {
        self.change(|_| ());
    }

    /// Our partitions.
    pub(super) fn ours(&self) -> Vec<i32> {
        let partitions = self.partitions.lock();
        let partitions = partitions.unwrap_or_else(PoisonError::into_inner);
        partitions.keys().copied().collect()
    }

    /// Records the lag of a partition, if it is still ours.
    pub(super) fn note_lag(&self, partition: i32, records: i64) {
        let partitions = self.partitions.lock();
        let partitions = partitions.unwrap_or_else(PoisonError::into_inner);
        if partitions.contains_key(&partition) {
            set_lag(partition, records);
        }
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<i32, Standing>)) {
        let partitions = self.partitions.lock();
        let mut partitions = partitions.unwrap_or_else(PoisonError::into_inner);
        change(&mut partitions);
        publish(&partitions, &self.readiness);
    }
}

fn of_worker(
    partitions: &mut BTreeMap<i32, Standing>,
    partition: i32,
    worker: u64,
) -> Option<&mut Standing> {
    // A replaced worker must not overwrite the state of its successor.
    partitions
        .get_mut(&partition)
        .filter(|standing| standing.worker == worker)
}

/// Publishes the readiness. "Not ready" means that a restart, waiting or another instance may help:
/// no database, unclaimed partitions, or no partition written. If only some partitions are stopped,
/// the others and the services beside them must stay in the load balancer.
fn publish(partitions: &BTreeMap<i32, Standing>, readiness: &Readiness) {
    let mut awaited = Vec::new();
    let mut troubles = Vec::new();
    let mut has_server = true;
    for (partition, standing) in partitions {
        if let Some(Suffering { trouble, since, .. }) = &standing.suffering {
            has_server &= !trouble.is_of_server;
            troubles.push(format!(
                "partition {partition} {} (since {since})",
                trouble.text
            ));
        } else if !standing.claimed {
            awaited.push(partition.to_string());
        }
    }
    let told = troubles.join("; ");
    if !awaited.is_empty() {
        let mut text = format!("taking over partitions {}", awaited.join(", "));
        if !troubles.is_empty() {
            text = format!("{text}; {told}");
        }
        readiness.missing(PART, text);
    } else if troubles.is_empty() {
        readiness.ready(PART);
    } else if !has_server || troubles.len() == partitions.len() {
        readiness.missing(PART, told);
    } else {
        readiness.limited(PART, told);
    }
}

fn set_stopped(partition: i32, stopped: bool) {
    let value = if stopped { 1.0 } else { 0.0 };
    metrics::gauge!("projector_partition_stopped", "partition" => partition.to_string()).set(value);
}

fn set_lag(partition: i32, records: i64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    metrics::gauge!("projector_lag_records", "partition" => partition.to_string())
        .set(records.max(0) as f64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::ManualClock;

    fn standings() -> (Standings, Readiness) {
        let readiness = Readiness::default();
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        (Standings::new(readiness.clone(), clock), readiness)
    }

    fn text(readiness: &Readiness) -> (bool, String) {
        (readiness.is_ready(), readiness.texts()[PART].clone())
    }

    #[test]
    fn one_stopped_partition_is_named_and_the_others_stay_ready() {
        let (standings, readiness) = standings();
        standings.begin(0, 1);
        standings.begin(1, 2);
        let taking = "taking over partitions 0, 1".to_owned();
        assert_eq!(text(&readiness), (false, taking));
        standings.folds(0, 1);
        standings.suffers(1, 2, Trouble::at_record(7, "it is bad"));
        let stopped = "partition 1 is stopped at offset 7: it is bad (since 1970-01-01T00:00:00Z)";
        assert_eq!(text(&readiness), (true, format!("ready, but {stopped}")));

        // Trouble with the server affects all partitions.
        standings.suffers(0, 1, Trouble::of_server("no answer"));
        let (ready, said) = text(&readiness);
        assert!(
            !ready && said.starts_with("partition 0 waits for the database: no answer"),
            "{said}"
        );
        standings.folds(0, 1);
        assert!(readiness.is_ready());
        standings.suffers(0, 1, Trouble::here("is locked"));
        let (ready, said) = text(&readiness);
        assert!(
            !ready && said.contains("is locked") && said.contains(stopped),
            "{said}"
        );

        standings.end(1);
        assert!(!readiness.is_ready());
        standings.folds(0, 1);
        assert_eq!(text(&readiness), (true, "ready".to_owned()));
    }

    #[test]
    fn a_replaced_worker_cannot_report_and_its_partition_keeps_its_state() {
        let (standings, readiness) = standings();
        standings.begin(0, 1);
        standings.folds(0, 1);
        standings.begin(0, 2);
        assert!(readiness.is_ready());
        standings.suffers(0, 1, Trouble::here("is fenced"));
        assert!(readiness.is_ready());
        standings.end(0);
        standings.suffers(0, 2, Trouble::here("is late"));
        assert_eq!(text(&readiness), (true, "ready".to_owned()));
        assert!(standings.ours().is_empty());
    }
}

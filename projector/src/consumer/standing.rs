//! The state of each partition of this projector: in `/ready`, in gauges and in log lines.
//!
//! The one rule: only the newest worker of a partition reports its state, and partitions of other projectors have
//! no value that raises an alert.

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

/// How often the log repeats what is wrong with a partition.
const REMIND_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What keeps a partition from being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// True for the database or the way to it: no partition can be written. False for what concerns this
    /// partition only: a lock, a record, its log.
    pub(super) is_of_server: bool,
    /// Offset of the record that is not taken.
    pub(super) offset: Option<i64>,
    /// What is wrong, to follow the partition's name.
    pub(super) text: String,
}

impl Trouble {
    /// Something that concerns this partition only.
    pub(super) fn here(text: impl Into<String>) -> Self {
        Self {
            is_of_server: false,
            offset: None,
            text: text.into(),
        }
    }

    /// The partition stopped at a record that is not taken.
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
    /// Serial number of the worker that may say how the partition is.
    worker: u64,
    /// It was claimed at least once since it became ours.
    claimed: bool,
    /// What is wrong.
    suffering: Option<Suffering>,
}

#[derive(Debug)]
struct Suffering {
    trouble: Trouble,
    since: Timestamp,
    logged_at: Timestamp,
}

/// The table of our partitions.
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

    /// From now on that worker says how the partition is. A partition that has been ours keeps its standing until
    /// then, since a new claim is mostly a matter of milliseconds.
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

    /// The partition is not ours any more.
    pub(super) fn end(&self, partition: i32) {
        self.change(|partitions| {
            partitions.remove(&partition);
            set_stopped(partition, false);
            set_lag(partition, 0);
        });
    }

    /// The partition is folded.
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
                    "partition {partition} is written again; it was not since {since}"
                );
            }
        });
    }

    /// The partition cannot be written. Logs that once, and again every minute.
    pub(super) fn suffers(&self, partition: i32, worker: u64, trouble: Trouble) {
        let now = self.clock.now();
        self.change(|partitions| {
            let Some(standing) = of_worker(partitions, partition, worker) else {
                return;
            };
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
                since: before.map_or(now, |before| before.since),
                logged_at: logged_at.unwrap_or(now),
            });
        });
    }

    /// Reports the state although nothing changed: a projector may have nothing to do.
    pub(super) fn publish(&self) {
        self.change(|_| ());
    }

    /// Our partitions.
    pub(super) fn ours(&self) -> Vec<i32> {
        let partitions = self.partitions.lock();
        let partitions = partitions.unwrap_or_else(PoisonError::into_inner);
        partitions.keys().copied().collect()
    }

    /// Notes how far a partition is behind, if it is still ours.
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
    partitions
        .get_mut(&partition)
        .filter(|standing| standing.worker == worker)
}

/// Not ready means that restarting, waiting or another instance may help: no database, partitions still to be taken
/// over, or none of them written. One partition of several that stands still is no reason to take the others, or
/// the services beside them, out of a balancer.
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

        // One partition's trouble with the server concerns all of them.
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
    fn a_worker_that_was_replaced_says_nothing_and_its_partition_keeps_its_standing() {
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

//! Publishes batches to the log one after the other, and pauses while the tables are behind.
//!
//! The rule to keep: send the next batch only if the tables then stay within [`MAX_BEHIND`] records
//! of the log's end. Otherwise live events of others would wait behind history. The import gives up
//! a partition that does not advance at all: it drops and counts the lines for it, and the summary
//! names it.
//!
//! [`MAX_BEHIND`]: super::standing::MAX_BEHIND

use super::{
    accept::Batch,
    bad_lines::BadLines,
    progress::{Behind, Doing, Progress},
    recent::Recent,
    standing::Standing,
    summary::{Counts, Stopped},
    tables::Seen,
    unit::{Unit, UnitKind},
};
use api::{ConversionHistory, PastError};
use jiff::{SignedDuration, Timestamp};
use projector::Store;
use runtime::{
    Clock, Producer,
    producer::{Record, SendError},
};
use schemas::{RefusalReason, topics::EVENTS};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, watch};
use tracing::warn;

/// How long the log may take for a batch before the import gives up. It exceeds the time that a
/// cluster takes to elect another leader.
pub(super) const GIVE_UP_AFTER: Duration = Duration::from_mins(1);
/// Time between two reports of a pause, or of a log that does not answer.
pub(super) const TELL_EVERY: Duration = Duration::from_secs(1);
/// A partition is reported after this long without progress.
const STILL_WORTH_TELLING: Duration = Duration::from_secs(5);

/// Why an import cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The log does not answer. The records that it took are in order, without a gap.
    #[error(
        "the log acknowledged nothing for {seconds} s; start the same import again when it is back: nothing counts twice",
        seconds = GIVE_UP_AFTER.as_secs()
    )]
    Silent,
    /// The log refuses events.
    #[error(
        "the log refuses events ({0}); fix that, and start the same import again: nothing counts twice"
    )]
    Told(SendError),
    /// The progress of the tables, or the events they have, cannot be read.
    #[error(
        "no answer for {} s: {why}; fix that, and start the same import again: nothing counts twice",
        after.as_secs()
    )]
    Unanswered {
        /// How long there was no answer.
        after: Duration,
        /// The error of the last attempt.
        why: String,
    },
    /// The main database does not record conversions, or the log does not take their events.
    #[error("{0}; fix that, and start the same import again: nothing counts twice")]
    Unrecorded(#[from] PastError),
    /// The task that watches the tables has ended, which is a bug in the program.
    #[error(
        "the task that watches the tables has ended, which is a bug; start the same import again: nothing counts twice"
    )]
    Unwatched,
}

/// What this import has put into the log.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) counts: Counts,
    /// Bytes of the input that were processed.
    pub(super) read_bytes: u64,
    /// Time spent waiting for the tables.
    pub(super) paused: Duration,
    /// The offset after our last record, per partition.
    pub(super) through: BTreeMap<i32, i64>,
    /// Partitions that the import gave up.
    pub(super) stopped: BTreeMap<i32, Stopped>,
}

/// Publishes batches to the log.
pub(super) struct Publisher<'a> {
    /// A patient producer, which keeps the records of a visit in order through failures of the log.
    pub(super) producer: &'a Producer,
    pub(super) store: &'a Store,
    /// Records conversions; absent without a main database.
    pub(super) conversions: Option<&'a ConversionHistory>,
    pub(super) clock: &'a dyn Clock,
    pub(super) seen: watch::Receiver<Seen>,
    /// How long a partition may make no progress, or the tables may not answer.
    pub(super) patience: Duration,
    pub(super) progress: &'a mut Progress,
    pub(super) bad: BadLines,
    pub(super) published: Published,
    /// Events that this import has published and the tables do not have yet.
    pub(super) recent: Recent,
    /// The partitions' ends before the import, once they are known.
    pub(super) ends_before: Option<BTreeMap<i32, i64>>,
}

impl Publisher<'_> {
    /// Publishes until the last batch is acknowledged.
    ///
    /// The next batches are prepared while one is in flight, but not sent. An idempotent producer
    /// of librdkafka has one request to a partition in flight. While it holds further messages that
    /// are due, it checks without a pause whether they may go, which costs a CPU core.
    ///
    /// # Errors
    /// [`Refused`] when the log takes nothing, or the tables do not answer, for too long.
    pub(super) async fn publish(
        &mut self,
        mut batches: mpsc::Receiver<Batch>,
    ) -> Result<(), Refused> {
        while let Some(batch) = batches.recv().await {
            self.published.counts.add(batch.counts);
            batch.bad.into_iter().for_each(|told| self.bad.add(told));
            // Before the batch's events, so that known events mean recorded conversions.
            self.record(batch.conversions).await?;
            let mut units = batch.units;
            self.catch_up(&mut units).await?;
            // Before the pause: known events add no load to the tables, so they must not cause a
            // wait.
            self.leave_out_known(&mut units).await?;
            self.pause(&mut units).await?;
            self.put(&units).await?;
            self.published.read_bytes = self.published.read_bytes.max(batch.read_bytes);
            self.tell(&Doing::Publishing);
        }
        self.publish_conversions().await
    }

    /// Waits until the tables have what the log had before the import. Before that they cannot tell
    /// which events are known.
    async fn catch_up(&mut self, units: &mut Vec<Unit>) -> Result<(), Refused> {
        let begun = Instant::now();
        while !units.is_empty() {
            let standing = self.look()?;
            let mut behind = 0;
            if let Some(standing) = &standing {
                self.leave_out_stopped(units, standing);
                let before = self.ends_before.get_or_insert_with(|| standing.ends());
                let partitions = partitions(units);
                let mut before = before.clone();
                before.retain(|partition, _| partitions.contains(partition));
                behind = standing.missing(&before);
                // Offsets beyond the log's end are those of an earlier log and say nothing about
                // this one.
                if behind == 0 && !standing.are_ahead(partitions) {
                    break;
                }
            }
            self.wait(standing.as_deref(), behind, Doing::CatchingUp)
                .await?;
        }
        self.published.paused += begun.elapsed();
        Ok(())
    }

    /// Waits until the tables are close enough to the log's end for these units.
    async fn pause(&mut self, units: &mut Vec<Unit>) -> Result<(), Refused> {
        let begun = Instant::now();
        while !units.is_empty() {
            let standing = self.look()?;
            let mut behind = 0;
            if let Some(standing) = &standing {
                self.leave_out_stopped(units, standing);
                let records = records(units);
                match standing.may_follow(&self.published.through, &records, Instant::now()) {
                    Ok(()) => break,
                    Err(records) => behind = records,
                }
            }
            self.wait(standing.as_deref(), behind, Doing::Pausing)
                .await?;
        }
        self.published.paused += begun.elapsed();
        Ok(())
    }

    /// Waits until the tables have everything that was published. Returns `false` if one of its
    /// partitions does not advance.
    ///
    /// # Errors
    /// [`Refused`] when the tables do not answer for too long.
    pub(super) async fn settle(&mut self) -> Result<bool, Refused> {
        let mut waited = self.published.through.clone();
        loop {
            let standing = self.look()?;
            let mut behind = 0;
            if let Some(standing) = &standing {
                waited.retain(|partition, offset| !standing.has(*partition, *offset));
                let now = Instant::now();
                for partition in standing.stopped(waited.keys().copied(), self.patience, now) {
                    self.give_up(partition, standing);
                    waited.remove(&partition);
                }
                behind = standing.missing(&waited);
            }
            if waited.is_empty() {
                return Ok(self.published.stopped.is_empty());
            }
            self.wait(standing.as_deref(), behind, Doing::Waiting)
                .await?;
        }
    }

    /// The newest look at the tables; `None` before the first.
    pub(super) fn look(&mut self) -> Result<Option<Arc<Standing>>, Refused> {
        // Marks the look as seen, so that `wait` returns only for a newer one.
        let seen = self.seen.borrow_and_update().clone();
        match seen.silence {
            Some((since, why)) if since.elapsed() >= self.patience => Err(Refused::Unanswered {
                after: since.elapsed(),
                why,
            }),
            _ => Ok(seen.standing),
        }
    }

    /// Shows what the import waits for. Then waits for news of the tables, for a second at most.
    ///
    /// # Errors
    /// [`Refused::Unwatched`] when no news can come any more.
    async fn wait(
        &mut self,
        standing: Option<&Standing>,
        records: u64,
        doing: fn(Behind) -> Doing,
    ) -> Result<(), Refused> {
        let still = standing.and_then(|standing| standing.stillest(Instant::now()));
        let silence = self.seen.borrow().silence.clone();
        let behind = Behind {
            records,
            still: still.filter(|(_, still)| *still >= STILL_WORTH_TELLING),
            unknown: silence.map(|(_, why)| why),
        };
        self.tell(&doing(behind));
        match tokio::time::timeout(TELL_EVERY, self.seen.changed()).await {
            Ok(Err(_)) => Err(Refused::Unwatched),
            _ => Ok(()),
        }
    }

    /// Drops units for partitions that do not advance.
    fn leave_out_stopped(&mut self, units: &mut Vec<Unit>, standing: &Standing) {
        let stopped = standing.stopped(partitions(units), self.patience, Instant::now());
        for unit in units.extract_if(.., |unit| stopped.contains(&unit.partition)) {
            let stopped = self.give_up(unit.partition, standing);
            match unit.kind {
                UnitKind::Visit => stopped.visits_left_out += 1,
                UnitKind::Click => stopped.clicks_left_out += 1,
                UnitKind::Record => stopped.records_left_out += 1,
            }
        }
    }

    /// Records that the import gives up a partition.
    fn give_up(&mut self, partition: i32, standing: &Standing) -> &mut Stopped {
        let clock = self.clock;
        self.published.stopped.entry(partition).or_insert_with(|| {
            let still = standing.still_for(partition, Instant::now());
            let stopped = Stopped {
                partition,
                next_offset: standing.next(partition),
                since: before(clock.now(), still),
                visits_left_out: 0,
                clicks_left_out: 0,
                records_left_out: 0,
            };
            warn!(
                "partition {partition} of {EVENTS} has not advanced from offset {} since {}; see /ready and the log of the projectors for the reason",
                stopped.next_offset, stopped.since
            );
            stopped
        })
    }

    /// Publishes units, in their order.
    async fn put(&mut self, units: &[Unit]) -> Result<(), Refused> {
        let records: Vec<Record<'_>> = units.iter().flat_map(unit_records).collect();
        if records.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        let producer = self.producer;
        let sending = producer.send(&records);
        // Each turn awaits the same future: a second send would publish the records twice.
        tokio::pin!(sending);
        let outcomes = loop {
            if let Ok(outcomes) = tokio::time::timeout(TELL_EVERY, &mut sending).await {
                break outcomes;
            }
            if begun.elapsed() >= GIVE_UP_AFTER {
                return Err(Refused::Silent);
            }
            self.tell(&Doing::Unanswered(begun.elapsed()));
        };
        let events = units.iter().flat_map(|unit| &unit.events);
        for (outcome, event) in outcomes.into_iter().zip(events) {
            let position = outcome.map_err(Refused::Told)?;
            self.recent
                .note(position.partition, position.offset, event.event_id);
            let through = &mut self.published.through;
            let through = through.entry(position.partition).or_default();
            *through = (*through).max(position.offset.saturating_add(1));
        }
        for unit in units {
            let events = unit.events.len() as u64;
            let counts = &mut self.published.counts;
            counts.take(unit.kind, events);
            counts.leave_out(RefusalReason::SessionOver, unit.over);
        }
        Ok(())
    }

    pub(super) fn tell(&mut self, doing: &Doing) {
        let published = &self.published;
        self.progress
            .tell(&published.counts, published.read_bytes, doing);
    }
}

fn unit_records(unit: &Unit) -> impl Iterator<Item = Record<'_>> {
    unit.events.iter().map(|event| Record {
        topic: EVENTS,
        key: &unit.key,
        payload: &event.bytes,
        headers: &[],
    })
}

fn partitions(units: &[Unit]) -> BTreeSet<i32> {
    units.iter().map(|unit| unit.partition).collect()
}

fn records(units: &[Unit]) -> BTreeMap<i32, u64> {
    let mut records = BTreeMap::new();
    for unit in units {
        *records.entry(unit.partition).or_default() += unit.events.len() as u64;
    }
    records
}

/// The time that long before `now`, in whole seconds.
fn before(now: Timestamp, still: Duration) -> Timestamp {
    let still = SignedDuration::try_from(still).unwrap_or_default();
    let since = now.checked_sub(still).unwrap_or(now);
    Timestamp::from_second(since.as_second()).unwrap_or(since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::{
        ManualClock,
        database::{self, PoolSettings},
        kafka::KafkaSettings,
    };

    #[tokio::test]
    async fn an_import_fails_when_its_watcher_has_ended() {
        // Nothing listens at either address, and nothing is asked there.
        let producer = Producer::patient(&KafkaSettings::new("127.0.0.1:9")).unwrap();
        let settings = PoolSettings::new("footfall-test", 1);
        let pool = database::pool("postgres://127.0.0.1:9/x", &settings).unwrap();
        let (watcher, seen) = watch::channel(Seen::default());
        let mut publisher = Publisher {
            producer: &producer,
            store: &Store::new(pool),
            conversions: None,
            clock: &ManualClock::new(Timestamp::UNIX_EPOCH),
            seen,
            patience: Duration::from_hours(1),
            progress: &mut Progress::new(None),
            bad: BadLines::of(None, Timestamp::UNIX_EPOCH),
            published: Published::default(),
            recent: Recent::default(),
            ends_before: None,
        };
        publisher.published.through.insert(0, 1);
        drop(watcher);
        let settled = tokio::time::timeout(Duration::from_secs(10), publisher.settle());
        let error = settled.await.expect("it waits for ever").unwrap_err();
        assert!(matches!(error, Refused::Unwatched), "{error}");
    }
}

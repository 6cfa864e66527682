//! How far the tables are behind the log: what an import pauses for, and waits for at its end.
//!
//! The log's ends come from the broker, how far they are folded from the analytics database, so it is the
//! same on an embedded log and on a cluster with any number of projectors.

use projector::Store;
use rdkafka::consumer::{BaseConsumer, Consumer};
use runtime::kafka::{KafkaSettings, blocking};
use schemas::topics::EVENTS;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use tracing::debug;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the broker may take to tell an end.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What a look found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// The next offset to fold, per partition.
    pub(super) next: BTreeMap<i32, i64>,
    /// The offset after the log's last record, per partition.
    pub(super) ends: BTreeMap<i32, i64>,
    /// Records of the log that are not folded.
    pub(super) behind: u64,
    /// How many of ours were acknowledged before the look: later ones are in neither.
    pub(super) acknowledged: u64,
}

/// Looks, again and again.
#[derive(Clone)]
pub(super) struct Tables {
    store: Store,
    consumer: Arc<BaseConsumer>,
    partitions: i32,
}

impl Tables {
    /// The tables of that store, which are made from that cluster's log.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub(super) fn new(
        store: Store,
        kafka: &KafkaSettings,
        partitions: i32,
    ) -> rdkafka::error::KafkaResult<Self> {
        let consumer: BaseConsumer = kafka.consumer("footfall-import").create()?;
        Ok(Self {
            store,
            consumer: Arc::new(consumer),
            partitions,
        })
    }

    /// Tells each standing until nobody listens any more. While a side does not answer, the last one
    /// stays. `acknowledged` counts our records.
    pub(super) async fn follow(
        self,
        acknowledged: Arc<AtomicU64>,
        standing: watch::Sender<Option<Standing>>,
    ) {
        loop {
            match self.look(&acknowledged).await {
                Ok(found) => {
                    standing.send_replace(Some(found));
                }
                Err(error) => debug!("how far the tables are is not known: {error}"),
            }
            tokio::select! {
                () = standing.closed() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn look(&self, acknowledged: &AtomicU64) -> Result<Standing, String> {
        let acknowledged = acknowledged.load(Ordering::Acquire);
        let (consumer, partitions) = (Arc::clone(&self.consumer), self.partitions);
        let ends = blocking(move || {
            (0..partitions)
                .map(|partition| consumer.fetch_watermarks(EVENTS, partition, TIMEOUT))
                .collect::<Result<Vec<(i64, i64)>, _>>()
        });
        let ends = ends.await.map_err(|error| error.to_string())?;
        let next = self.store.progress(EVENTS).await;
        let next: BTreeMap<i32, i64> = next
            .map_err(|error| error.to_string())?
            .into_iter()
            .collect();
        let behind = (0..).zip(&ends).map(|(partition, (low, high))| {
            let next = next.get(&partition).copied().unwrap_or(0);
            u64::try_from(high - next.max(*low)).unwrap_or(0)
        });
        Ok(Standing {
            behind: behind.sum(),
            ends: (0..).zip(ends.iter().map(|(_, high)| *high)).collect(),
            next,
            acknowledged,
        })
    }
}

impl Standing {
    /// How many records are behind when that many of ours were handed over by now.
    pub(super) const fn behind_after(&self, handed: u64) -> u64 {
        self.behind + handed.saturating_sub(self.acknowledged)
    }

    /// True when everything before these offsets is folded.
    pub(super) fn has(&self, ends: &BTreeMap<i32, i64>) -> bool {
        let next = |partition| self.next.get(partition).copied().unwrap_or(0);
        ends.iter().all(|(partition, end)| next(partition) >= *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_over_since_the_look_counts_as_behind() {
        let standing = Standing {
            behind: 100,
            acknowledged: 1_000,
            next: BTreeMap::from([(0, 5), (1, 9)]),
            ends: BTreeMap::new(),
        };
        assert_eq!(standing.behind_after(1_500), 600);
        assert_eq!(standing.behind_after(900), 100);
        assert!(standing.has(&BTreeMap::from([(1, 9)])));
        assert!(!standing.has(&BTreeMap::from([(0, 6), (1, 9)])));
        assert!(!standing.has(&BTreeMap::from([(2, 1)])));
        assert!(standing.has(&BTreeMap::from([(2, 0)])));
    }
}

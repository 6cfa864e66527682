//! Watches how far the tables are behind the log, so that an import can pause and wait.
//!
//! The log's ends come from the broker, the folded offsets from the analytics database. So this
//! works alike on an embedded log and on a cluster with any number of projectors.

use super::standing::Standing;
use projector::Store;
use rdkafka::consumer::{BaseConsumer, Consumer};
use runtime::{
    database,
    kafka::{KafkaSettings, blocking},
};
use schemas::topics::EVENTS;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tracing::debug;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long the database may take to answer.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(10);

/// The results of the looks so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The newest answer of both sides.
    pub(super) standing: Option<Arc<Standing>>,
    /// Since when a side does not answer, and its error.
    pub(super) silence: Option<(Instant, String)>,
}

/// Looks at the tables and the log repeatedly.
#[derive(Clone)]
pub(super) struct Tables {
    store: Store,
    consumer: Arc<BaseConsumer>,
    partitions: i32,
}

impl Tables {
    /// Watches the tables of that store, which follow that cluster's log.
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

    /// Partitions of the log.
    pub(super) const fn partitions(&self) -> i32 {
        self.partitions
    }

    /// Publishes what it sees until the receivers are dropped.
    pub(super) async fn follow(self, seen: watch::Sender<Seen>) {
        // During a silence nothing is known about progress, so a standstill counts from its end.
        let mut earlier: Option<Arc<Standing>> = None;
        loop {
            match self.look(earlier.as_deref()).await {
                Ok(found) => {
                    let found = Arc::new(found);
                    earlier = Some(Arc::clone(&found));
                    seen.send_replace(Seen {
                        standing: Some(found),
                        silence: None,
                    });
                }
                Err(error) => {
                    debug!("cannot read the progress of the tables: {error}");
                    earlier = None;
                    seen.send_modify(|seen| {
                        let since = seen.silence.take().map(|(since, _)| since);
                        seen.silence = Some((since.unwrap_or_else(Instant::now), error));
                    });
                }
            }
            tokio::select! {
                () = seen.closed() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn look(&self, earlier: Option<&Standing>) -> Result<Standing, String> {
        // First the folded offsets, then the log's ends. In the other order, live events in between
        // would make the tables look ahead of the log.
        let next = tokio::time::timeout(DATABASE_TIMEOUT, self.store.progress(EVENTS)).await;
        let next: BTreeMap<i32, i64> = next
            .map_err(|_| "the analytics database is too slow".to_owned())?
            .map_err(|error| format!("the analytics database: {}", database::message(&error)))?
            .into_iter()
            .collect();
        let (consumer, partitions) = (Arc::clone(&self.consumer), self.partitions);
        let ends = blocking(move || {
            (0..partitions)
                .map(|partition| consumer.fetch_watermarks(EVENTS, partition, TIMEOUT))
                .collect::<Result<Vec<(i64, i64)>, _>>()
        });
        let ends = ends.await.map_err(|error| format!("the log: {error}"))?;
        let found = (0..).zip(ends).map(|(partition, (low, high))| {
            let next = next.get(&partition).copied().unwrap_or(0);
            (partition, next.max(low), high)
        });
        Ok(Standing::after(earlier, found, Instant::now()))
    }
}

//! Reads the directory topic into memory from its beginning, then follows it.
//!
//! Owns the consumer, which stores no offsets. The one rule: entries read from the beginning
//! replace the known directory only when the end of the topic is reached. So neither a start nor a
//! replaced topic shows half a directory.

use super::{Directory, Entries};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{Consumer, StreamConsumer},
    error::{KafkaError, KafkaResult},
};
use runtime::{
    Clock, Lifecycle,
    kafka::{KafkaSettings, blocking, is_transient},
};
use schemas::{directory::Entry, topics::DIRECTORY};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::watch;
use tracing::{debug, info, warn};

/// How often the feed asks for the end of the topic. The age in metrics has this precision.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// How long the broker may take to answer that question.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause before a failed consumer is replaced.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// Keeps a directory up to date.
#[derive(Debug)]
pub struct Feed {
    kafka: KafkaSettings,
    directory: Arc<Directory>,
    clock: Arc<dyn Clock>,
    lifecycle: Lifecycle,
    complete: watch::Sender<bool>,
    complete_at: Option<Duration>,
}

/// Why the feed gives up a consumer.
enum End {
    /// The workers stop.
    Stopping,
    /// A new consumer must read the topic again.
    Reread(String),
}

/// How far one consumer has read the topic.
struct Progress {
    /// The entries read so far, until the end is reached for the first time.
    unfinished: Option<Entries>,
    next_offset: i64,
}

impl Feed {
    /// Makes a feed for this directory. It sends `true` to `complete` once the topic has been read
    /// to its end.
    #[must_use]
    pub fn new(
        kafka: KafkaSettings,
        directory: Arc<Directory>,
        clock: Arc<dyn Clock>,
        lifecycle: Lifecycle,
        complete: watch::Sender<bool>,
    ) -> Self {
        Self {
            kafka,
            directory,
            clock,
            lifecycle,
            complete,
            complete_at: None,
        }
    }

    /// Reads until the workers stop. While the broker is unavailable, the feed waits and the known
    /// directory stays.
    ///
    /// # Errors
    /// Never: after a failure the feed reads again.
    pub async fn run(mut self) -> Result<(), Infallible> {
        loop {
            let stopping = self.lifecycle.clone();
            let opened = tokio::select! {
                () = stopping.workers_stopping() => return Ok(()),
                opened = open(&self.kafka) => opened,
            };
            let end = match opened {
                Ok((consumer, ends)) => {
                    let end = self.read(&consumer, ends).await;
                    // Closing a consumer may wait for the broker, which would block an async
                    // thread.
                    drop(tokio::task::spawn_blocking(move || drop(consumer)));
                    end
                }
                Err(error) => End::Reread(error.to_string()),
            };
            match end {
                End::Stopping => return Ok(()),
                End::Reread(why) => {
                    warn!("reading the directory again from its beginning: {why}");
                }
            }
            tokio::select! {
                () = self.lifecycle.workers_stopping() => return Ok(()),
                () = tokio::time::sleep(REOPEN_AFTER) => {}
            }
        }
    }

    async fn read(&mut self, consumer: &Arc<StreamConsumer>, (low, high): (i64, i64)) -> End {
        let lifecycle = self.lifecycle.clone();
        let mut progress = Progress {
            unfinished: Some(self.directory.emptied()),
            next_offset: 0,
        };
        // An empty topic is complete. The broker would report its end only later.
        if low >= high {
            self.reached_end(&mut progress);
        }
        let mut probe = Box::pin(probe(Arc::clone(consumer)));
        // The answer of a probe may be older than records read since the probe was sent. It is
        // compared with the offset of that time.
        let mut read_before_probe = progress.next_offset;
        loop {
            tokio::select! {
                () = lifecycle.workers_stopping() => return End::Stopping,
                received = consumer.recv() => match received {
                    Ok(message) => {
                        progress.next_offset = message.offset() + 1;
                        let payload = message.payload().unwrap_or_default();
                        self.take(payload, message.offset(), &mut progress);
                        // The broker reports the end only after it has waited for more records.
                        if progress.unfinished.is_some() && progress.next_offset >= high {
                            self.reached_end(&mut progress);
                        }
                    }
                    Err(KafkaError::PartitionEOF(_)) => self.reached_end(&mut progress),
                    Err(error) if is_transient(&error) => debug!("cannot read the directory, retrying: {error}"),
                    Err(error) => return End::Reread(error.to_string()),
                },
                ends = &mut probe => {
                    match ends {
                        // The topic was created again or lost its end, so other records may take
                        // these offsets.
                        Ok((_, high)) if high < read_before_probe => {
                            return End::Reread("the topic is shorter than the part already read".to_owned());
                        }
                        Ok((low, high)) if low >= high || progress.next_offset >= high => {
                            self.reached_end(&mut progress);
                        }
                        Ok(_) => {}
                        Err(error) => debug!("cannot read the end of the directory: {error}"),
                    }
                    self.show_age();
                    probe = Box::pin(self::probe(Arc::clone(consumer)));
                    read_before_probe = progress.next_offset;
                }
            }
        }
    }

    fn take(&self, payload: &[u8], offset: i64, progress: &mut Progress) {
        // An unknown kind comes from a newer program. An empty record would erase a key, but our
        // programs erase none.
        let entry = match serde_json::from_slice::<Entry>(payload) {
            Ok(entry) => entry,
            Err(error) => {
                debug!(
                    kafka.offset = offset,
                    "directory entry {offset} ignored: {error}"
                );
                return;
            }
        };
        match &mut progress.unfinished {
            Some(unfinished) => unfinished.apply(entry),
            None => self.directory.apply(entry),
        }
    }

    fn reached_end(&mut self, progress: &mut Progress) {
        if let Some(fresh) = progress.unfinished.take() {
            self.directory.replace(fresh);
            info!(
                kafka.offset = progress.next_offset,
                "the directory was read to its end, offset {}", progress.next_offset
            );
        }
        self.complete_at = Some(self.clock.monotonic());
        self.complete
            .send_if_modified(|complete| !std::mem::replace(complete, true));
        self.show_age();
    }

    fn show_age(&self) {
        let Some(complete_at) = self.complete_at else {
            return;
        };
        let age = self.clock.monotonic().saturating_sub(complete_at);
        metrics::gauge!("ingest_directory_age_seconds").set(age.as_secs_f64());
    }
}

/// Opens a consumer at the topic's beginning. Also returns the topic's first and next offset.
async fn open(kafka: &KafkaSettings) -> KafkaResult<(Arc<StreamConsumer>, (i64, i64))> {
    let consumer: StreamConsumer = kafka
        .consumer_with_ends("footfall-ingest-directory")
        .create()?;
    let consumer = Arc::new(consumer);
    // Asking first makes the client learn the topic's leader. Otherwise it learns the leader one
    // second after the assignment, when it refreshes all topics.
    let asking = Arc::clone(&consumer);
    let ends = blocking(move || asking.fetch_watermarks(DIRECTORY, 0, PROBE_TIMEOUT)).await?;
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(DIRECTORY, 0, Offset::Beginning)?;
    consumer.assign(&partitions)?;
    Ok((consumer, ends))
}

/// Waits, then asks for the topic's first and next offset.
async fn probe(consumer: Arc<StreamConsumer>) -> KafkaResult<(i64, i64)> {
    tokio::time::sleep(PROBE_EVERY).await;
    blocking(move || consumer.fetch_watermarks(DIRECTORY, 0, PROBE_TIMEOUT)).await
}

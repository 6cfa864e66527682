//! Appends records to the log, acknowledged by all replicas.
//!
//! A record that is not acknowledged within [`MESSAGE_TIMEOUT`](crate::kafka::MESSAGE_TIMEOUT) is
//! an error. Only a patient producer has no timeout.
//!
//! A producer that the broker declared unusable is replaced.

mod batch;
mod gather;
#[cfg(test)]
mod tests;

use super::KafkaSettings;
use arc_swap::ArcSwap;
use batch::{Batch, Opaque};
use gather::{Gather, refusal};
use rdkafka::{
    ClientConfig, ClientContext, Message,
    config::FromClientConfigAndContext,
    error::{KafkaError, KafkaResult},
    message::DeliveryResult,
    producer::{BaseProducer, Producer as _, ProducerContext},
};
use std::{
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use thiserror::Error;
use tokio::sync::oneshot;
use tracing::{error, warn};

/// A record to append.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Key: decides the partition.
    pub key: &'a str,
    /// Payload, unchanged.
    pub payload: &'a [u8],
    /// Headers.
    pub headers: &'a [(&'a str, &'a str)],
}

/// Why a record is not known to be in the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// The queue to the broker is full; nothing was kept.
    #[error("the queue to the broker is full")]
    QueueFull,
    /// The record itself is unacceptable, for example too large. A retry has the same result.
    #[error("refused: {0}")]
    Refused(String),
    /// No acknowledgement in time. The record may still be in the log; its `event_id` makes a retry
    /// harmless.
    #[error("not acknowledged: {0}")]
    Unacknowledged(String),
}

/// Where an acknowledged record is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Partition.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
}

/// The outcome of each record, in the order given.
pub type Outcomes = Vec<Result<Position, SendError>>;

/// An idempotent producer, shared by all code of a process that appends.
pub struct Producer {
    config: ClientConfig,
    current: ArcSwap<Polled>,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer")
            .field("brokers", &self.config.get("bootstrap.servers"))
            .finish_non_exhaustive()
    }
}

impl Producer {
    /// A producer for that cluster. Does not connect yet.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn new(settings: &KafkaSettings) -> KafkaResult<Self> {
        Self::of(settings.producer())
    }

    /// A producer for that cluster that never gives up, see [`KafkaSettings::patient_producer`].
    /// The caller decides how long to wait.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn patient(settings: &KafkaSettings) -> KafkaResult<Self> {
        Self::of(settings.patient_producer())
    }

    fn of(config: ClientConfig) -> KafkaResult<Self> {
        let current = ArcSwap::from_pointee(Polled::new(&config)?);
        Ok(Self { config, current })
    }

    /// Appends records and waits for their acknowledgements. Returns as soon as all are known.
    ///
    /// Records of one call, and of calls made one after another, get into their partition in that
    /// order.
    pub async fn send(&self, records: &[Record<'_>]) -> Outcomes {
        let sent = self.hand_over(records);
        self.outcomes(sent).await
    }

    /// Like [`Self::send`], but copies the records before it returns, so that the future borrows
    /// nothing. A caller that stops waiting must let a task of its own finish the future: it
    /// replaces a producer that the broker declared unusable.
    pub fn begin(
        self: &Arc<Self>,
        records: &[Record<'_>],
    ) -> impl Future<Output = Outcomes> + Send + use<> {
        let sent = self.hand_over(records);
        let producer = Arc::clone(self);
        async move { producer.outcomes(sent).await }
    }

    fn hand_over(&self, records: &[Record<'_>]) -> Option<Sent> {
        if records.is_empty() {
            return None;
        }
        // One client for the whole call, even if another call replaces it meanwhile.
        let producer = self.current.load_full();
        let (batch, done) = Batch::new(records.len());
        let until_next = producer.gather.append(&producer.client, records, &batch);
        Some(Sent {
            producer,
            batch,
            done,
            until_next,
        })
    }

    async fn outcomes(&self, sent: Option<Sent>) -> Outcomes {
        let Some(sent) = sent else {
            return Vec::new();
        };
        let producer = sent.producer;
        match sent.until_next {
            Some(until_next) => {
                let gather = &producer.gather;
                gather.wait(&producer.client, until_next, sent.done).await;
            }
            // The sender lives in the batch, which the last report drops only after sending.
            None => drop(sent.done.await),
        }
        let outcomes = sent.batch.take();
        if outcomes
            .iter()
            .any(|outcome| matches!(outcome, Err(SendError::Unacknowledged(_))))
        {
            self.replace_if_fatal(&producer);
        }
        outcomes
    }

    /// Waits until all records handed over are acknowledged or given up.
    pub async fn flush(&self, timeout: Duration) {
        let producer = self.current.load_full();
        producer.gather.hand_over(&producer.client);
        let flushed = tokio::task::spawn_blocking(move || producer.client.flush(timeout)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            warn!("the producer was closed before all records were acknowledged");
        }
    }

    fn replace_if_fatal(&self, used: &Arc<Polled>) {
        let Some((code, reason)) = used.client.client().fatal_error() else {
            return;
        };
        // Another call has replaced it already.
        if !Arc::ptr_eq(&self.current.load(), used) {
            return;
        }
        error!("the broker declared this producer unusable ({code:?}: {reason}); making a new one");
        match Polled::new(&self.config) {
            Ok(fresh) => {
                // Several calls may see the same failure: the first replaces the producer, the
                // others drop theirs.
                let before = self.current.compare_and_swap(used, Arc::new(fresh));
                if Arc::ptr_eq(&before, used) {
                    metrics::counter!("kafka_producers_replaced_total").increment(1);
                }
            }
            Err(error) => {
                error!("cannot create a new producer, retrying with the next record: {error}");
            }
        }
    }
}

/// Records of one call that are on their way.
struct Sent {
    producer: Arc<Polled>,
    batch: Arc<Batch>,
    done: oneshot::Receiver<()>,
    /// Time until the next hand-over, if the records wait for it.
    until_next: Option<Duration>,
}

type Client = BaseProducer<Deliveries>;

/// A client of librdkafka with a thread of its own for delivery reports.
///
/// rdkafka's `ThreadedProducer` does the same with a poll of 100 ms, whose last millisecond is a
/// busy loop: 1 % of a core for every idle producer.
struct Polled {
    client: Arc<Client>,
    gather: Arc<Gather>,
    unused: Arc<AtomicBool>,
}

/// Length of a poll, even if it serves reports meanwhile; also how long the thread outlives its
/// producer.
const POLL: Duration = Duration::from_secs(5);

impl Polled {
    fn new(config: &ClientConfig) -> KafkaResult<Self> {
        let gather = Arc::new(Gather::default());
        let deliveries = Deliveries {
            gather: Arc::clone(&gather),
            client: OnceLock::new(),
        };
        let client = Arc::new(Client::from_config_and_context(config, deliveries)?);
        let context = client.client().context();
        // The client needs its context first, so the link back is set afterwards.
        let _ = context.client.set(Arc::downgrade(&client));
        let unused = Arc::new(AtomicBool::new(false));
        let (polled, stop) = (Arc::clone(&client), Arc::clone(&unused));
        thread::Builder::new()
            .name("delivery reports".to_owned())
            .spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    polled.poll(POLL);
                }
            })
            .map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        Ok(Self {
            client,
            gather,
            unused,
        })
    }
}

impl Drop for Polled {
    fn drop(&mut self) {
        self.unused.store(true, Ordering::Relaxed);
    }
}

/// Receives delivery reports on the thread of a [`Polled`].
struct Deliveries {
    gather: Arc<Gather>,
    /// The client that reports here. Weak, because the client owns this context.
    client: OnceLock<Weak<Client>>,
}

impl ClientContext for Deliveries {
    fn error(&self, error: KafkaError, reason: &str) {
        // Every lost connection is reported here; delivery reports say what it means for records.
        tracing::debug!("kafka producer: {error}: {reason}");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Opaque;

    fn delivery(&self, report: &DeliveryResult<'_>, opaque: Self::DeliveryOpaque) {
        let (batch, index) = *opaque;
        let outcome = match report {
            Ok(message) => Ok(Position {
                partition: message.partition(),
                offset: message.offset(),
            }),
            Err((error, _)) => Err(refusal(error)),
        };
        batch.settle(index, outcome);
        let client = self.client.get().and_then(Weak::upgrade);
        self.gather.reported(client.as_deref());
    }
}

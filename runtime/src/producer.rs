//! The one way records get into the log: acknowledged by all replicas, or an error within
//! [`MESSAGE_TIMEOUT`](crate::kafka::MESSAGE_TIMEOUT), which only a patient producer does not know.
//!
//! A delivery report carries a counter instead of a future per record, so that a batch of hundreds
//! costs one wake-up. A producer that the broker declared unusable is replaced.

use crate::kafka::KafkaSettings;
use rdkafka::{
    ClientConfig, ClientContext, Message,
    config::FromClientConfigAndContext,
    error::{KafkaError, KafkaResult},
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext},
    types::RDKafkaErrorCode,
};
use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use thiserror::Error;
use tokio::sync::oneshot;
use tracing::{error, warn};

/// A record to be appended.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Key: decides the partition.
    pub key: &'a str,
    /// Payload, as it is.
    pub payload: &'a [u8],
    /// Headers.
    pub headers: &'a [(&'a str, &'a str)],
}

/// Why a record is not known to be in the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// The queue towards the broker is full; nothing was kept.
    #[error("the queue towards the broker is full")]
    QueueFull,
    /// No acknowledgement in time. The record may be in the log all the same; its `event_id` makes
    /// sending it again harmless.
    #[error("not acknowledged: {0}")]
    Unacknowledged(String),
}

/// Where an acknowledged record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Partition.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
}

/// What became of each record, in the order given.
pub type Outcomes = Vec<Result<Position, SendError>>;

/// An idempotent producer, shared by everything in a process that appends.
pub struct Producer {
    config: ClientConfig,
    current: RwLock<Arc<Polled>>,
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

    /// A producer for that cluster that gives up nothing, see [`KafkaSettings::patient_producer`]; whoever
    /// sends decides how long to wait.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn patient(settings: &KafkaSettings) -> KafkaResult<Self> {
        Self::of(settings.patient_producer())
    }

    fn of(config: ClientConfig) -> KafkaResult<Self> {
        let current = RwLock::new(Arc::new(Polled::new(&config)?));
        Ok(Self { config, current })
    }

    /// Appends records and waits for their acknowledgements. Returns as soon as all are known.
    pub async fn send(&self, records: &[Record<'_>]) -> Outcomes {
        if records.is_empty() {
            return Vec::new();
        }
        let producer = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let (batch, done) = Batch::new(records.len());
        for (index, record) in records.iter().enumerate() {
            let mut message =
                BaseRecord::with_opaque_to(record.topic, Box::new((Arc::clone(&batch), index)))
                    .key(record.key)
                    .payload(record.payload);
            if !record.headers.is_empty() {
                let headers =
                    record
                        .headers
                        .iter()
                        .fold(OwnedHeaders::new(), |headers, (key, value)| {
                            headers.insert(Header {
                                key,
                                value: Some(*value),
                            })
                        });
                message = message.headers(headers);
            }
            if let Err((error, message)) = producer.client.send(message) {
                let (batch, index) = *message.delivery_opaque;
                batch.settle(index, Err(refusal(&error)));
            }
        }
        // The sender lives in `batch`, which the last report drops only after sending.
        let _ = done.await;
        let outcomes = batch.take();
        if outcomes
            .iter()
            .any(|outcome| matches!(outcome, Err(SendError::Unacknowledged(_))))
        {
            self.replace_if_fatal(&producer);
        }
        outcomes
    }

    /// Waits until everything handed over is acknowledged or given up.
    pub async fn flush(&self, timeout: Duration) {
        let producer = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let flushed = tokio::task::spawn_blocking(move || producer.client.flush(timeout)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            warn!("the producer did not get everything acknowledged before it was closed");
        }
    }

    fn replace_if_fatal(&self, used: &Arc<Polled>) {
        let Some((code, reason)) = used.client.client().fatal_error() else {
            return;
        };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&current, used) {
            return;
        }
        error!("the broker declared this producer unusable ({code:?}: {reason}); making a new one");
        metrics::counter!("kafka_producers_replaced_total").increment(1);
        match Polled::new(&self.config) {
            Ok(fresh) => *current = Arc::new(fresh),
            Err(error) => {
                error!("no new producer could be made, trying again at the next record: {error}");
            }
        }
    }
}

/// A client of librdkafka with a thread of its own for delivery reports.
///
/// rdkafka's `ThreadedProducer` is the same with a poll of 100 ms, the last millisecond of which is a busy
/// loop: 1 % of a core for every idle producer.
struct Polled {
    client: Arc<BaseProducer<Deliveries>>,
    unused: Arc<AtomicBool>,
}

/// How long a poll lasts, whatever it serves meanwhile; also how long the thread outlives its producer.
const POLL: Duration = Duration::from_secs(5);

impl Polled {
    fn new(config: &ClientConfig) -> KafkaResult<Self> {
        let client = BaseProducer::from_config_and_context(config, Deliveries)?;
        let client = Arc::new(client);
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
        Ok(Self { client, unused })
    }
}

impl Drop for Polled {
    fn drop(&mut self) {
        self.unused.store(true, Ordering::Relaxed);
    }
}

fn refusal(error: &KafkaError) -> SendError {
    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) {
        SendError::QueueFull
    } else {
        SendError::Unacknowledged(error.to_string())
    }
}

/// Counts the acknowledgements of one call of [`Producer::send`].
struct Batch {
    waiting: AtomicUsize,
    outcomes: Mutex<Vec<Option<Result<Position, SendError>>>>,
    done: Mutex<Option<oneshot::Sender<()>>>,
}

impl Batch {
    fn new(records: usize) -> (Arc<Self>, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        let batch = Self {
            waiting: AtomicUsize::new(records),
            outcomes: Mutex::new(vec![None; records]),
            done: Mutex::new(Some(sender)),
        };
        (Arc::new(batch), receiver)
    }

    fn settle(&self, index: usize, outcome: Result<Position, SendError>) {
        if let Some(slot) = self
            .outcomes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_mut(index)
        {
            *slot = Some(outcome);
        }
        if self.waiting.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(done) = self
                .done
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        {
            // The receiver is gone when the request was: nobody is left to be told.
            let _ = done.send(());
        }
    }

    fn take(&self) -> Outcomes {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = || Err(SendError::Unacknowledged("no delivery report".to_owned()));
        outcomes
            .drain(..)
            .map(|outcome| outcome.unwrap_or_else(unknown))
            .collect()
    }
}

/// Receives delivery reports on librdkafka's thread.
struct Deliveries;

impl ClientContext for Deliveries {
    fn error(&self, error: KafkaError, reason: &str) {
        // Every lost connection ends here; what it means for records is told by their reports.
        tracing::debug!("kafka producer: {error}: {reason}");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<(Arc<Batch>, usize)>;

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
    }
}

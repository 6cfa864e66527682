//! Idempotent producers that keep sending while the broker restarts, and record each outcome.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use rdkafka::{
    ClientContext,
    error::{KafkaError, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext},
};

use crate::{
    access::Access,
    checker::{Sent, Value},
    setup::{PARTITIONS, PATIENCE, TOPIC},
};

/// A record, and the time when its outcome was known.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The record.
    pub sent: Sent,
    /// Microseconds since 1970.
    pub time_us: u64,
}

/// The behaviour of a producer.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Its number in values.
    pub producer: u32,
    /// Its codec.
    pub codec: &'static str,
    /// How long it tries to send a record; `None` for no limit.
    pub timeout_ms: Option<u32>,
}

/// Collects outcomes.
#[derive(Default)]
struct Outcomes(Mutex<Vec<Outcome>>);

#[derive(Clone)]
struct Context(Arc<Outcomes>);

impl ClientContext for Context {
    // These tests cause connection errors, so ignore them.
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, mut sent: Box<Sent>) {
        sent.acknowledged = result.as_ref().ok().map(rdkafka::Message::offset);
        let outcome = Outcome {
            sent: *sent,
            time_us: now_us(),
        };
        self.0.0.lock().unwrap().push(outcome);
    }
}

/// The wall clock, which also stamps the recordings of system calls.
#[expect(
    clippy::disallowed_methods,
    reason = "compared with times that another program took"
)]
pub fn now_us() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_micros()).unwrap()
}

/// A producer that sends until it is stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Outcome>>,
}

impl Load {
    /// Starts sending.
    pub fn start(access: &Access, manner: Manner, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let access = access.clone();
        let thread = thread::spawn(move || {
            let sender = Sender::new(&access, manner, seed);
            sender.send_until(|_| stopping.load(Ordering::Relaxed))
        });
        Self { stop, thread }
    }

    /// Stops sending, waits for all outcomes and returns them.
    pub fn stop(self) -> Vec<Outcome> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// A producer and its future records.
pub struct Sender {
    producer: BaseProducer<Context>,
    outcomes: Arc<Outcomes>,
    manner: Manner,
    random: StdRng,
}

impl Sender {
    /// Creates a producer that has not sent anything yet.
    pub fn new(access: &Access, manner: Manner, seed: u64) -> Self {
        let outcomes = Arc::new(Outcomes::default());
        let mut config = access.client();
        config
            .set("enable.idempotence", "true")
            .set("compression.codec", manner.codec)
            .set("linger.ms", "2")
            .set("retry.backoff.ms", "10")
            .set("queue.buffering.max.messages", "300")
            .set(
                "message.timeout.ms",
                manner.timeout_ms.unwrap_or(0).to_string(),
            );
        let producer = config.create_with_context(Context(Arc::clone(&outcomes)));
        Self {
            producer: producer.unwrap(),
            outcomes,
            manner,
            random: StdRng::seed_from_u64(seed ^ u64::from(manner.producer)),
        }
    }

    /// Sends until `stop` is true for the number of sent records. Waits for all outcomes and returns them.
    ///
    /// # Panics
    /// If outcomes are missing, or after a fatal error of the producer.
    pub fn send_until(mut self, stop: impl Fn(u64) -> bool) -> Vec<Outcome> {
        let mut number = 0;
        while !stop(number) {
            self.send(number);
            number += 1;
            // Handle outcomes, with occasional pauses, so that batches differ in size.
            let pause = self.random.random_range(0..3);
            self.producer.poll(Duration::from_millis(pause));
        }
        let flushed = self.producer.flush(PATIENCE);
        assert_eq!(
            self.producer.client().fatal_error(),
            None,
            "{:?}",
            self.manner
        );
        flushed.unwrap();
        let outcomes = std::mem::take(&mut *self.outcomes.0.lock().unwrap());
        assert_eq!(outcomes.len() as u64, number, "outcomes are missing");
        outcomes
    }

    fn send(&mut self, number: u64) {
        let value = Value {
            producer: self.manner.producer,
            number,
        };
        // Mostly small, sometimes much larger than a page of the file.
        let padding = match self.random.random_range(0..100) {
            0..3 => self.random.random_range(10_000..60_000),
            3..20 => self.random.random_range(1_000..8_000),
            _ => self.random.random_range(0..500),
        };
        let text = format!("{value} {}", "x".repeat(padding));
        let partition = self.random.random_range(0..PARTITIONS);
        let sent = Sent {
            value,
            partition,
            acknowledged: None,
        };
        let mut record = BaseRecord::<(), _, _>::with_opaque_to(TOPIC, Box::new(sent))
            .partition(partition)
            .payload(&text);
        while let Err((error, refused)) = self.producer.send(record) {
            let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
            assert_eq!(error, full, "{:?}", self.producer.client().fatal_error());
            record = refused;
            self.producer.poll(Duration::from_millis(10));
        }
    }
}

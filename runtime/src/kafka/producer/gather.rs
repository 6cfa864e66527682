//! Gathers records while others are in flight, and hands them to librdkafka together.
//!
//! librdkafka could gather by itself, for as long as its `linger.ms`. But its idempotent producer
//! sends the next batch of a partition only after the acknowledgement of the previous one. Once
//! that next batch has lingered long enough, librdkafka's thread polls without a pause: a fifth of
//! ingest's CPU. A fixed linger also delays a record that has nothing to wait for. Here a lone
//! record leaves at once. Under load, records leave together, at most every 5 ms and once the
//! previous ones are acknowledged. Batches of a few records take half the space of single ones.

use super::{
    Client, Record, SendError,
    batch::{Batch, Opaque},
};
use rdkafka::{
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::BaseRecord,
    types::RDKafkaErrorCode,
};
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::oneshot::Receiver, time::timeout};

/// Time between two hand-overs, librdkafka's default linger.
const INTERVAL: Duration = Duration::from_millis(5);
/// A record waits at most this much longer for the acknowledgement of those before it. So a
/// partition whose broker is slow does not hold up the others. Acknowledgements usually take a few
/// milliseconds.
const PATIENCE: Duration = Duration::from_millis(15);
/// With this many records or bytes, nothing waits: librdkafka makes full batches of them, and its
/// queue has a limit.
const MOST_RECORDS: usize = 1_000;
const MOST_BYTES: usize = 1 << 20;

/// Waiting records of one client of librdkafka. The hand-over holds the lock, which keeps their
/// order.
#[derive(Default)]
pub struct Gather {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    /// Records that librdkafka has but has not reported on.
    on_their_way: usize,
    /// When records were last handed over.
    last: Option<Instant>,
}

/// A copy of a waiting record.
struct Waiting {
    topic: String,
    key: String,
    payload: Vec<u8>,
    headers: Option<OwnedHeaders>,
    opaque: Opaque,
}

impl Gather {
    /// Takes the records of a call. Returns the time until the next hand-over if they wait for it;
    /// the caller then calls [`Self::wait`]. Returns `None` if librdkafka has them already.
    pub fn append(
        &self,
        client: &Client,
        records: &[Record<'_>],
        batch: &Arc<Batch>,
    ) -> Option<Duration> {
        let mut state = self.lock();
        let bytes: usize = records.iter().map(|record| record.payload.len()).sum();
        let until_next = state.until_next();
        // A lone record leaves at once. Others wait, unless there are enough for full batches.
        let waits = (state.on_their_way > 0 || !until_next.is_zero())
            && state.waiting.len() + records.len() < MOST_RECORDS
            && state.waiting_bytes + bytes < MOST_BYTES;
        if waits {
            state.waiting_bytes += bytes;
        } else {
            // The waiting records go first, which keeps the order of calls.
            state.hand_over(client);
            state.last = Some(Instant::now());
        }
        for (index, record) in records.iter().enumerate() {
            let opaque = Box::new((Arc::clone(batch), index));
            if waits {
                state.waiting.push(Waiting {
                    topic: record.topic.to_owned(),
                    key: record.key.to_owned(),
                    payload: record.payload.to_vec(),
                    headers: headers(record),
                    opaque,
                });
            } else {
                let message = BaseRecord::with_opaque_to(record.topic, opaque)
                    .key(record.key)
                    .payload(record.payload);
                state.produce(client, message, headers(record));
            }
        }
        waits.then_some(until_next)
    }

    /// Hands over the waiting records when it is time. Returns when `done` says that the caller's
    /// records are acknowledged.
    pub async fn wait(&self, client: &Client, until_next: Duration, mut done: Receiver<()>) {
        if timeout(until_next, &mut done).await.is_ok() {
            return;
        }
        {
            let mut state = self.lock();
            // Otherwise the last report hands them over, see `reported`.
            if state.on_their_way == 0 {
                state.hand_over(client);
            }
        }
        if timeout(PATIENCE, &mut done).await.is_ok() {
            return;
        }
        self.hand_over(client);
        // The sender lives in the batch, which the last report drops only after sending.
        let _ = done.await;
    }

    /// Hands over the waiting records, even before acknowledgements.
    pub fn hand_over(&self, client: &Client) {
        self.lock().hand_over(client);
    }

    /// Notes that librdkafka reported on a record. After the last report, hands over the records
    /// that have waited long enough.
    pub fn reported(&self, client: Option<&Client>) {
        let mut state = self.lock();
        state.on_their_way = state.on_their_way.saturating_sub(1);
        if state.on_their_way == 0
            && state.until_next().is_zero()
            && let Some(client) = client
        {
            state.hand_over(client);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Time until the next hand-over.
    fn until_next(&self) -> Duration {
        let since = self.last.map(|last| last.elapsed());
        since.map_or(Duration::ZERO, |since| INTERVAL.saturating_sub(since))
    }

    fn hand_over(&mut self, client: &Client) {
        if self.waiting.is_empty() {
            return;
        }
        self.last = Some(Instant::now());
        self.waiting_bytes = 0;
        for record in mem::take(&mut self.waiting) {
            let message = BaseRecord::with_opaque_to(&record.topic, record.opaque)
                .key(record.key.as_str())
                .payload(record.payload.as_slice());
            self.produce(client, message, record.headers);
        }
    }

    fn produce(
        &mut self,
        client: &Client,
        mut message: BaseRecord<'_, str, [u8], Opaque>,
        headers: Option<OwnedHeaders>,
    ) {
        message.headers = headers;
        match client.send(message) {
            Ok(()) => self.on_their_way += 1,
            Err((error, message)) => {
                let (batch, index) = *message.delivery_opaque;
                batch.settle(index, Err(refusal(&error)));
            }
        }
    }
}

fn headers(record: &Record<'_>) -> Option<OwnedHeaders> {
    if record.headers.is_empty() {
        return None;
    }
    let pairs = record.headers.iter();
    Some(pairs.fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header {
            key,
            value: Some(*value),
        })
    }))
}

/// The outcome for a record that librdkafka refused or did not deliver.
pub fn refusal(error: &KafkaError) -> SendError {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(Code::QueueFull) => SendError::QueueFull,
        Some(Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::InvalidRecord) => {
            SendError::Refused(error.to_string())
        }
        _ => SendError::Unacknowledged(error.to_string()),
    }
}

//! Gathers records while others are on their way, and hands them to librdkafka in one go.
//!
//! librdkafka could gather by itself, for as long as its `linger.ms`. But its idempotent producer sends the next
//! batch of a partition only after the acknowledgement of the last, and its thread polls without a pause once
//! that next batch has lingered long enough: a fifth of ingest's CPU. A fixed linger also delays a record that has
//! nothing to wait for. So records wait here exactly as long as the broker is busy with those before them.

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
    time::Duration,
};

/// A record waits at most this long for the acknowledgement of those before it, so that a partition whose
/// broker is slow does not hold up the others for longer. Acknowledgements usually take a few milliseconds.
pub const LONGEST_WAIT: Duration = Duration::from_millis(20);
/// With this many records or bytes nothing waits: librdkafka makes full batches of them, and its queue has a limit.
const MOST_RECORDS: usize = 1_000;
const MOST_BYTES: usize = 1 << 20;

/// Records of one client of librdkafka. Handing over happens under the lock, which keeps their order.
#[derive(Default)]
pub struct Gather {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    /// Records that librdkafka has and has not reported on.
    on_their_way: usize,
}

/// A copy of a record that waits.
struct Waiting {
    topic: String,
    key: String,
    payload: Vec<u8>,
    headers: Option<OwnedHeaders>,
    opaque: Opaque,
}

impl Gather {
    /// Takes the records of a call. True if they wait; otherwise librdkafka has them.
    pub fn append(&self, client: &Client, records: &[Record<'_>], batch: &Arc<Batch>) -> bool {
        let mut state = self.lock();
        let bytes: usize = records.iter().map(|record| record.payload.len()).sum();
        let waits = state.on_their_way > 0
            && state.waiting.len() + records.len() < MOST_RECORDS
            && state.waiting_bytes + bytes < MOST_BYTES;
        if waits {
            state.waiting_bytes += bytes;
        } else {
            state.hand_over(client);
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
        waits
    }

    /// Hands over what waits, acknowledgements or not.
    pub fn hand_over(&self, client: &Client) {
        self.lock().hand_over(client);
    }

    /// Notes that librdkafka reported on a record. After the last report, what waits follows.
    pub fn reported(&self, client: Option<&Client>) {
        let mut state = self.lock();
        state.on_their_way = state.on_their_way.saturating_sub(1);
        if state.on_their_way == 0
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
    fn hand_over(&mut self, client: &Client) {
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

/// What an error of librdkafka says about a record.
pub fn refusal(error: &KafkaError) -> SendError {
    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) {
        SendError::QueueFull
    } else {
        SendError::Unacknowledged(error.to_string())
    }
}

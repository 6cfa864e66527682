//! The drain: moves spooled events to the log, in order per tenant.
//!
//! Its producer never gives a record up, so it waits for the broker without polling, and sends the
//! records of a lane in their order. The one rule: an event is removed only after the
//! acknowledgement. A stop leaves the rest for the next start.

use super::{Spool, lanes::Chunk, writer::Job};
use futures::{StreamExt as _, stream::FuturesUnordered};
use runtime::{
    Producer,
    kafka::KafkaSettings,
    producer::{Outcomes, Record},
};
use schemas::topics::EVENTS;
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::{error, warn};

/// Most bytes on their way to the log. Below the producer's own limit.
const MAX_IN_FLIGHT: u64 = 16 * 1024 * 1024;
/// Pause after the first failure of a lane, doubled by each further one.
const PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// How often the age of the oldest event is shown.
const SHOW_EVERY: Duration = Duration::from_secs(1);
/// How long an idle producer is kept for the next outage.
const KEEP_PRODUCER: Duration = Duration::from_mins(1);

impl Spool {
    /// Moves events to the log for ever. May be dropped at any moment.
    pub async fn drain(self: Arc<Self>, kafka: KafkaSettings) {
        let work = &self.shared.work;
        loop {
            work.notified().await;
            // Patient producers wait inside librdkafka, which reconnects with pauses of its own.
            let producer = match Producer::patient(&kafka) {
                Ok(producer) => producer,
                Err(error) => {
                    error!("the spool has no producer, trying again: {error}");
                    sleep(PAUSE).await;
                    work.notify_one();
                    continue;
                }
            };
            loop {
                self.send_all(&producer).await;
                if timeout(KEEP_PRODUCER, work.notified()).await.is_err() {
                    break;
                }
            }
        }
    }

    /// Sends events until none is left to send.
    async fn send_all(&self, producer: &Producer) {
        let mut show = interval(SHOW_EVERY);
        show.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut flights = FuturesUnordered::new();
        let mut in_flight = 0;
        loop {
            while in_flight < MAX_IN_FLIGHT
                && let Some(chunk) = self.shared.lock().take()
            {
                in_flight += chunk.bytes();
                flights.push(self.carry(chunk, producer));
            }
            if flights.is_empty() {
                return;
            }
            tokio::select! {
                Some(bytes) = flights.next() => in_flight -= bytes,
                () = self.shared.work.notified() => {}
                _ = show.tick() => {
                    let now_ms = self.shared.clock.now().as_millisecond();
                    self.shared.watch.age(&self.shared.lock(), now_ms);
                }
            }
        }
    }

    /// Sends a chunk and settles it. Returns its bytes.
    async fn carry(&self, chunk: Chunk, producer: &Producer) -> u64 {
        let bytes = chunk.bytes();
        let delivered = self.send(&chunk, producer).await;
        let seqs: Vec<i64> = chunk.entries.iter().map(|entry| entry.seq).collect();
        let done = seqs.get(..delivered).unwrap_or(&seqs).to_vec();
        self.shared
            .watch
            .drained(u64::try_from(delivered).unwrap_or(0));
        // If the writer has stopped, the next start sends these events again, which counts once.
        let _ = self.jobs.send(Job::Drained(done));
        if delivered < seqs.len() {
            let doubled = PAUSE.saturating_mul(1 << chunk.failures.min(5));
            sleep(doubled.min(MAX_PAUSE)).await;
        }
        self.shared.settle(chunk, delivered);
        bytes
    }

    /// Sends a chunk. Returns how many of its first events need no further attempt.
    async fn send(&self, chunk: &Chunk, producer: &Producer) -> usize {
        let payloads = match self.payloads(chunk).await {
            Ok(payloads) => payloads,
            Err(why) => {
                warn!("the spool cannot be read, trying again: {why}");
                return 0;
            }
        };
        let records = payloads.iter().flatten().map(|payload| Record {
            topic: EVENTS,
            key: &chunk.key,
            payload,
            headers: &[],
        });
        let records: Vec<Record<'_>> = records.collect();
        let outcomes: Outcomes = producer.send(&records).await;
        let mut outcomes = outcomes.into_iter();
        let mut delivered = 0;
        for payload in &payloads {
            match payload.as_ref().map(|_| outcomes.next()) {
                Some(Some(Ok(_))) => {}
                // Events behind this one wait for it, even those that the log has by now: their
                // order is kept, and a repetition counts once.
                Some(refused) => {
                    if let Some(Err(why)) = refused {
                        warn!("the log refuses a spooled event, trying again: {why}");
                    }
                    return delivered;
                }
                None => error!("another program removed an event from the spool's file"),
            }
            delivered += 1;
        }
        delivered
    }

    async fn payloads(&self, chunk: &Chunk) -> Result<Vec<Option<Vec<u8>>>, String> {
        let reader = Arc::clone(&self.reader);
        let seqs: Vec<i64> = chunk.entries.iter().map(|entry| entry.seq).collect();
        let read = tokio::task::spawn_blocking(move || {
            let reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            reader.payloads(seqs.into_iter())
        });
        match read.await {
            Ok(payloads) => payloads.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

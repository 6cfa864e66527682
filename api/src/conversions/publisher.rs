//! Publishes events of the main database to the log, at least once.
//!
//! Every instance works; a lock of the rows keeps two from sending the same ones. An event leaves
//! the table after its acknowledgement, so a crash in between sends it again, and its `event_id`
//! makes that harmless.

use crate::{
    app::Database,
    store::event_outbox::{self, Waiting},
};
use runtime::{
    Lifecycle, Producer, database,
    producer::{Record, SendError},
};
use schemas::topics::EVENTS;
use sqlx::PgPool;
use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::sync::Notify;
use tracing::warn;

/// The name of the part.
pub(crate) const PART: &str = "event publisher";

/// Most events of one transaction: a few hundred kilobytes.
const BATCH: i64 = 200;
/// How many of them pass between two counts of all that wait, which reads the whole table.
const BATCHES_A_COUNT: usize = 50;
/// Pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How often to look for events of an instance that died before it published them.
const SAFETY_POLL: Duration = Duration::from_secs(5);

/// Publishes events while it runs.
#[derive(Debug)]
pub(crate) struct EventPublisher {
    pub(crate) database: Database,
    pub(crate) producer: Producer,
    /// Notified after each commit of this instance.
    pub(crate) waiting: Arc<Notify>,
    pub(crate) lifecycle: Lifecycle,
}

#[derive(Debug, Error)]
pub(super) enum PublishError {
    #[error("the main database: {}", database::message(.0))]
    Database(#[from] sqlx::Error),
    #[error("the events topic: {0}")]
    Unsent(#[from] SendError),
}

impl EventPublisher {
    /// Works until workers must stop. Events that are left wait for the next start, or for another
    /// instance.
    pub(crate) async fn run(self) -> Result<(), Infallible> {
        tokio::select! {
            () = self.lifecycle.workers_stopping() => {}
            () = self.work() => {}
        }
        Ok(())
    }

    async fn work(&self) {
        self.database.usable().await;
        let mut said = String::new();
        loop {
            let drained = drain(self.database.raw_pool(), &self.producer).await;
            let pause = match drained {
                Ok(_) => {
                    said.clear();
                    SAFETY_POLL
                }
                Err(error) => {
                    let text = error.to_string();
                    // Each reason is logged once, not at every attempt.
                    if text != said {
                        warn!("cannot publish conversions, retrying: {text}");
                        said = text;
                    }
                    RETRY_PAUSE
                }
            };
            tokio::select! {
                () = self.waiting.notified(), if said.is_empty() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// Publishes events until none is left, or only those that another instance has locked. Returns how
/// many these are. After a refusal, the events with that key wait for the next call, so that they
/// stay in order and hold up no others.
pub(super) async fn drain(pool: &PgPool, producer: &Producer) -> Result<u64, PublishError> {
    let (mut held, mut failure) = (Vec::new(), None);
    loop {
        observe(pool).await?;
        for _ in 0..BATCHES_A_COUNT {
            let mut tx = pool.begin().await?;
            let waiting = event_outbox::take(&mut tx, BATCH, &held).await?;
            if waiting.is_empty() {
                drop(tx);
                return match failure {
                    Some(failure) => Err(PublishError::Unsent(failure)),
                    None => observe(pool).await,
                };
            }
            let sent = send(producer, &waiting).await;
            event_outbox::delete(&mut tx, &sent.ids).await?;
            tx.commit().await?;
            let count = u64::try_from(sent.ids.len()).unwrap_or_default();
            metrics::counter!("api_events_published_total").increment(count);
            held.extend(sent.refused);
            failure = sent.failure.or(failure);
        }
    }
}

/// What became of some events.
#[derive(Debug, Default)]
struct Sent {
    /// Those that the log has.
    ids: Vec<i64>,
    /// The keys of the others.
    refused: BTreeSet<String>,
    /// Why the last of them was refused.
    failure: Option<SendError>,
}

async fn send(producer: &Producer, waiting: &[Waiting]) -> Sent {
    let records: Vec<Record<'_>> = waiting
        .iter()
        .map(|event| Record {
            topic: EVENTS,
            key: &event.entry_key,
            payload: &event.payload,
            headers: &[],
        })
        .collect();
    let outcomes = producer.send(&records).await;
    let mut sent = Sent::default();
    for (event, outcome) in waiting.iter().zip(outcomes) {
        match outcome {
            Ok(_) => sent.ids.push(event.id),
            Err(error) => {
                sent.refused.insert(event.entry_key.clone());
                sent.failure = Some(error);
            }
        }
    }
    sent
}

async fn observe(pool: &PgPool) -> Result<u64, PublishError> {
    let waiting = event_outbox::count(pool).await?;
    #[expect(clippy::cast_precision_loss, reason = "a gauge of a queue's length")]
    metrics::gauge!("api_events_waiting").set(waiting as f64);
    Ok(waiting.unsigned_abs())
}

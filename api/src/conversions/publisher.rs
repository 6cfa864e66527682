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
use std::{convert::Infallible, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::sync::Notify;
use tracing::warn;

/// The name of the part.
pub(crate) const PART: &str = "event publisher";

/// Most events of one transaction: a few hundred kilobytes.
const BATCH: i64 = 200;
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
/// many these are.
pub(super) async fn drain(pool: &PgPool, producer: &Producer) -> Result<u64, PublishError> {
    loop {
        let mut tx = pool.begin().await?;
        let waiting = event_outbox::take(&mut tx, BATCH).await?;
        if waiting.is_empty() {
            drop(tx);
            return observe(pool).await;
        }
        observe(pool).await?;
        let sent = send(producer, &waiting).await?;
        event_outbox::delete(&mut tx, &sent).await?;
        tx.commit().await?;
        let all = sent.len() == waiting.len();
        let count = u64::try_from(sent.len()).unwrap_or_default();
        metrics::counter!("api_events_published_total").increment(count);
        if !all {
            return Err(SendError::Unacknowledged("some events".to_owned()).into());
        }
    }
}

/// The events that the log has; the others stay.
async fn send(producer: &Producer, waiting: &[Waiting]) -> Result<Vec<i64>, PublishError> {
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
    let mut sent = Vec::new();
    let mut failure = None;
    for (event, outcome) in waiting.iter().zip(outcomes) {
        match outcome {
            Ok(_) => sent.push(event.id),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(failure) if sent.is_empty() => Err(failure.into()),
        _ => Ok(sent),
    }
}

async fn observe(pool: &PgPool) -> Result<u64, PublishError> {
    let waiting = event_outbox::count(pool).await?;
    #[expect(clippy::cast_precision_loss, reason = "a gauge of a queue's length")]
    metrics::gauge!("api_events_waiting").set(waiting as f64);
    Ok(waiting.unsigned_abs())
}

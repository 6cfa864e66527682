//! A task that deletes events whose session never came, in bounded steps, beside the folding.

use crate::{identity::ends, store::Store};
use rdkafka::error::KafkaError;
use runtime::{Context, kafka::KafkaSettings};
use std::time::Duration;
use thiserror::Error;
use tracing::{debug, info};

/// Time between two rounds. It only decides how long rows stay that do not count.
const EVERY: Duration = Duration::from_mins(10);
/// Pause between two steps, so that batches do not wait for the disk.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Error)]
enum ExpiryError {
    #[error("the Kafka cluster: {0}")]
    Kafka(#[from] KafkaError),
    #[error("the analytics database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Looks for what has waited too long, again and again. `partitions` is how many the events topic has.
pub async fn run(store: Store, kafka: KafkaSettings, partitions: i32, context: Context) {
    loop {
        match round(&store, &kafka, partitions, &context).await {
            Ok(0) => {}
            Ok(expired) => info!("dropped {expired} events that had waited too long to count"),
            Err(error) => debug!("events that wait are looked through later: {error}"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn round(
    store: &Store,
    kafka: &KafkaSettings,
    partitions: i32,
    context: &Context,
) -> Result<u64, ExpiryError> {
    // Asked first: what is appended later may be of any time after this one.
    let at = context.clock.now();
    for (partition, end) in ends(kafka, partitions).await? {
        store.note_folded(partition, end, at).await?;
    }
    let mut total = 0;
    loop {
        let (expired, more) = store.expire_waiting(partitions, at).await?;
        metrics::counter!("projector_expired_total").increment(expired);
        total += expired;
        if !more {
            return Ok(total);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

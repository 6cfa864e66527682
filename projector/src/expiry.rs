//! Deletes events whose session or view never arrived, in bounded steps beside the folding.

use crate::{identity::ends, store::Store};
use rdkafka::error::KafkaError;
use runtime::{Context, kafka::KafkaSettings};
use std::time::Duration;
use thiserror::Error;
use tracing::{debug, info};

/// Time between two rounds. It only affects how long rows that do not count stay in the table.
const EVERY: Duration = Duration::from_mins(10);
/// Pause between two steps, so that batches need not wait for the disk.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Error)]
enum ExpiryError {
    #[error("the Kafka cluster: {0}")]
    Kafka(#[from] KafkaError),
    #[error("the analytics database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Deletes events that waited too long, round after round. `partitions` is the number of partitions
/// of the events topic.
pub async fn run(store: Store, kafka: KafkaSettings, partitions: i32, context: Context) {
    loop {
        match round(&store, &kafka, partitions, &context).await {
            Ok(0) => {}
            Ok(expired) => info!("deleted {expired} events that waited too long"),
            Err(error) => debug!("cannot delete expired events, retrying later: {error}"),
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
    // Read before the ends: a record appended later may be received at any time after this.
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

//! `footfall topics`: creates the log's missing topics and checks all of them.

use super::reach::Log;
use crate::output::print_line;
use runtime::{Context, Settings, program::Failure, topics};

/// Works on `KAFKA_BROKERS` if set, else on the running program of the data directory. Otherwise
/// starts the embedded log of that directory and stops it at the end. `footfall up` creates an
/// embedded log and its topics.
///
/// # Errors
/// When the cluster refuses, or a topic has wrong settings.
pub async fn run(mut settings: Settings, context: Context) -> Result<(), Failure> {
    let log = Log::reach(&mut settings, &*context.ids).await?;
    let ensured = ensure(&log, &context).await;
    log.leave().await;
    ensured
}

async fn ensure(log: &Log, context: &Context) -> Result<(), Failure> {
    let (ids, now) = (&*context.ids, context.clock.now());
    let topics = topics::ensure(&log.kafka, log.partitions, ids, now)
        .await
        .map_err(Failure::other)?;
    for name in &topics.created {
        print_line(&format!("created {name}"))?;
    }
    let partitions = topics.log.events_partitions;
    print_line(&format!(
        "the topics of log {} are correct; events has {partitions} partitions",
        topics.log.log_id
    ))
}

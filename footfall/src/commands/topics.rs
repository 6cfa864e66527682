//! `footfall topics`: the log's topics, made and checked.

use crate::{broker::EmbeddedBroker, data_dir::DataDir, output::print_line, run_file::RunFile};
use runtime::{Context, Settings, kafka::KafkaSettings, program::Failure, topics};
use schemas::topics::{EVENTS_PARTITIONS, EVENTS_PARTITIONS_EMBEDDED};

/// Works on `KAFKA_BROKERS`, else on the running program of the data directory, else starts the
/// embedded broker for the while.
///
/// # Errors
/// When the cluster refuses, or a topic is not what it must be.
pub async fn run(mut settings: Settings, context: Context) -> Result<(), Failure> {
    if settings.text("KAFKA_BROKERS").is_some() {
        let kafka = KafkaSettings::read(&mut settings);
        settings.finish()?;
        return ensure(&kafka, EVENTS_PARTITIONS, &context).await;
    }
    settings.finish()?;
    let data_dir = DataDir::open(&settings)?;
    if let Some(running) = RunFile::read_running(&data_dir) {
        return ensure(
            &KafkaSettings::new(running.kafka),
            EVENTS_PARTITIONS_EMBEDDED,
            &context,
        )
        .await;
    }
    let _lock = data_dir.lock()?;
    let broker = EmbeddedBroker::start(&data_dir.log(), None)
        .await
        .map_err(Failure::other)?;
    let kafka = KafkaSettings::new(broker.brokers());
    let ensured = ensure(&kafka, EVENTS_PARTITIONS_EMBEDDED, &context).await;
    broker.stop().await;
    ensured
}

async fn ensure(kafka: &KafkaSettings, partitions: i32, context: &Context) -> Result<(), Failure> {
    let topics = topics::ensure(kafka, partitions, &*context.ids, context.clock.now())
        .await
        .map_err(Failure::other)?;
    for name in &topics.created {
        print_line(&format!("created {name}"))?;
    }
    let partitions = topics.log.events_partitions;
    print_line(&format!(
        "the topics of log {} are as they must be; events has {partitions} partitions",
        topics.log.log_id
    ))
}

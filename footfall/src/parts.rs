//! The log and the database under the services: configured ones, or embedded ones that are started
//! and stopped here.
//!
//! The rule to keep: stop a part after everything that uses it, also when a start fails.

use crate::{
    data_dir::DataDir,
    databases,
    embedded_log::{self, EmbeddedLog},
};
use footfall_postgres::{EmbeddedPostgres, Programs};
use projector::consumer::Assignment;
use runtime::{
    Context, Settings,
    kafka::{KafkaSettings, properties::Secrets},
    program::Failure,
    telemetry, topics,
};
use schemas::topics::{DIRECTORY, EVENTS_PARTITIONS, EVENTS_PARTITIONS_EMBEDDED};
use tracing::{info, warn};

/// The log and the database under the services.
pub(crate) struct Parts {
    log: Option<EmbeddedLog>,
    postgres: Option<EmbeddedPostgres>,
    pub(crate) kafka: KafkaSettings,
    /// URL of the main database for people and scripts.
    pub(crate) main_url: String,
    /// URL of the analytics database for them.
    pub(crate) analytics_url: String,
}

impl Parts {
    /// Starts each part that is not configured and adds its address to the settings.
    pub(crate) async fn start(
        settings: &mut Settings,
        data_dir: &DataDir,
        programs: Programs,
        context: &Context,
    ) -> Result<Self, Failure> {
        let given = settings.text("KAFKA_BROKERS").is_some();
        let log = if given {
            None
        } else {
            info!("starting the embedded log in {}", data_dir.log().display());
            Some(EmbeddedLog::start(data_dir, &*context.ids).await?)
        };
        if let Some(log) = &log {
            log.enter(settings);
        }
        let kafka = KafkaSettings::read(settings);
        if given {
            embedded_log::write_properties(data_dir, &kafka, Secrets::LeftOut)?;
        }
        let mut parts = Self {
            log,
            postgres: None,
            kafka,
            main_url: String::new(),
            analytics_url: String::new(),
        };
        let partitions = if given {
            EVENTS_PARTITIONS
        } else {
            EVENTS_PARTITIONS_EMBEDDED
        };
        let topics = topics::ensure(&parts.kafka, partitions, &*context.ids, context.clock.now());
        let databases = databases::provide(settings, data_dir, programs);
        // Waits for both, even if one fails: a server that has started must be stopped below.
        let failure = match tokio::join!(topics, databases) {
            (Ok(_), Ok(databases)) => {
                parts.postgres = databases.server;
                parts.main_url = databases.main;
                parts.analytics_url = databases.analytics;
                return parts.compact_directory().await;
            }
            (Err(error), Ok(databases)) => {
                parts.postgres = databases.server;
                Failure::other(error)
            }
            (_, Err(failure)) => failure,
        };
        // A failed start must not leave its parts running.
        if parts.stop().await.is_err() {
            warn!("the embedded parts could not be stopped cleanly");
        }
        Err(failure)
    }

    /// Compacts the embedded log's directory topic. The check of the topics comes first: it ends
    /// the start if the events topic has the policy `compact`.
    async fn compact_directory(self) -> Result<Self, Failure> {
        let Some(log) = &self.log else {
            return Ok(self);
        };
        match log.compact(DIRECTORY).await {
            Ok(_) => Ok(self),
            Err(error) => {
                let _ = self.stop().await;
                Err(Failure::other(error))
            }
        }
    }

    /// Completes when the embedded PostgreSQL ends unexpectedly. The services cannot continue
    /// without it.
    pub(crate) async fn ended(&mut self) -> Failure {
        match &mut self.postgres {
            Some(postgres) => Failure::other(postgres.ended().await),
            None => std::future::pending().await,
        }
    }

    /// The partitions that a projector on this log takes.
    pub(crate) const fn assignment(&self) -> Assignment {
        match self.log {
            Some(_) => Assignment::All {
                partitions: EVENTS_PARTITIONS_EMBEDDED,
            },
            None => Assignment::Group,
        }
    }

    /// Stops the embedded parts.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let postgres = match self.postgres {
            Some(postgres) => postgres.stop().await.map_err(Failure::other),
            None => Ok(()),
        };
        if let Some(log) = self.log {
            // Clients that still exist lose their connections, which is not a problem any more.
            telemetry::expect_lost_brokers();
            log.stop().await;
        }
        postgres
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::{
        admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
        client::DefaultClientContext,
        consumer::{BaseConsumer, Consumer as _},
    };
    use runtime::{Producer, SeededIds, producer::Record};
    use schemas::topics::EVENTS;
    use std::time::Duration;

    /// Enough for a compaction.
    const RECORDS: i64 = 1_100;
    const TIMEOUT: Duration = Duration::from_secs(20);

    /// First and next offset of the only partition of events.
    async fn watermarks(kafka: &KafkaSettings) -> (i64, i64) {
        let consumer: BaseConsumer = kafka.consumer("test").create().unwrap();
        let read = move || consumer.fetch_watermarks(EVENTS, 0, TIMEOUT).unwrap();
        tokio::task::spawn_blocking(read).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_compacted_events_topic_fails_the_start_and_loses_nothing() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("data");
        let mut settings = Settings::from_pairs([("FOOTFALL_DATA_DIR", path.to_str().unwrap())]);
        let data_dir = DataDir::open(&settings).unwrap();
        let log = EmbeddedLog::start(&data_dir, &SeededIds::new(1))
            .await
            .unwrap();
        let admin: AdminClient<DefaultClientContext> = log.kafka().admin().create().unwrap();
        let topic =
            NewTopic::new(EVENTS, 1, TopicReplication::Fixed(1)).set("cleanup.policy", "compact");
        let made = admin.create_topics([&topic], &AdminOptions::new()).await;
        assert_eq!(made.unwrap(), [Ok(EVENTS.to_owned())]);
        let record = Record {
            topic: EVENTS,
            key: "one workspace",
            payload: b"{}",
            headers: &[],
        };
        let sent = Producer::new(log.kafka()).unwrap();
        let sent = sent
            .send(&vec![record; usize::try_from(RECORDS).unwrap()])
            .await;
        assert!(sent.iter().all(Result::is_ok));
        assert_eq!(watermarks(log.kafka()).await, (0, RECORDS));
        log.stop().await;

        let context = Context::system();
        let started = Parts::start(&mut settings, &data_dir, Programs::Installed, &context).await;
        let said = match started {
            Ok(_) => panic!("the start accepted a compacted events topic"),
            Err(failure) if failure.to_string().contains("no PostgreSQL") => {
                eprintln!("SKIPPED: {failure}");
                return;
            }
            Err(failure) => failure.to_string(),
        };
        assert!(
            said.contains(EVENTS) && said.contains("cleanup.policy=compact"),
            "{said}"
        );
        let log = EmbeddedLog::start(&data_dir, &SeededIds::new(1))
            .await
            .unwrap();
        let kafka = log.kafka().clone();
        assert_eq!(watermarks(&kafka).await, (0, RECORDS));
        let read = move || {
            let consumer: BaseConsumer = kafka.consumer("test").create().unwrap();
            let mut list = rdkafka::TopicPartitionList::new();
            let offset = rdkafka::Offset::Beginning;
            list.add_partition_offset(EVENTS, 0, offset).unwrap();
            consumer.assign(&list).unwrap();
            (0..RECORDS)
                .filter(|_| consumer.poll(TIMEOUT).is_some_and(|record| record.is_ok()))
                .count()
        };
        let found = tokio::task::spawn_blocking(read).await.unwrap();
        assert_eq!(i64::try_from(found).unwrap(), RECORDS);
        log.stop().await;
    }
}

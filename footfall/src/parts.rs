//! The log and the database under the services: given by the settings, or embedded and started here.
//!
//! The rule to keep: what was started is stopped after everything that uses it, also when a start fails.

use crate::{broker::EmbeddedBroker, data_dir::DataDir, databases, postgres::EmbeddedPostgres};
use projector::consumer::Assignment;
use runtime::{Context, Settings, kafka::KafkaSettings, program::Failure, telemetry, topics};
use schemas::topics::{DIRECTORY, EVENTS_PARTITIONS, EVENTS_PARTITIONS_EMBEDDED};
use tracing::{info, warn};

/// The log and the database under the services.
pub(crate) struct Parts {
    broker: Option<EmbeddedBroker>,
    postgres: Option<EmbeddedPostgres>,
    pub(crate) kafka: KafkaSettings,
    /// The main database for people and scripts.
    pub(crate) main_url: String,
    /// The analytics database for them.
    pub(crate) analytics_url: String,
}

impl Parts {
    /// Starts what is not given, and names it in the settings.
    pub(crate) async fn start(
        settings: &mut Settings,
        data_dir: &DataDir,
        programs: crate::postgres::Programs,
        context: &Context,
    ) -> Result<Self, Failure> {
        let given = settings.text("KAFKA_BROKERS").is_some();
        let broker = if given {
            None
        } else {
            info!(
                "starting the embedded broker in {}",
                data_dir.log().display()
            );
            Some(
                EmbeddedBroker::start(&data_dir.log(), None)
                    .await
                    .map_err(Failure::other)?,
            )
        };
        if let Some(broker) = &broker {
            settings.set_default("KAFKA_BROKERS", broker.brokers());
        }
        let kafka = KafkaSettings::read(settings);
        let mut parts = Self {
            broker,
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
        // What has been started must not outlive a start that failed.
        if parts.stop().await.is_err() {
            warn!("the embedded parts could not be stopped cleanly");
        }
        Err(failure)
    }

    /// Compacts the embedded log's directory topic. The topics have been checked: an events topic whose policy was
    /// changed to `compact` has ended the start before.
    async fn compact_directory(self) -> Result<Self, Failure> {
        let Some(broker) = &self.broker else {
            return Ok(self);
        };
        match broker.compact(DIRECTORY).await {
            Ok(_) => Ok(self),
            Err(error) => {
                let _ = self.stop().await;
                Err(Failure::other(error))
            }
        }
    }

    /// Completes when a part is gone that nobody stopped; the services cannot go on without it.
    pub(crate) async fn ended(&mut self) -> Failure {
        match &mut self.postgres {
            Some(postgres) => Failure::other(postgres.ended().await),
            None => std::future::pending().await,
        }
    }

    /// Which partitions a projector on this log takes.
    pub(crate) const fn assignment(&self) -> Assignment {
        match self.broker {
            Some(_) => Assignment::All {
                partitions: EVENTS_PARTITIONS_EMBEDDED,
            },
            None => Assignment::Group,
        }
    }

    /// Stops what was started.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let postgres = match self.postgres {
            Some(postgres) => postgres.stop().await.map_err(Failure::other),
            None => Ok(()),
        };
        if let Some(broker) = self.broker {
            // Clients that still exist lose their connections, which is not a problem any more.
            telemetry::expect_lost_brokers();
            broker.stop().await;
        }
        postgres
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Programs;
    use libsql::Builder;
    use runtime::{Producer, producer::Record};
    use schemas::topics::EVENTS;
    use std::path::Path;

    /// Enough for a compaction.
    const RECORDS: usize = 1_100;

    async fn start(settings: &Settings, data_dir: &DataDir) -> Result<Parts, Failure> {
        let context = Context::system();
        Parts::start(
            &mut settings.clone(),
            data_dir,
            Programs::Installed,
            &context,
        )
        .await
    }

    async fn in_the_log(file: &Path, statement: &str) -> i64 {
        let database = Builder::new_local(file).build().await.unwrap();
        let connection = database.connect().unwrap();
        let mut rows = connection.query(statement, ()).await.unwrap();
        let row = rows.next().await.unwrap();
        row.map_or(0, |row| row.get(0).unwrap())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_events_topic_that_was_made_a_compacted_one_ends_the_start_and_loses_nothing() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("data");
        let settings = Settings::from_pairs([("FOOTFALL_DATA_DIR", path.to_str().unwrap())]);
        let data_dir = DataDir::open(&settings).unwrap();
        let parts = match start(&settings, &data_dir).await {
            Ok(parts) => parts,
            Err(failure) if failure.to_string().contains("no PostgreSQL") => {
                eprintln!("SKIPPED: {failure}");
                return;
            }
            Err(failure) => panic!("{failure}"),
        };
        let record = Record {
            topic: EVENTS,
            key: "one workspace",
            payload: b"{}",
            headers: &[],
        };
        let sent = Producer::new(&parts.kafka).unwrap();
        let sent = sent.send(&vec![record; RECORDS]).await;
        assert!(sent.iter().all(Result::is_ok));
        parts.stop().await.unwrap();

        let file = data_dir.log().join("log.db");
        let records = "SELECT count(*) FROM record";
        let before = in_the_log(&file, records).await;
        assert!(before >= i64::try_from(RECORDS).unwrap());
        let compact = "
            UPDATE topic_configuration SET value = 'compact'
            WHERE name = 'cleanup.policy'
            AND topic = (SELECT id FROM topic WHERE name = 'footfall.events.v1')
            RETURNING 1";
        assert_eq!(in_the_log(&file, compact).await, 1);

        let Err(failure) = start(&settings, &data_dir).await else {
            panic!("a start on a log that its broker may shorten");
        };
        let said = failure.to_string();
        assert!(
            said.contains(EVENTS) && said.contains("cleanup.policy=compact"),
            "{said}"
        );
        assert_eq!(in_the_log(&file, records).await, before);
    }
}

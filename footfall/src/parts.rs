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

    /// Makes the embedded log's directory small. Its topics have been checked: a topic that somebody turned into a
    /// compacted one ends the start before.
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
            // Clients that still exist lose their connections, and have nothing left to say that matters.
            telemetry::expect_lost_brokers();
            broker.stop().await;
        }
        postgres
    }
}

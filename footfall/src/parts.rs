//! The log and the database under the services: given by the settings, or embedded and started here.
//!
//! The rule to keep: what was started is stopped after everything that uses it, also when a start fails.

use crate::{broker::EmbeddedBroker, data_dir::DataDir, databases, postgres::EmbeddedPostgres};
use projector::consumer::Assignment;
use runtime::{Context, Settings, kafka::KafkaSettings, program::Failure, topics};
use schemas::topics::{EVENTS_PARTITIONS, EVENTS_PARTITIONS_EMBEDDED};
use tracing::{info, warn};

/// The log and the database under the services.
pub(crate) struct Parts {
    broker: Option<EmbeddedBroker>,
    postgres: Option<EmbeddedPostgres>,
    pub(crate) kafka: KafkaSettings,
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
        };
        let partitions = if given {
            EVENTS_PARTITIONS
        } else {
            EVENTS_PARTITIONS_EMBEDDED
        };
        let topics = topics::ensure(&parts.kafka, partitions, &*context.ids, context.clock.now());
        let databases = databases::provide(settings, data_dir, programs);
        let failure = match tokio::join!(topics, databases) {
            (Ok(_), Ok(postgres)) => {
                parts.postgres = postgres;
                return Ok(parts);
            }
            (Err(error), Ok(postgres)) => {
                parts.postgres = postgres;
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
            broker.stop().await;
        }
        postgres
    }
}

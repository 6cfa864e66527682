//! Where a command finds the log: the cluster that was given, the running program of the data
//! directory, or the embedded broker, started for the while.

use crate::{
    broker::EmbeddedBroker,
    data_dir::{DataDir, Lock},
    run_file::RunFile,
};
use runtime::{Settings, kafka::KafkaSettings, program::Failure};
use schemas::topics::{EVENTS_PARTITIONS, EVENTS_PARTITIONS_EMBEDDED};

/// A log within reach. It must be left, see [`Self::leave`].
#[derive(Debug)]
pub struct Log {
    /// How to talk to it.
    pub kafka: KafkaSettings,
    /// Partitions of events that it has, if it is made now.
    pub partitions: i32,
    own: Option<(EmbeddedBroker, Lock)>,
}

/// Takes the data directory for a command that starts embedded parts in it.
///
/// # Errors
/// When another program has it; the error says which, and what to do when two commands want it.
pub fn lock(data_dir: &DataDir) -> Result<Lock, Failure> {
    data_dir.lock().map_err(|failure| match failure {
        Failure::Other(what) => Failure::Other(format!(
            "{what}; commands that are to work on it at the same time need `footfall up` running"
        )),
        settings @ Failure::Settings(_) => settings,
    })
}

/// What to do where there is no log yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Begin one.
    Begin,
    /// Say so.
    Refuse,
}

impl Log {
    /// Reaches `KAFKA_BROKERS`, else the running program of the data directory, else starts the
    /// embedded broker.
    ///
    /// # Errors
    /// When settings cannot be used, or another program has the data directory and is not ready.
    pub async fn reach(settings: &mut Settings, missing: Missing) -> Result<Self, Failure> {
        if settings.text("KAFKA_BROKERS").is_some() {
            let kafka = KafkaSettings::read(settings);
            settings.finish()?;
            return Ok(Self::elsewhere(kafka, EVENTS_PARTITIONS));
        }
        settings.finish()?;
        let data_dir = DataDir::open(settings)?;
        if let Some(running) = RunFile::read_running(&data_dir) {
            let kafka = KafkaSettings::new(running.kafka);
            return Ok(Self::elsewhere(kafka, EVENTS_PARTITIONS_EMBEDDED));
        }
        let lock = lock(&data_dir)?;
        let folder = data_dir.log();
        if missing == Missing::Refuse && !folder.exists() {
            return Err(Failure::Other(format!(
                "there is no log in {}; name its folder with --data-dir, or a cluster with KAFKA_BROKERS",
                data_dir.path().display()
            )));
        }
        let broker = EmbeddedBroker::start(&folder, None)
            .await
            .map_err(Failure::other)?;
        Ok(Self {
            kafka: KafkaSettings::new(broker.brokers()),
            partitions: EVENTS_PARTITIONS_EMBEDDED,
            own: Some((broker, lock)),
        })
    }

    const fn elsewhere(kafka: KafkaSettings, partitions: i32) -> Self {
        Self {
            kafka,
            partitions,
            own: None,
        }
    }

    /// Stops what was started, then gives the data directory back.
    pub async fn leave(self) {
        if let Some((broker, lock)) = self.own {
            broker.stop().await;
            drop(lock);
        }
    }
}

//! Where a command finds the log: the cluster that was given, the running program of the data
//! directory, or the embedded log, started for the command.

use crate::{
    data_dir::{DataDir, Lock},
    embedded_log::{self, EmbeddedLog},
    run_file::RunFile,
};
use runtime::{IdSource, Settings, kafka::KafkaSettings, program::Failure};
use schemas::topics::{EVENTS_PARTITIONS, EVENTS_PARTITIONS_EMBEDDED};

/// A log within reach. It must be left, see [`Self::leave`].
#[derive(Debug)]
pub struct Log {
    /// How to talk to it.
    pub kafka: KafkaSettings,
    /// Partitions of events that it has, if it is made now.
    pub partitions: i32,
    own: Option<(EmbeddedLog, Lock)>,
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

/// The data directory of a program that has a log. Nothing is made: a mistyped name must not become a new folder.
///
/// # Errors
/// When there is no such directory, or `footfall up` has never been ready in it.
pub fn find_with_log(settings: &Settings) -> Result<DataDir, Failure> {
    let data_dir = DataDir::find(settings).map_err(|failure| {
        let folder = settings.text("FOOTFALL_DATA_DIR");
        let folder = folder.as_deref().unwrap_or("data");
        Failure::Other(format!(
            "there is no log in {folder}: {failure}, or name a cluster with KAFKA_BROKERS"
        ))
    })?;
    if data_dir.log().exists() || data_dir.run_file().exists() {
        return Ok(data_dir);
    }
    Err(Failure::Other(format!(
        "there is no log in {}; name the data directory of `footfall up` with --data-dir, or name a cluster with KAFKA_BROKERS",
        data_dir.path().display()
    )))
}

impl Log {
    /// Reaches `KAFKA_BROKERS`, else the running program of the data directory, else starts the
    /// embedded log.
    ///
    /// # Errors
    /// When settings cannot be used, there is no log, or another program has the data directory and is not ready.
    pub async fn reach(settings: &mut Settings, ids: &dyn IdSource) -> Result<Self, Failure> {
        if settings.text("KAFKA_BROKERS").is_some() {
            let kafka = KafkaSettings::read(settings);
            settings.finish()?;
            return Ok(Self::elsewhere(kafka, EVENTS_PARTITIONS));
        }
        settings.finish()?;
        let data_dir = find_with_log(settings)?;
        if RunFile::read_running(&data_dir).is_some() {
            embedded_log::enter_running(settings, &data_dir)?;
            let kafka = KafkaSettings::read(settings);
            settings.finish()?;
            return Ok(Self::elsewhere(kafka, EVENTS_PARTITIONS_EMBEDDED));
        }
        let lock = lock(&data_dir)?;
        let log = EmbeddedLog::start(&data_dir, ids).await?;
        Ok(Self {
            kafka: log.kafka().clone(),
            partitions: EVENTS_PARTITIONS_EMBEDDED,
            own: Some((log, lock)),
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
        if let Some((log, lock)) = self.own {
            log.stop().await;
            drop(lock);
        }
    }
}

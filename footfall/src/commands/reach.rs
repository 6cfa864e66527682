//! Finds the log for a command: the configured cluster, the running program of the data directory,
//! or the embedded log, which is then started.

use crate::{
    data_dir::{DataDir, Lock},
    embedded_log::{self, EmbeddedLog},
    run_file::RunFile,
};
use runtime::{IdSource, Settings, kafka::KafkaSettings, program::Failure};
use schemas::topics::{EVENTS_PARTITIONS, EVENTS_PARTITIONS_EMBEDDED};

/// A log that a command can use. Call [`Self::leave`] at the end.
#[derive(Debug)]
pub struct Log {
    /// Settings with which clients reach it.
    pub kafka: KafkaSettings,
    /// Partitions that the events topic gets if it is created now.
    pub partitions: i32,
    own: Option<(EmbeddedLog, Lock)>,
}

/// Locks the data directory for a command that starts embedded parts in it.
///
/// # Errors
/// When another process has it. The error names that process and says how several commands can work
/// at the same time.
pub fn lock(data_dir: &DataDir) -> Result<Lock, Failure> {
    data_dir.lock().map_err(|failure| match failure {
        Failure::Other(what) => Failure::Other(format!(
            "{what}; to run several commands at the same time, start `footfall up` first"
        )),
        settings @ Failure::Settings(_) => settings,
    })
}

/// Finds the data directory of a program that has a log. Creates nothing: a mistyped name must not
/// become a new folder.
///
/// # Errors
/// When the directory does not exist or holds no log.
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
    /// Uses `KAFKA_BROKERS` if set, else the running program of the data directory. Otherwise
    /// starts the embedded log.
    ///
    /// # Errors
    /// When settings are invalid, there is no log, or another process has the data directory and is
    /// not ready.
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

    /// Stops a log that this command started, then unlocks the data directory.
    pub async fn leave(self) {
        if let Some((log, lock)) = self.own {
            log.stop().await;
            drop(lock);
        }
    }
}

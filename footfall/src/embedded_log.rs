//! Starts the embedded log of a data directory and writes `kafka.properties`, with which clients
//! find it.
//!
//! The rule to keep: our topics are protected, so that no client can remove records from them.

use crate::{data_dir::DataDir, take_over};
use footfall_log::{Broker, BrokerError, Credentials, Options};
use runtime::{
    IdSource, Settings,
    kafka::{
        KafkaSettings,
        properties::{self, Secrets},
    },
    metrics::Metric,
    private,
    program::Failure,
};
use schemas::topics::{DEAD_LETTERS, DIRECTORY, EVENTS};
use std::{fs, io};

/// Metrics of the embedded log.
pub(crate) const METRICS: &[Metric] = &[
    Metric::gauge(
        "embedded_log_broken",
        &[],
        "1 after the disk failed during a write of the embedded log; nothing is acknowledged until the next start.",
    ),
    Metric::counter(
        "embedded_log_write_failures_total",
        &[],
        "Commits of the embedded log that failed, a full disk included.",
    ),
    Metric::gauge(
        "embedded_log_connections",
        &[],
        "Open connections to the embedded log.",
    ),
    Metric::counter(
        "embedded_log_connections_refused_total",
        &[],
        "Connections that the embedded log closed because there were too many.",
    ),
    Metric::counter(
        "embedded_log_authentication_failures_total",
        &[],
        "Logins to the embedded log with a wrong user name or password.",
    ),
    Metric::counter(
        "embedded_log_requests_refused_total",
        &[],
        "Requests whose connection the embedded log closed: damaged, too large, or before the login.",
    ),
];

/// User name of clients.
const USERNAME: &str = "footfall";

/// A running log, and how to reach it.
#[derive(Debug)]
pub struct EmbeddedLog {
    broker: Broker,
    kafka: KafkaSettings,
}

impl EmbeddedLog {
    /// Starts the log on a free port and writes its address to `kafka.properties`, mode 600. The
    /// first start generates the password and keeps it in that file.
    ///
    /// # Errors
    /// When the log cannot be opened, or the file cannot be read or written.
    pub async fn start(data_dir: &DataDir, ids: &dyn IdSource) -> Result<Self, Failure> {
        let credentials = Credentials {
            username: USERNAME.to_owned(),
            password: password(data_dir, ids)?,
        };
        let mut options = Options::new(credentials.clone());
        options.protected_topics = [EVENTS, DIRECTORY, DEAD_LETTERS].map(str::to_owned).into();
        options.on_migration = Some(take_over::report());
        let broker = Broker::start(&data_dir.log(), options)
            .await
            .map_err(Failure::other)?;
        let kafka = KafkaSettings::with_login(
            broker.bootstrap_servers(),
            &credentials.username,
            &credentials.password,
        );
        let log = Self { broker, kafka };
        match write_properties(data_dir, &log.kafka, Secrets::Included) {
            Ok(()) => Ok(log),
            // Without the file no client finds the log, so it must not keep running.
            Err(failure) => {
                log.stop().await;
                Err(failure)
            }
        }
    }

    /// Settings with which clients reach the log, the password included.
    #[must_use]
    pub const fn kafka(&self) -> &KafkaSettings {
        &self.kafka
    }

    /// Makes the services of this process use this log.
    pub fn enter(&self, settings: &mut Settings) {
        for (name, value) in self.kafka.variables() {
            settings.set(&name, value);
        }
    }

    /// Removes superseded records of a topic whose policy is `compact`.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub async fn compact(&self, topic: &str) -> Result<u64, BrokerError> {
        self.broker.compact(topic).await
    }

    /// Answers pending requests and stops.
    pub async fn stop(self) {
        self.broker.stop().await;
    }
}

/// Writes `kafka.properties`, with which `kcat -F` and scripts reach the log.
///
/// # Errors
/// When the file cannot be written.
pub fn write_properties(
    data_dir: &DataDir,
    kafka: &KafkaSettings,
    secrets: Secrets,
) -> Result<(), Failure> {
    let path = data_dir.kafka_properties();
    let text = properties::write(kafka, secrets);
    private::write_file(&path, &text)
        .map_err(|error| Failure::Other(format!("{}: {error}", path.display())))
}

/// Makes a command use the log of the program that runs on the data directory. Settings given to
/// the command take precedence.
///
/// # Errors
/// When `kafka.properties` cannot be read.
pub fn enter_running(settings: &mut Settings, data_dir: &DataDir) -> Result<(), Failure> {
    let path = data_dir.kafka_properties();
    let failed = |what: String| Failure::Other(format!("{}: {what}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    let kafka = properties::read(&text).map_err(|error| failed(error.to_string()))?;
    for (name, value) in kafka.variables() {
        settings.set_default(&name, value);
    }
    Ok(())
}

/// The password of the last start, or a new one of 256 random bits.
fn password(data_dir: &DataDir, ids: &dyn IdSource) -> Result<String, Failure> {
    let path = data_dir.kafka_properties();
    let kept = match fs::read_to_string(&path) {
        Ok(text) => properties::value(&text, "sasl.password"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::Other(format!("{}: {error}", path.display()))),
    };
    let made = || {
        let half = || u128::from_be_bytes(ids.random_16());
        format!("{:032x}{:032x}", half(), half())
    };
    Ok(kept.filter(|kept| !kept.is_empty()).unwrap_or_else(made))
}

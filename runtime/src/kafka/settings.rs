//! Settings of the cluster and its clients: `KAFKA_BROKERS` and `KAFKA_<PROPERTY>`.

use crate::{
    Settings,
    metrics::Metric,
    settings::{Part, Setting},
};
use rdkafka::{
    ClientConfig, config::RDKafkaLogLevel, consumer::BaseConsumer, error::KafkaError,
    producer::BaseProducer, types::RDKafkaConfRes,
};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};
use tracing::warn;

const BROKERS: Setting = Setting::new(
    "KAFKA_BROKERS",
    "embedded log",
    "bootstrap servers of a Kafka cluster; any other librdkafka setting as KAFKA_<NAME_WITH_UNDERSCORES>",
)
.required();

/// Settings and metrics of Kafka clients.
pub const PART: Part = Part {
    settings: &[BROKERS],
    metrics: &[Metric::counter(
        "kafka_producers_replaced_total",
        &[],
        "Producers replaced after a fatal error.",
    )],
};

/// Properties that exactly-once counting depends on.
const FIXED: &[&str] = &[
    "acks",
    "request.required.acks",
    "enable.idempotence",
    "retries",
    "message.send.max.retries",
    "transactional.id",
    "delivery.report.only.error",
    "enable.auto.commit",
    "auto.commit.enable",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "auto.offset.reset",
    "allow.auto.create.topics",
    "partitioner",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "partition.assignment.strategy",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "bootstrap.servers",
    "metadata.broker.list",
];

/// A cluster, and the settings of its clients.
#[derive(Clone)]
pub struct KafkaSettings {
    pub(super) brokers: String,
    /// Further properties with their values, as given.
    pub(super) extra: Vec<(String, String)>,
}

/// Without the values of further properties, which include passwords.
impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.extra.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("extra", &names)
            .finish()
    }
}

impl KafkaSettings {
    /// The brokers at `host:port[,host:port]`, nothing else set.
    #[must_use]
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            extra: Vec::new(),
        }
    }

    /// The brokers at `host:port[,host:port]`, with a login by SASL/PLAIN, without TLS.
    #[must_use]
    pub fn with_login(brokers: impl Into<String>, username: &str, password: &str) -> Self {
        let extra = [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", username),
            ("sasl.password", password),
        ];
        Self {
            brokers: brokers.into(),
            extra: extra
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    /// The same as settings of a program: `KAFKA_BROKERS` and every further `KAFKA_<NAME>`. The
    /// values include passwords.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let further = self.extra.iter().map(|(property, value)| {
            let name = property.to_uppercase().replace('.', "_");
            (format!("KAFKA_{name}"), value.clone())
        });
        std::iter::once(("KAFKA_BROKERS".to_owned(), self.brokers.clone()))
            .chain(further)
            .collect()
    }

    /// Reads `KAFKA_BROKERS` and every further `KAFKA_<NAME>`. Logs a warning for each unknown
    /// name; fixed properties are problems.
    pub fn read(settings: &mut Settings) -> Self {
        let brokers = settings.required(&BROKERS);
        Self::read_with(settings, brokers)
    }

    /// Records the problems of every `KAFKA_<NAME>`, for a program that may not need a cluster.
    pub fn check_given(settings: &mut Settings) {
        let brokers = settings.text(BROKERS).unwrap_or_default();
        Self::read_with(settings, brokers);
    }

    fn read_with(settings: &mut Settings, brokers: String) -> Self {
        let mut extra = Vec::new();
        for (name, value) in settings.with_prefix("KAFKA_") {
            if name == "BROKERS" {
                continue;
            }
            let full = format!("KAFKA_{name}");
            let property = name.to_lowercase().replace('_', ".");
            if FIXED.contains(&property.as_str()) {
                settings.problem(
                    &full,
                    format!("{property} cannot be changed: exactly-once counting rests on it"),
                );
                continue;
            }
            // librdkafka itself judges the property and its value.
            match ClientConfig::new()
                .set(&property, &value)
                .create_native_config()
            {
                Ok(_) => extra.push((property, value)),
                Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
                    if is_first(&full) {
                        warn!("{full} is ignored: librdkafka has no property {property}");
                    }
                }
                Err(KafkaError::ClientConfig(_, text, ..)) => {
                    settings.problem(&full, refusal(&property, &text));
                }
                Err(error) => settings.problem(&full, error.to_string()),
            }
        }
        let kafka = Self { brokers, extra };
        kafka.check(settings);
        kafka
    }

    /// Records settings that librdkafka refuses together, for example more requests in flight than
    /// an idempotent producer may have. librdkafka reports these only when a client is made.
    fn check(&self, settings: &mut Settings) {
        if self.extra.is_empty() {
            return;
        }
        let trial = |mut config: ClientConfig| {
            // The trial must not connect, join a group, or log about either.
            config
                .remove("bootstrap.servers")
                .remove("group.id")
                .set_log_level(RDKafkaLogLevel::Emerg);
            config
        };
        let producer = trial(self.producer()).create::<BaseProducer>().map(drop);
        let consumer = trial(self.consumer("")).create::<BaseConsumer>().map(drop);
        for made in [producer, consumer] {
            if let Err(KafkaError::ClientCreation(text)) = made {
                let name = self.blame(&text);
                let advice = advice(&text);
                settings.problem(&name, format!("cannot be used: {text}{advice}"));
            }
        }
    }

    /// The setting that a text of librdkafka is about; librdkafka puts property names between
    /// backticks.
    fn blame(&self, text: &str) -> String {
        let named: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        let is_meant = |property: &str| {
            // Some properties have a short name and a long one.
            let same = |name: &&str| property.starts_with(*name) || name.starts_with(property);
            named.iter().any(same)
        };
        let mut given = self.extra.iter().map(|(property, _)| property.as_str());
        let blamed = given.clone().find(|property| is_meant(property));
        let blamed = blamed.or_else(|| given.next().filter(|_| self.extra.len() == 1));
        blamed.map_or_else(
            || "KAFKA_BROKERS".to_owned(),
            |property| format!("KAFKA_{}", property.to_uppercase().replace('.', "_")),
        )
    }

    /// The bootstrap servers.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }
}

/// librdkafka's objection to a value. It may use the property's other name, so the given one
/// replaces it.
pub(super) fn refusal(property: &str, text: &str) -> String {
    let text = text.trim();
    let named = ["property \"", "value for \""]
        .into_iter()
        .find_map(|before| {
            let (start, rest) = text.split_once(before)?;
            let (_, end) = rest.split_once('"')?;
            Some(format!("{start}{before}{property}\"{end}"))
        });
    let text = named.as_deref().unwrap_or(text);
    format!("{text}{}", advice(text))
}

/// Advice for a text of librdkafka about a feature that its build lacks.
fn advice(text: &str) -> &'static str {
    let missing = [
        "not supported in this build",
        "not available at build time",
        "recompile librdkafka",
    ];
    if missing.iter().any(|words| text.contains(words)) {
        "; TLS and SASL need a build with `--features kafka-tls`"
    } else {
        ""
    }
}

/// True the first time that a name is ignored. Each part of a program reads the settings, and one
/// warning is enough.
pub(super) fn is_first(name: &str) -> bool {
    static IGNORED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut ignored = IGNORED.lock().unwrap_or_else(PoisonError::into_inner);
    ignored.insert(name.to_owned())
}

//! The settings of topics: their names, allowed values and defaults.
//!
//! The rule to keep: refuse a setting that the broker cannot honour, and never store it. Names are
//! Kafka's, and so are the defaults, except where this broker behaves differently.

use std::collections::BTreeMap;

use crate::store::CLEANUP_POLICY;

/// The default limit on the size of a batch.
const MAX_MESSAGE_BYTES: &str = "1048588";

/// The type and the allowed values of a setting.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, separated by commas.
    Words(&'static [&'static str]),
    Int(i64),
    Long(i64),
    Double,
    Boolean,
}

impl Kind {
    /// Kafka's number of the type, which clients display.
    pub(super) fn number(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::Word(_) => 2,
            Self::Int(_) => 3,
            Self::Long(_) => 5,
            Self::Double => 6,
            Self::Words(_) => 7,
        }
    }

    fn allows(self, value: &str) -> bool {
        match self {
            Self::Word(words) => words.contains(&value),
            Self::Words(words) => {
                let mut given = value.split(',').map(str::trim);
                given.all(|word| words.contains(&word))
            }
            Self::Int(least) => value
                .parse::<i32>()
                .is_ok_and(|value| i64::from(value) >= least),
            Self::Long(least) => value.parse::<i64>().is_ok_and(|value| value >= least),
            Self::Double => value
                .parse::<f64>()
                .is_ok_and(|value| (0.0..=1.0).contains(&value)),
            Self::Boolean => matches!(value, "true" | "false"),
        }
    }
}

/// A setting of topics.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    pub(super) kind: Kind,
}

const fn setting(name: &'static str, default: &'static str, kind: Kind) -> Setting {
    Setting {
        name,
        default,
        kind,
    }
}

/// All settings, by name.
pub(super) static SETTINGS: &[Setting] = &[
    setting(
        CLEANUP_POLICY,
        "delete",
        Kind::Words(&["delete", "compact"]),
    ),
    // Batches are stored as producers send them.
    setting("compression.type", "producer", Kind::Word(&["producer"])),
    setting("delete.retention.ms", "86400000", Kind::Long(0)),
    setting("file.delete.delay.ms", "60000", Kind::Long(0)),
    setting("flush.messages", "9223372036854775807", Kind::Long(1)),
    setting("flush.ms", "9223372036854775807", Kind::Long(0)),
    setting("index.interval.bytes", "4096", Kind::Int(0)),
    setting(
        "max.compaction.lag.ms",
        "9223372036854775807",
        Kind::Long(1),
    ),
    setting("max.message.bytes", MAX_MESSAGE_BYTES, Kind::Int(0)),
    setting(
        "message.timestamp.after.max.ms",
        "9223372036854775807",
        Kind::Long(0),
    ),
    setting(
        "message.timestamp.before.max.ms",
        "9223372036854775807",
        Kind::Long(0),
    ),
    setting(
        "message.timestamp.type",
        "CreateTime",
        Kind::Word(&["CreateTime"]),
    ),
    setting("min.cleanable.dirty.ratio", "0.5", Kind::Double),
    setting("min.compaction.lag.ms", "0", Kind::Long(0)),
    // There is one replica.
    setting("min.insync.replicas", "1", Kind::Word(&["1"])),
    setting("preallocate", "false", Kind::Boolean),
    // Stored and shown without effect: the log never removes records by age or size. Kafka's default is a week.
    setting("retention.bytes", "-1", Kind::Long(-1)),
    setting("retention.ms", "-1", Kind::Long(-1)),
    setting("segment.bytes", "1073741824", Kind::Int(14)),
    setting("segment.index.bytes", "10485760", Kind::Int(4)),
    setting("segment.jitter.ms", "0", Kind::Long(0)),
    setting("segment.ms", "604800000", Kind::Long(1)),
    setting("unclean.leader.election.enable", "false", Kind::Boolean),
];

/// The value of a setting that a topic was not given; empty for an unknown name.
pub(super) fn default_of(name: &str) -> &'static str {
    let found = SETTINGS.iter().find(|setting| setting.name == name);
    found.map_or("", |setting| setting.default)
}

/// Checks a setting. Returns a message for the client if it cannot be accepted.
pub(super) fn problem(name: &str, value: Option<&str>) -> Option<String> {
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
        return Some(format!("unknown topic setting {name}"));
    };
    let Some(value) = value else {
        return Some(format!("the topic setting {name} has no value"));
    };
    if setting.kind.allows(value) {
        return None;
    }
    Some(match setting.kind {
        Kind::Word(words) | Kind::Words(words) => format!(
            "this broker does not support {name}={value}; supported: {}",
            words.join(", ")
        ),
        _ => format!("invalid value for {name}: {value}"),
    })
}

/// The largest batch that a topic accepts, in bytes.
pub(super) fn max_message_bytes(configs: &BTreeMap<String, String>) -> usize {
    let given = configs.get("max.message.bytes").map(String::as_str);
    let value = given.unwrap_or(MAX_MESSAGE_BYTES);
    value.parse().unwrap_or(usize::MAX)
}

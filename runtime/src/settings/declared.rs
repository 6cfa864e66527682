//! Declares settings next to the code that reads them, and collects those of a whole program.

use crate::{
    metrics::Metric,
    throttle::{Limit, setting_name},
};
use std::fmt::Write;

/// One setting. The code that reads it declares it, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The name, in the environment and in the settings file.
    pub name: &'static str,
    /// The default, as text: a value, or words for people such as "none".
    pub default: &'static str,
    /// The meaning, in one line.
    pub help: &'static str,
    /// Whether the value is never shown.
    pub secret: bool,
    /// Text for `--help` instead of the default, in programs that do not supply the default.
    required: Option<&'static str>,
}

impl Setting {
    /// A setting with a default that holds in every program.
    #[must_use]
    pub const fn new(name: &'static str, default: &'static str, help: &'static str) -> Self {
        Self {
            name,
            default,
            help,
            secret: false,
            required: None,
        }
    }

    /// The same, with a value that is never shown.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    /// The same, with a default that only the all-in-one program supplies.
    #[must_use]
    pub const fn required(self) -> Self {
        self.required_by("[required]")
    }

    /// The same, with a text for `--help` in place of the default.
    #[must_use]
    pub const fn required_by(self, words: &'static str) -> Self {
        Self {
            required: Some(words),
            ..self
        }
    }
}

impl AsRef<str> for Setting {
    fn as_ref(&self) -> &str {
        self.name
    }
}

/// The settings and metrics of one part of a program.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its settings, in the order of `--help`.
    pub settings: &'static [Setting],
    /// Its metrics.
    pub metrics: &'static [Metric],
}

/// Whether a program supplies what its services require.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defaults {
    /// It does: a log, databases, secrets.
    BroughtAlong,
    /// It does not: they are required.
    Required,
}

/// The settings and metrics of all parts of a program.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    settings: Vec<Setting>,
    metrics: Vec<Metric>,
    elsewhere: Vec<&'static str>,
    shared_words: &'static [&'static str],
}

impl Declared {
    /// Collects the parts of a program. If several parts declare a setting or metric, the first one
    /// counts. `elsewhere` has the names of other programs' settings, one a line, because programs
    /// often share an environment or a settings file.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a Part>, elsewhere: &'static str) -> Self {
        let mut declared = Self {
            elsewhere: elsewhere.lines().collect(),
            ..Self::default()
        };
        for part in parts {
            for setting in part.settings {
                // Parts share declarations, such as those of the Kafka clients.
                if declared.find(setting.name).is_none() {
                    declared.settings.push(*setting);
                }
            }
            for metric in part.metrics {
                if !declared
                    .metrics
                    .iter()
                    .any(|known| known.name == metric.name)
                {
                    declared.metrics.push(*metric);
                }
            }
        }
        declared
    }

    /// The same, with first words of names that other software uses as well. After such a word,
    /// only a name that is nearly one of ours counts as a mistake. After any other first word,
    /// every unknown name does.
    #[must_use]
    pub fn sharing(self, shared_words: &'static [&'static str]) -> Self {
        Self {
            shared_words,
            ..self
        }
    }

    /// Whether other software uses names that begin with the word.
    pub(super) fn shares(&self, first_word: &str) -> bool {
        self.shared_words.contains(&first_word)
    }

    /// The settings that the program reads.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The metrics that the program records.
    #[must_use]
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The setting of that name, if the program reads it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// The names of all settings, those of other programs included.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.settings.iter().map(|setting| setting.name);
        own.chain(self.elsewhere.iter().copied())
    }

    /// Whether a name is a setting of any program, or of the two families `KAFKA_<...>` and
    /// `RATE_LIMIT_<...>`.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
            || name.starts_with("KAFKA_")
            || name.starts_with("RATE_LIMIT_")
    }

    /// The part of `--help` that explains the program's settings and limits.
    #[must_use]
    pub fn help(&self, defaults: Defaults, limits: &[Limit]) -> String {
        let mut text = String::from(
            "Settings (in the environment, or in the file that FOOTFALL_CONFIG names):\n",
        );
        for setting in &self.settings {
            let required = setting
                .required
                .filter(|_| defaults == Defaults::Required)
                .map(str::to_owned);
            let default = required.unwrap_or_else(|| format!("[default: {}]", setting.default));
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "  {}
      {} {default}",
                setting.name, setting.help
            );
        }
        if !limits.is_empty() {
            text.push_str("\nLimits, each as <count>/<seconds>, per user, address or id:\n");
            for limit in limits {
                let name = setting_name(limit.route);
                let _ = writeln!(
                    text,
                    "  {name} [default: {}/{}]",
                    limit.count, limit.seconds
                );
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: Setting = Setting::new("SHARED", "1", "a number");
    const KEY: Setting = Setting::new("KEY", "made", "a key").secret().required();
    const FIRST: Part = Part {
        settings: &[SHARED, KEY],
        metrics: &[],
    };
    const SECOND: Part = Part {
        settings: &[SHARED],
        metrics: &[],
    };

    #[test]
    fn a_setting_of_several_parts_is_listed_once_and_others_are_known_without_being_listed() {
        let declared = Declared::of([&FIRST, &SECOND], "ELSEWHERE\nKEY\n");
        assert_eq!(declared.settings(), [SHARED, KEY]);
        for known in ["SHARED", "ELSEWHERE", "KAFKA_X", "RATE_LIMIT_X"] {
            assert!(declared.is_known(known), "{known}");
        }
        assert!(!declared.is_known("OTHER"));
        assert!(declared.find("ELSEWHERE").is_none());
    }

    #[test]
    fn help_shows_what_a_program_supplies_and_what_it_requires() {
        let declared = Declared::of([&FIRST], "");
        let alone = declared.help(Defaults::Required, &[]);
        assert!(alone.contains("  KEY\n      a key [required]\n"), "{alone}");
        assert!(alone.contains("a number [default: 1]\n"), "{alone}");
        let whole = declared.help(Defaults::BroughtAlong, &[]);
        assert!(whole.contains("a key [default: made]\n"), "{whole}");
    }
}

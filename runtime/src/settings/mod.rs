//! Settings: flags over environment over file, read by name, every problem reported at once.
//!
//! The code that reads a setting declares it as a [`Setting`]. The one rule: a service reads all
//! its settings into its own config and then calls [`Settings::finish`]; nothing reads the
//! environment later.

mod declared;
pub(crate) mod names;

pub use declared::{Declared, Defaults, Part, Setting};

use crate::toml_text;
use names::Name;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::{self, Display},
    fs,
    path::Path,
    str::FromStr,
    sync::Arc,
};
use thiserror::Error;

/// The settings file.
const FILE: Setting = Setting::new(
    "FOOTFALL_CONFIG",
    "none",
    "TOML file with these settings; flags and environment override it",
);

/// The setting of this module.
pub const PART: Part = Part {
    settings: &[FILE],
    metrics: &[],
};

/// The given settings, and the problems of those read so far.
#[derive(Clone, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
    problems: Vec<Problem>,
    declared: Arc<Declared>,
}

/// Without the secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("values", &self.redacted())
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting.
    pub name: String,
    /// The mistake, and a valid alternative. Never repeats a secret.
    pub what: String,
}

/// All problems of a start, after which the program exits with 2.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Problems(pub Vec<Problem>);

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0.len() == 1 {
            "setting cannot"
        } else {
            "settings cannot"
        };
        write!(f, "{} {noun} be used:", self.0.len())?;
        for problem in &self.0 {
            write!(f, "\n  {}: {}", problem.name, problem.what)?;
        }
        Ok(())
    }
}

impl Settings {
    /// The settings of this process, for a program that declares these. `flags` come first, then
    /// the environment, then the TOML file that `FOOTFALL_CONFIG` names. An empty value counts as
    /// absent, so the next source applies. An unknown name that looks like a setting is a problem.
    #[must_use]
    pub fn load(declared: Declared, flags: &[(&str, Option<String>)]) -> Self {
        Self::of(declared, flags, std::env::vars_os())
    }

    fn of(
        declared: Declared,
        flags: &[(&str, Option<String>)],
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Self {
        let mut settings = Self {
            declared: Arc::new(declared),
            ..Self::default()
        };
        let declared = Arc::clone(&settings.declared);
        let mut given = BTreeMap::new();
        for (name, value) in environment {
            // Names of settings are always text, so this one is another program's.
            let Ok(name) = name.into_string() else {
                continue;
            };
            // An empty variable counts as absent, also one with an unknown name.
            if value.to_str().is_some_and(is_empty) {
                continue;
            }
            match (names::look_at(&name, &declared), value.into_string()) {
                (Name::Foreign, _) => {}
                (Name::Mistaken, _) => {
                    let hint = names::hint(&name, declared.names());
                    settings.problem(&name, format!("is not a setting; {hint}"));
                }
                (Name::Setting, Ok(value)) => {
                    given.insert(name, value);
                }
                (Name::Setting, Err(_)) => settings.problem(&name, "must be text in UTF-8"),
            }
        }
        // In this order, so that the environment overrides the file, and flags override both.
        if let Some(path) = given.get(FILE.name) {
            settings.read_file(Path::new(path));
        }
        settings.values.extend(given);
        let flags = flags
            .iter()
            .filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
        settings
            .values
            .extend(flags.filter(|(_, value)| !is_empty(value)));
        settings
    }

    /// Exactly these settings. For tests, and for programs that combine services.
    #[must_use]
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let values = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self {
            values,
            ..Self::default()
        }
    }

    /// Sets a value unless one was given.
    pub fn set_default(&mut self, name: impl AsRef<str>, value: impl Into<String>) {
        self.values
            .entry(name.as_ref().to_owned())
            .or_insert_with(|| value.into());
    }

    /// Sets a value, even if another one was given.
    pub fn set(&mut self, name: impl AsRef<str>, value: impl Into<String>) {
        self.values.insert(name.as_ref().to_owned(), value.into());
    }

    fn read_file(&mut self, path: &Path) {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return self.problem(FILE, format!("{} cannot be read: {error}", path.display()));
            }
        };
        let table = match toml_text::parse(&text) {
            Ok(table) => table,
            Err(error) => {
                return self.problem(FILE, format!("{} cannot be used: {error}", path.display()));
            }
        };
        let declared = Arc::clone(&self.declared);
        for (name, value) in table {
            // Keys of a TOML file are usually in lower case.
            let name = name.to_uppercase();
            if !declared.is_known(&name) {
                let hint = names::hint(&name, declared.names());
                let what = format!("is not a setting; {hint} (in {})", path.display());
                self.problem(&name, what);
                continue;
            }
            match value {
                toml::Value::String(text) if is_empty(&text) => {}
                toml::Value::String(text) => {
                    self.values.insert(name, text);
                }
                toml::Value::Integer(number) => {
                    self.values.insert(name, number.to_string());
                }
                toml::Value::Boolean(switch) => {
                    self.values.insert(name, switch.to_string());
                }
                _ => self.problem(&name, "must be a text, a whole number, true or false"),
            }
        }
    }

    /// The text of a setting, if given.
    #[must_use]
    pub fn text(&self, name: impl AsRef<str>) -> Option<String> {
        self.values
            .get(name.as_ref())
            .filter(|value| !is_empty(value))
            .cloned()
    }

    /// The text of a required setting.
    pub fn required(&mut self, setting: &Setting) -> String {
        self.text(setting).unwrap_or_else(|| {
            self.problem(setting, format!("is missing; {}", setting.help));
            String::new()
        })
    }

    /// The value of a setting, or its default if it was not given. An invalid value is a problem,
    /// in which `right` says what would be valid ("a number of seconds").
    pub fn parse<T: FromStr + Default>(&mut self, setting: &Setting, right: &str) -> T {
        let text = self.text(setting);
        let text = text.as_deref().unwrap_or(setting.default);
        text.trim().parse().unwrap_or_else(|_| {
            let shown = shown(Some(setting), text);
            self.problem(setting, format!("is {shown}; give {right}"));
            T::default()
        })
    }

    /// Reads a setting with a function whose error becomes the text of the problem.
    pub fn parse_with<T, E: Display>(
        &mut self,
        name: impl AsRef<str>,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name.as_ref())?;
        match read(text.trim()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(name, error.to_string());
                None
            }
        }
    }

    /// The same for a required setting.
    pub fn required_with<T, E: Display>(
        &mut self,
        setting: &Setting,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let given = !self.required(setting).is_empty();
        given.then(|| self.parse_with(setting, read)).flatten()
    }

    /// Every setting whose name begins with `prefix`, without the prefix, in order of name.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> Vec<(String, String)> {
        let below = |(name, value): (&String, &String)| {
            Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))
        };
        let given = self.values.iter().filter(|(_, value)| !is_empty(value));
        given.filter_map(below).collect()
    }

    /// Records a problem, with which the program does not start. A problem that several services
    /// find in the same setting is recorded once.
    pub fn problem(&mut self, name: impl AsRef<str>, what: impl Into<String>) {
        let problem = Problem {
            name: name.as_ref().to_owned(),
            what: what.into(),
        };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Ends reading.
    ///
    /// # Errors
    /// All [`Problems`] recorded so far.
    pub fn finish(&self) -> Result<(), Problems> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Problems(self.problems.clone()))
        }
    }

    /// The given settings, one `NAME=value` each, with secrets hidden. For the log at the start.
    #[must_use]
    pub fn redacted(&self) -> Vec<String> {
        self.values
            .iter()
            .map(|(name, value)| format!("{name}={}", shown(self.declared.find(name), value)))
            .collect()
    }
}

/// An empty value counts as absent.
fn is_empty(value: &str) -> bool {
    value.trim().is_empty()
}

/// A value for people, unless it is secret. An undeclared setting may be secret too.
fn shown(setting: Option<&Setting>, value: &str) -> String {
    if setting.is_none_or(|setting| setting.secret) {
        "(hidden)".to_owned()
    } else {
        format!("{value:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Setting = Setting::new("KEY", "none", "a key").secret();
    const SHOE: Setting = Setting::new("SHOE", "none", "a shoe");

    fn declared() -> Declared {
        const OWN: Part = Part {
            settings: &[KEY, SHOE],
            metrics: &[],
        };
        let elsewhere = "FOOTFALL_LISTEN\nJWT_ISSUER\nJWT_AUDIENCE\nPUBLIC_URL\nINGEST_LISTEN\nHTTP_IDLE_TIMEOUT";
        Declared::of([&PART, &OWN], elsewhere).sharing(&["HTTP"])
    }

    #[test]
    fn every_problem_names_its_setting_and_a_valid_value() {
        const BYTES: Setting = Setting::new("MOST_BYTES", "10000", "most bytes");
        let mut settings = Settings::default();
        assert_eq!(settings.parse::<u32>(&BYTES, "a number of bytes"), 10_000);
        assert_eq!(settings.finish(), Ok(()));
        settings.set(BYTES, "many");
        settings.set(KEY, "");
        settings.parse::<u32>(&BYTES, "a number of bytes");
        settings.required(&KEY);
        settings.required(&KEY);
        let text = settings.finish().unwrap_err().to_string();
        assert!(text.starts_with("2 settings cannot be used:"), "{text}");
        assert!(
            text.contains("MOST_BYTES: is \"many\"; give a number of bytes"),
            "{text}"
        );
        assert!(text.contains("KEY: is missing; a key"), "{text}");
    }

    fn load(flags: &[(&str, Option<String>)], environment: &[(&str, &str)]) -> Settings {
        let environment = environment.iter();
        let environment = environment.map(|(name, value)| ((*name).into(), (*value).into()));
        Settings::of(declared(), flags, environment)
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn an_empty_value_counts_as_absent_in_every_source() {
        let file =
            file("public_url = \"http://file\"\nJWT_ISSUER = \"file\"\nJWT_AUDIENCE = \" \"");
        let config = file.path().to_str().unwrap();
        let flag = |value: &str| [("PUBLIC_URL", Some(value.to_owned()))];
        let environment = [
            ("FOOTFALL_CONFIG", config),
            ("PUBLIC_URL", "http://environment"),
            ("JWT_ISSUER", ""),
        ];
        let settings = load(&flag("http://flag"), &environment);
        assert_eq!(settings.text("PUBLIC_URL").as_deref(), Some("http://flag"));
        assert_eq!(settings.text("JWT_ISSUER").as_deref(), Some("file"));
        assert_eq!(settings.text("JWT_AUDIENCE"), None);
        let settings = load(&flag(""), &environment);
        let url = settings.text("PUBLIC_URL");
        assert_eq!(url.as_deref(), Some("http://environment"));
        let empty = [("FOOTFALL_CONFIG", config), ("PUBLIC_URL", " ")];
        let url = load(&flag(""), &empty).text("PUBLIC_URL");
        assert_eq!(url.as_deref(), Some("http://file"));
        assert_eq!(settings.finish(), Ok(()));
        assert_eq!(load(&[], &[("FOOTFALL_CONFIG", "")]).finish(), Ok(()));
    }

    #[test]
    fn an_unknown_name_that_looks_like_a_setting_is_a_problem() {
        let file = file("public_urll = \"x\"\nSHOE_SIZE = 44");
        let environment = [
            ("FOOTFALL_CONFIG", file.path().to_str().unwrap()),
            ("FOOTFALL_LISTENN", "127.0.0.1:1"),
            ("JWT_EXPIRY", "1h"),
            // Fine: another of our programs' settings, another vendor's, and an empty one.
            ("INGEST_LISTEN", "127.0.0.1:1"),
            ("HTTP_PROXY", "http://proxy"),
            ("FOOTFALL_COLOUR", ""),
        ];
        let text = load(&[], &environment).finish().unwrap_err().to_string();
        for said in [
            "4 settings cannot be used:",
            "\n  FOOTFALL_LISTENN: is not a setting; the nearest one is FOOTFALL_LISTEN\n",
            "\n  JWT_EXPIRY: is not a setting; `--help` lists the settings\n",
            "\n  PUBLIC_URLL: is not a setting; the nearest one is PUBLIC_URL (in ",
            "\n  SHOE_SIZE: is not a setting; `--help` lists the settings (in ",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
    }

    #[test]
    fn secrets_are_never_shown() {
        let settings = load(
            &[],
            &[
                ("KEY", "hunter2"),
                ("KAFKA_SASL_PASSWORD", "hunter2"),
                ("SHOE", "44"),
            ],
        );
        let redacted = settings.redacted().join(" ");
        assert!(!redacted.contains("hunter2") && redacted.contains("SHOE=\"44\""));
        assert!(!format!("{settings:?}").contains("hunter2"));
        let mut settings = settings;
        let _: u32 = settings.parse(&KEY, "a number");
        assert!(
            !settings
                .finish()
                .unwrap_err()
                .to_string()
                .contains("hunter2")
        );
    }
}

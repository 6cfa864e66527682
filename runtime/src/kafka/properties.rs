//! Connection settings as a properties file, which kcat and the tools of other clients read.

use super::KafkaSettings;
use std::fmt::Write as _;

/// Parts of property names whose values are secrets: passwords, private keys, tokens.
const SECRET: [&str; 5] = ["password", "secret", "pem", "jaas", "token"];
const BROKERS: &str = "bootstrap.servers";

/// Why a properties text cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertiesError {
    /// A line is neither empty, nor a comment, nor `name=value`. It is not shown, because it may be
    /// a secret.
    #[error("line {0} is not `name=value`")]
    Line(usize),
    /// `bootstrap.servers` is missing.
    #[error("it does not name bootstrap.servers")]
    NoBrokers,
}

/// Which values the text may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// All of them.
    Included,
    /// None of them; a comment names the setting instead.
    LeftOut,
}

/// The settings as a properties text, one on each line.
#[must_use]
pub fn write(kafka: &KafkaSettings, secrets: Secrets) -> String {
    let mut text = format!("{BROKERS}={}\n", kafka.brokers);
    for (name, value) in &kafka.extra {
        let is_secret = SECRET.iter().any(|part| name.contains(part));
        // A value of several lines, such as a certificate, has no form that all readers share.
        if value.contains(['\n', '\r']) || (is_secret && secrets == Secrets::LeftOut) {
            let setting = name.to_uppercase().replace('.', "_");
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "# {name} comes from KAFKA_{setting} and is not stored here"
            );
        } else {
            let _ = writeln!(text, "{name}={value}");
        }
    }
    text
}

/// Reads the settings in a properties text.
///
/// # Errors
/// [`PropertiesError`], which shows no value.
pub fn read(text: &str) -> Result<KafkaSettings, PropertiesError> {
    let mut kafka = KafkaSettings::new("");
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .ok_or(PropertiesError::Line(index + 1))?;
        let (name, value) = (name.trim(), value.trim());
        if name == BROKERS {
            value.clone_into(&mut kafka.brokers);
        } else {
            kafka.extra.push((name.to_owned(), value.to_owned()));
        }
    }
    if kafka.brokers.is_empty() {
        return Err(PropertiesError::NoBrokers);
    }
    Ok(kafka)
}

/// The value of a property in a properties text.
#[must_use]
pub fn value(text: &str, name: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(found, _)| found.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_settings_are_read_back() {
        let kafka = KafkaSettings::with_login("127.0.0.1:9092", "footfall", "a=b c#d");
        let text = write(&kafka, Secrets::Included);
        let read = read(&text).unwrap();
        assert_eq!(
            (read.brokers, read.extra),
            (kafka.brokers.clone(), kafka.extra.clone())
        );
        assert_eq!(value(&text, "sasl.password").unwrap(), "a=b c#d");
    }

    #[test]
    fn secrets_and_certificates_of_a_given_cluster_stay_out() {
        let mut kafka = KafkaSettings::with_login("broker:9093", "ada", "hunter2");
        for (name, value) in [
            ("ssl.key.password", "hunter3"),
            ("ssl.key.pem", "-----BEGIN"),
            ("sasl.oauthbearer.client.secret", "hunter4"),
            ("ssl.certificate.location", "/etc/cert"),
        ] {
            kafka.extra.push((name.to_owned(), value.to_owned()));
        }
        let text = write(&kafka, Secrets::LeftOut);
        assert!(
            !text.contains("hunter") && !text.contains("BEGIN"),
            "{text}"
        );
        assert!(text.contains("sasl.username=ada\n"), "{text}");
        assert!(
            text.contains("ssl.certificate.location=/etc/cert\n"),
            "{text}"
        );
        assert!(
            text.contains("# sasl.password comes from KAFKA_SASL_PASSWORD"),
            "{text}"
        );
    }

    #[test]
    fn an_invalid_line_is_reported_by_its_number_only() {
        let error = read("bootstrap.servers=a:1\nhunter2\n").unwrap_err();
        assert_eq!(error, PropertiesError::Line(2));
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(read("# nothing\n").unwrap_err(), PropertiesError::NoBrokers);
    }
}

//! Compares the fingerprints of our secrets with those of the secrets that the log was made with.
//!
//! The one rule: a start with foreign secrets is refused unless the operator accepts them. Ids and
//! hashes made with them would look like the log's own but match no known visit or visitor.

use super::Directory;
use crate::{secrets, sink::NotDurable};
use runtime::{Producer, producer::Record};
use schemas::{
    directory::{Entry, SecretFingerprints},
    topics::DIRECTORY,
};
use thiserror::Error;
use tracing::warn;

/// The result of comparing our fingerprints with those in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They are equal.
    Same,
    /// The log has none, or ours continue or replace them.
    Publish,
    /// In these settings, they share no key with ours.
    Strangers(Vec<&'static str>),
}

/// Why the fingerprints end a start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FingerprintError {
    /// The log was made with other secrets.
    #[error(
        "{} not match this log: start with the log's secrets (a rotation is `<new>,<old>`), or accept the new ones \
         with --accept-new-secrets. Known visitors then count as new, and existing ids become invalid",
        names(.0)
    )]
    Strangers(Vec<&'static str>),
    /// Our fingerprints could not be written.
    #[error("the fingerprints of the secrets could not be written to the directory: {0}")]
    Unwritten(String),
}

fn names(settings: &[&str]) -> String {
    let verb = if settings.len() == 1 { "does" } else { "do" };
    format!("{} {verb}", settings.join(", "))
}

/// Compares the fingerprints in the log with the given ones.
#[must_use]
pub fn compare(
    stored: Option<&SecretFingerprints>,
    given: &SecretFingerprints,
    accept_new: bool,
) -> Comparison {
    let Some(stored) = stored else {
        return Comparison::Publish;
    };
    if stored == given {
        return Comparison::Same;
    }
    let strangers = secrets::strangers(stored, given);
    if strangers.is_empty() || accept_new {
        Comparison::Publish
    } else {
        Comparison::Strangers(strangers)
    }
}

/// Makes the fingerprints in the log ours. The directory must have been read to its end.
///
/// # Errors
/// [`FingerprintError`] when those in the log are foreign, or ours could not be written.
pub async fn settle(
    directory: &Directory,
    given: &SecretFingerprints,
    accept_new: bool,
    producer: &Producer,
) -> Result<(), FingerprintError> {
    match compare(directory.secrets().as_ref(), given, accept_new) {
        Comparison::Same => Ok(()),
        Comparison::Strangers(settings) => Err(FingerprintError::Strangers(settings)),
        Comparison::Publish => {
            if directory.secrets().is_some() {
                warn!(
                    "the secrets differ from those of the last start and are accepted (rotation or --accept-new-secrets)"
                );
            }
            let entry = Entry::Secrets(given.clone());
            publish(&entry, producer)
                .await
                .map_err(|error| FingerprintError::Unwritten(error.to_string()))?;
            // The feed reads this entry back later. Until then the guard must not see the former
            // secrets.
            directory.apply(entry);
            Ok(())
        }
    }
}

async fn publish(entry: &Entry, producer: &Producer) -> Result<(), NotDurable> {
    let payload = serde_json::to_vec(entry).map_err(|error| NotDurable(error.to_string()))?;
    let record = Record {
        topic: DIRECTORY,
        key: &entry.key(),
        payload: &payload,
        headers: &[],
    };
    match producer.send(&[record]).await.pop() {
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(NotDurable(error.to_string())),
        None => Err(NotDurable("no delivery report".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prints(id: &[&str]) -> SecretFingerprints {
        SecretFingerprints {
            tracking: vec!["t".to_owned()],
            id: id.iter().map(|&text| text.to_owned()).collect(),
            visitor: vec!["v".to_owned()],
        }
    }

    #[test]
    fn a_new_log_and_a_rotation_are_published_and_foreign_secrets_only_when_accepted() {
        let stored = prints(&["a"]);
        assert_eq!(compare(None, &stored, false), Comparison::Publish);
        assert_eq!(compare(Some(&stored), &stored, false), Comparison::Same);
        let rotated = prints(&["b", "a"]);
        assert_eq!(compare(Some(&stored), &rotated, false), Comparison::Publish);
        let other = prints(&["b"]);
        assert_eq!(
            compare(Some(&stored), &other, false),
            Comparison::Strangers(vec!["ID_SECRET"])
        );
        assert_eq!(compare(Some(&stored), &other, true), Comparison::Publish);
        let text = FingerprintError::Strangers(vec!["ID_SECRET"]).to_string();
        assert!(text.starts_with("ID_SECRET does not match"), "{text}");
        assert!(text.contains("--accept-new-secrets"), "{text}");
    }
}

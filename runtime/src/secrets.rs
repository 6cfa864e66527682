//! The three secrets that ingest works with, and the fingerprints that stand beside a log.

use crate::Settings;
use schemas::{Keyring, directory::SecretFingerprints};

/// Tracking tokens, ids and visitor hashes each have a secret of their own.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Of tracking tokens.
    pub tracking: Keyring,
    /// Of session and page-view ids.
    pub id: Keyring,
    /// Of visitor hashes; exactly one, since another makes every visitor a stranger.
    pub visitor: Keyring,
}

impl Secrets {
    /// Reads the three; `None` when one is missing or wrong, which is then noted as a problem.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let tracking = read_one(settings, "TRACKING_HMAC_SECRET");
        let id = read_one(settings, "ID_SECRET");
        let visitor = read_one(settings, "VISITOR_HASH_SECRET");
        if visitor
            .as_ref()
            .is_some_and(|ring| ring.fingerprints().len() > 1)
        {
            settings.problem(
                "VISITOR_HASH_SECRET",
                "has two secrets; visitor hashes have exactly one, for as long as the log lives",
            );
            return None;
        }
        Some(Self {
            tracking: tracking?,
            id: id?,
            visitor: visitor?,
        })
    }

    /// What is kept with the log, so that a start with other secrets is noticed.
    #[must_use]
    pub fn fingerprints(&self) -> SecretFingerprints {
        SecretFingerprints {
            tracking: self.tracking.fingerprints(),
            id: self.id.fingerprints(),
            visitor: self.visitor.fingerprints(),
        }
    }
}

/// Reads `TRACKING_HMAC_SECRET` alone, for programs that only make tokens.
pub fn read_tracking(settings: &mut Settings) -> Option<Keyring> {
    read_one(settings, "TRACKING_HMAC_SECRET")
}

fn read_one(settings: &mut Settings, name: &str) -> Option<Keyring> {
    let text = settings.required(name);
    if text.is_empty() {
        return None;
    }
    settings.parse_with(name, Keyring::parse)
}

/// The settings whose stored fingerprints share no key with the given ones. A rotation keeps the
/// old key in the ring, so it shares one.
#[must_use]
pub fn strangers(stored: &SecretFingerprints, given: &SecretFingerprints) -> Vec<&'static str> {
    let pairs = [
        ("TRACKING_HMAC_SECRET", &stored.tracking, &given.tracking),
        ("ID_SECRET", &stored.id, &given.id),
        ("VISITOR_HASH_SECRET", &stored.visitor, &given.visitor),
    ];
    pairs
        .into_iter()
        .filter(|(_, stored, given)| !stored.iter().any(|key| given.contains(key)))
        .map(|(name, ..)| name)
        .collect()
}

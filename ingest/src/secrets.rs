//! The three secrets that ingest works with, and the fingerprints that stand beside a log.

use runtime::{Settings, settings::Setting};
use schemas::{Keyring, directory::SecretFingerprints};

/// Of tracking tokens.
pub const TRACKING: Setting = Setting::new(
    "TRACKING_HMAC_SECRET",
    "made at first start",
    "secret of tracking tokens, `<new>` or `<new>,<old>`",
)
.secret()
.required();
/// Of session and page-view ids.
pub const ID: Setting = Setting::new(
    "ID_SECRET",
    "made at first start",
    "secret of session and page-view ids, `<new>` or `<new>,<old>`",
)
.secret()
.required();
/// Of visitor hashes.
pub const VISITOR: Setting = Setting::new(
    "VISITOR_HASH_SECRET",
    "made at first start",
    "secret of visitor hashes; a new one makes every visitor a stranger",
)
.secret()
.required();

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
        let tracking = settings.required_with(&TRACKING, Keyring::parse);
        let id = settings.required_with(&ID, Keyring::parse);
        let visitor = settings.required_with(&VISITOR, Keyring::parse);
        if visitor
            .as_ref()
            .is_some_and(|ring| ring.fingerprints().len() > 1)
        {
            settings.problem(
                VISITOR,
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

/// The settings whose stored fingerprints share no key with the given ones. A rotation keeps the
/// old key in the ring, so it shares one.
#[must_use]
pub fn strangers(stored: &SecretFingerprints, given: &SecretFingerprints) -> Vec<&'static str> {
    let pairs = [
        (TRACKING.name, &stored.tracking, &given.tracking),
        (ID.name, &stored.id, &given.id),
        (VISITOR.name, &stored.visitor, &given.visitor),
    ];
    pairs
        .into_iter()
        .filter(|(_, stored, given)| !stored.iter().any(|key| given.contains(key)))
        .map(|(name, ..)| name)
        .collect()
}

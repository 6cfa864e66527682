//! Reads ingest's three secrets and compares their fingerprints with those stored in the log.

use runtime::{Settings, settings::Setting};
use schemas::{Keyring, directory::SecretFingerprints};

/// Secret of tracking tokens.
pub const TRACKING: Setting = Setting::new(
    "TRACKING_HMAC_SECRET",
    "generated at the first start",
    "secret of tracking tokens, `<new>` or `<new>,<old>`",
)
.secret()
.required();
/// Secret of session and page-view ids.
pub const ID: Setting = Setting::new(
    "ID_SECRET",
    "generated at the first start",
    "secret of session, page-view and click ids, `<new>` or `<new>,<old>`",
)
.secret()
.required();
/// Secret of visitor hashes.
pub const VISITOR: Setting = Setting::new(
    "VISITOR_HASH_SECRET",
    "generated at the first start",
    "secret of visitor hashes; after a change, every known visitor counts as new",
)
.secret()
.required();

/// The secrets of tracking tokens, ids and visitor hashes.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// For tracking tokens.
    pub tracking: Keyring,
    /// For session and page-view ids.
    pub id: Keyring,
    /// For visitor hashes. Exactly one, because a new secret makes every known visitor a new one.
    pub visitor: Keyring,
}

impl Secrets {
    /// Reads the three secrets. `None` means that one is missing or invalid, which is then recorded
    /// as a problem.
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
                "must be exactly one secret, which stays the same for the life of the log",
            );
            return None;
        }
        Some(Self {
            tracking: tracking?,
            id: id?,
            visitor: visitor?,
        })
    }

    /// The fingerprints to store in the log, so that a start with other secrets is detected.
    #[must_use]
    pub fn fingerprints(&self) -> SecretFingerprints {
        SecretFingerprints {
            tracking: self.tracking.fingerprints(),
            id: self.id.fingerprints(),
            visitor: self.visitor.fingerprints(),
        }
    }
}

/// The settings whose stored fingerprints share no key with the given ones. After a rotation they
/// share one, because the ring keeps the old key.
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

//! Signing secrets of webhooks: drawn, shown once, encrypted in the database.
//!
//! A key is only compared, so its hash is enough. A signing secret must be read for each delivery. It
//! is encrypted with ChaCha20-Poly1305 under a key that follows from `ID_SECRET`, so a copy of the
//! database alone signs nothing.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use runtime::IdSource;
use schemas::Keyring;
use std::fmt;
use uuid::Uuid;

/// The beginning of a secret as it is shown.
const START: &str = "whsec_";
/// Bytes of a secret.
const BYTES: usize = 32;
/// What the keys are for.
const PURPOSE: &str = "secrets of webhooks";

/// A signing secret. Not `Debug`, so that no log line can contain one.
pub(crate) struct Secret([u8; BYTES]);

impl Secret {
    /// Draws a secret.
    pub(crate) fn draw(ids: &dyn IdSource) -> Self {
        let mut bytes = [0; BYTES];
        let drawn = [ids.random_16(), ids.random_16()].into_iter().flatten();
        for (byte, drawn) in bytes.iter_mut().zip(drawn) {
            *byte = drawn;
        }
        Self(bytes)
    }

    /// The secret as its owner gets it: `whsec_` and base64.
    pub(crate) fn reveal(&self) -> String {
        format!("{START}{}", STANDARD.encode(self.bytes()))
    }

    /// The key of its signatures.
    pub(crate) const fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Encrypts secrets with the newest key, and reads those of every key.
#[derive(Clone)]
pub(crate) struct Vault {
    /// Newest first.
    keys: Vec<[u8; 32]>,
}

/// Without the keys.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault whose keys follow from the secrets of an installation.
    pub(crate) fn new(installation: &Keyring) -> Self {
        Self {
            keys: installation.derive(PURPOSE),
        }
    }

    /// A webhook's secret as it is stored; `None` only without any key.
    pub(crate) fn seal(
        &self,
        secret: &Secret,
        webhook: Uuid,
        ids: &dyn IdSource,
    ) -> Option<Vec<u8>> {
        let key = aead(self.keys.first()?)?;
        let random = ids.random_16();
        let (nonce, _) = random.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = secret.bytes().to_vec();
        // Bound to the webhook, so that a row's secret cannot be moved to another row.
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(webhook.as_bytes()),
            &mut sealed,
        )
        .ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// Reads a stored secret of a webhook; `None` when it was encrypted under an unknown key.
    pub(crate) fn open(&self, stored: &[u8], webhook: Uuid) -> Option<Secret> {
        let (nonce, sealed) = stored.split_first_chunk::<NONCE_LEN>()?;
        self.keys.iter().find_map(|key| {
            let mut sealed = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let aad = Aad::from(webhook.as_bytes());
            let opened = aead(key)?.open_in_place(nonce, aad, &mut sealed).ok()?;
            Some(Secret((&*opened).try_into().ok()?))
        })
    }
}

impl Vault {
    /// A stored secret encrypted under the newest key; `None` when it is already, or cannot be read.
    pub(crate) fn renew(
        &self,
        stored: &[u8],
        webhook: Uuid,
        ids: &dyn IdSource,
    ) -> Option<Vec<u8>> {
        let newest = Self {
            keys: self.keys.first().copied().into_iter().collect(),
        };
        if newest.open(stored, webhook).is_some() {
            return None;
        }
        let secret = self.open(stored, webhook)?;
        self.seal(&secret, webhook, ids)
    }
}

fn aead(key: &[u8; 32]) -> Option<LessSafeKey> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).ok()?;
    Some(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::SeededIds;

    const OLD: &str = "the-first-secret-of-this-test-0123456789";
    const NEW: &str = "the-second-secret-of-this-test-0123456789";

    fn vault(secrets: &str) -> Vault {
        Vault::new(&Keyring::parse(secrets).unwrap())
    }

    #[test]
    fn a_secret_has_the_form_of_the_specification_and_is_new_each_time() {
        let ids = SeededIds::new(1);
        let [one, other] = [Secret::draw(&ids), Secret::draw(&ids)];
        let shown = one.reveal();
        let encoded = shown.strip_prefix("whsec_").unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap(), one.bytes());
        assert_ne!(one.bytes(), other.bytes());
    }

    #[test]
    fn a_stored_secret_is_readable_with_its_installation_and_its_webhook_only() {
        let ids = SeededIds::new(1);
        let (webhook, secret) = (Uuid::from_u128(7), Secret::draw(&ids));
        let stored = vault(OLD).seal(&secret, webhook, &ids).unwrap();
        let part = &stored[NONCE_LEN..NONCE_LEN + 8];
        assert!(!secret.bytes().windows(8).any(|bytes| bytes == part));
        assert_ne!(vault(OLD).seal(&secret, webhook, &ids).unwrap(), stored);
        let opened = vault(OLD).open(&stored, webhook).unwrap();
        assert_eq!(opened.bytes(), secret.bytes());
        assert!(vault(NEW).open(&stored, webhook).is_none());
        assert!(vault(OLD).open(&stored, Uuid::from_u128(8)).is_none());
        let mut changed = stored.clone();
        changed[NONCE_LEN] ^= 1;
        assert!(vault(OLD).open(&changed, webhook).is_none());
        assert!(vault(OLD).open(&stored[..5], webhook).is_none());
    }

    #[test]
    fn a_secret_outlives_a_rotation_of_the_installation() {
        let ids = SeededIds::new(1);
        let (webhook, secret) = (Uuid::from_u128(7), Secret::draw(&ids));
        let stored = vault(OLD).seal(&secret, webhook, &ids).unwrap();
        let opened = vault(&format!("{NEW},{OLD}")).open(&stored, webhook);
        let opened = opened.unwrap();
        assert_eq!(opened.bytes(), secret.bytes());
        let both = vault(&format!("{NEW},{OLD}"));
        let renewed = both.renew(&stored, webhook, &ids).unwrap();
        let opened = vault(NEW).open(&renewed, webhook).unwrap();
        assert_eq!(opened.bytes(), secret.bytes());
        assert!(both.renew(&renewed, webhook, &ids).is_none());
        assert!(vault(NEW).renew(&stored, webhook, &ids).is_none());
    }
}

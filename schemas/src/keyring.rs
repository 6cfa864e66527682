//! Secrets that can be replaced without an interruption: the newest signs, all verify.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use thiserror::Error;

/// HMAC-SHA256 with its key already absorbed; cloning it is cheaper than keying it again.
pub type KeyedHash = Hmac<Sha256>;

/// Minimum length of a secret: that of 128 random bits in hexadecimal.
pub const MIN_SECRET_CHARS: usize = 32;

/// One or two secrets, newest first. `Debug` shows fingerprints, never a secret.
#[derive(Clone)]
pub struct Keyring {
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    keyed: KeyedHash,
    fingerprint: String,
}

/// Why a text is not a valid keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyringError {
    /// No secret at all.
    #[error(
        "is empty; give at least {MIN_SECRET_CHARS} random characters, for example from `openssl rand -hex 32`"
    )]
    Empty,
    /// A secret below [`MIN_SECRET_CHARS`].
    #[error(
        "is too short; give at least {MIN_SECRET_CHARS} random characters, for example from `openssl rand -hex 32`"
    )]
    TooShort,
    /// More than `<new>,<old>`.
    #[error("has more than two secrets; give `<new>` or `<new>,<old>`")]
    TooMany,
}

impl Keyring {
    /// Parses `<new>` or `<new>,<old>`.
    ///
    /// # Errors
    /// [`KeyringError`] names the broken rule without repeating the text.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let secrets: Vec<&str> = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        match secrets.len() {
            0 => Err(KeyringError::Empty),
            1 | 2 => {
                if secrets
                    .iter()
                    .any(|secret| secret.chars().count() < MIN_SECRET_CHARS)
                {
                    return Err(KeyringError::TooShort);
                }
                let keys = secrets.into_iter().filter_map(Key::new).collect();
                Ok(Self { keys })
            }
            _ => Err(KeyringError::TooMany),
        }
    }

    /// The newest key, which signs.
    pub(crate) fn newest(&self) -> Option<KeyedHash> {
        self.keys.first().map(|key| key.keyed.clone())
    }

    /// Every key, newest first, for verifying.
    pub(crate) fn all(&self) -> impl Iterator<Item = KeyedHash> + '_ {
        self.keys.iter().map(|key| key.keyed.clone())
    }

    /// One fingerprint per key, newest first: distinguishes keys and reveals nothing about them.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys
            .iter()
            .map(|key| key.fingerprint.clone())
            .collect()
    }

    /// HMAC-SHA256 under the newest key over length-prefixed parts, so that no two lists of parts
    /// give the same input.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.newest()
            .map_or([0; 32], |keyed| sign_with(keyed, parts))
    }

    /// A key for another purpose from each secret, newest first. Purposes give unrelated keys.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Vec<[u8; 32]> {
        self.all()
            .map(|keyed| sign_with(keyed, &[b"derived key", purpose.as_bytes()]))
            .collect()
    }

    /// True if `tag` is the beginning of a signature of these parts under any key, and at least
    /// half of it. Compares in constant time.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        let mut valid = false;
        for keyed in self.all() {
            let expected = sign_with(keyed, parts);
            let same = |expected: &[u8]| bool::from(expected.ct_eq(tag));
            valid |= tag.len() >= expected.len() / 2 && expected.get(..tag.len()).is_some_and(same);
        }
        valid
    }
}

/// HMAC-SHA256 of length-prefixed parts under an absorbed key.
pub(crate) fn sign_with(mut keyed: KeyedHash, parts: &[&[u8]]) -> [u8; 32] {
    for part in parts {
        keyed.update(&(part.len() as u64).to_be_bytes());
        keyed.update(part);
    }
    keyed.finalize().into_bytes().into()
}

impl Key {
    fn new(secret: &str) -> Option<Self> {
        // HMAC takes keys of any length, so this is never `None`.
        let keyed = KeyedHash::new_from_slice(secret.as_bytes()).ok()?;
        let mut digest = Sha256::new();
        digest.update(b"footfall fingerprint\0");
        digest.update(secret.as_bytes());
        let fingerprint = hex::encode(
            digest
                .finalize()
                .iter()
                .take(8)
                .copied()
                .collect::<Vec<_>>(),
        );
        Some(Self { keyed, fingerprint })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring")
            .field(&self.fingerprints())
            .finish()
    }
}

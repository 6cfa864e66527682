//! Checks JSON Web Tokens of exactly one, configured algorithm.
//!
//! The one rule: the algorithm comes from the settings, never from the token.

mod gate;
mod keys;
mod settings;
pub mod signatures;

#[cfg(test)]
mod tests;

pub use gate::{BAD_TOKENS, Gate, Refused, bearer};
pub use jsonwebtoken::Algorithm;
pub use settings::{ALGORITHM, AUDIENCE, ISSUER, PART, SECRET, algorithm};

use crate::watched_file::{Follower, WatchedFile};
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use keys::{Keys, ReadSet};
use moka::sync::Cache;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, fs, path::Path, sync::Arc};
use thiserror::Error;
use tracing::warn;

/// Allowed difference between clocks.
pub const LEEWAY_SECONDS: i64 = 30;
/// Longest accepted subject, in Unicode scalar values.
pub const MAX_SUBJECT_CHARS: usize = 128;
/// Fewest characters of a secret for HS256.
pub const MIN_SECRET_CHARS: usize = 32;

/// Most tokens that are remembered as checked.
const MAX_CHECKED: u64 = 10_000;

/// The claims of a valid token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id at the issuer.
    pub sub: String,
    /// Expiry, in seconds since 1970.
    #[serde(deserialize_with = "whole_seconds")]
    pub exp: i64,
    /// Not valid before, in seconds since 1970.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "optional_seconds"
    )]
    pub nbf: Option<i64>,
    /// The intended workspace, for users with several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// Issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<serde_json::Value>,
}

/// A `NumericDate` (RFC 7519, section 2), which may have a fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, which is far in the future"
)]
fn whole_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    f64::deserialize(deserializer).map(|seconds| seconds.floor() as i64)
}

fn optional_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    whole_seconds(deserializer).map(Some)
}

/// A token that is not accepted. The text gives no hint for forging one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the token is missing, malformed, expired or not ours")]
pub struct Unauthorized;

/// Label of key sets in the metric of reloaded files.
const JWKS: &str = "jwks";

/// Checks tokens. Clones share the same keys.
#[derive(Clone)]
pub struct Verifier {
    checker: Arc<ArcSwap<Checker>>,
    algorithm: Algorithm,
    validation: Validation,
    source: Option<Source>,
}

/// Keys, and the tokens whose signatures they have verified. New keys start with none.
struct Checker {
    keys: Keys,
    /// By the token's hash, so that memory holds no usable token.
    checked: Cache<[u8; 32], Claims>,
}

impl Checker {
    fn new(keys: Keys) -> Arc<Self> {
        let checked = Cache::new(MAX_CHECKED);
        Arc::new(Self { keys, checked })
    }
}

/// A file with a set of keys, which may change.
#[derive(Clone, Debug)]
struct Source {
    file: WatchedFile,
    ignored: Vec<String>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("algorithm", &self.algorithm)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// Accepts HS256 tokens under that secret, from any issuer.
    #[must_use]
    pub fn hs256(secret: &str) -> Self {
        let key = DecodingKey::from_secret(secret.as_bytes());
        Self::new(Algorithm::HS256, Keys::One(key))
    }

    fn new(algorithm: Algorithm, keys: Keys) -> Self {
        signatures::install();
        Self {
            checker: Arc::new(ArcSwap::new(Checker::new(keys))),
            algorithm,
            validation: validation(algorithm),
            source: None,
        }
    }

    /// Accepts tokens of that algorithm under the keys of a set.
    fn from_jwks_file(algorithm: Algorithm, file: WatchedFile) -> Result<Self, String> {
        let set = read_jwks(algorithm, file.path())?;
        let source = Some(Source {
            file,
            ignored: set.ignored,
        });
        Ok(Self {
            source,
            ..Self::new(algorithm, set.keys)
        })
    }

    fn require_issuer(&mut self, issuer: &str) {
        self.validation.set_issuer(&[issuer]);
        self.require("iss");
    }

    fn require_audience(&mut self, audience: &str) {
        self.validation.validate_aud = true;
        self.validation.set_audience(&[audience]);
        self.require("aud");
    }

    fn require(&mut self, claim: &str) {
        self.validation
            .required_spec_claims
            .insert(claim.to_owned());
    }

    /// Reloads the keys of `JWT_JWKS_FILE` whenever that file changes; `None` when the keys come
    /// from elsewhere. Logs the keys that are ignored.
    #[must_use]
    pub fn follow(&self) -> Option<Follower> {
        let source = self.source.clone()?;
        warn_of(&source.ignored);
        let (algorithm, used) = (self.algorithm, Arc::clone(&self.checker));
        let reload = move |path: &Path| {
            let set = read_jwks(algorithm, path)?;
            warn_of(&set.ignored);
            let name = format!("{} of {algorithm:?}", set.keys.len());
            // A new checker also forgets the checked tokens, so that a removed key stops working.
            used.store(Checker::new(set.keys));
            Ok(name)
        };
        Some(Follower::new(
            source.file,
            "set of token keys",
            JWKS,
            reload,
        ))
    }

    /// Whether checking that token is cheap: by a secret, or because it was checked before.
    fn is_cheap(&self, token: &str) -> bool {
        self.algorithm == Algorithm::HS256 || self.checker.load().checked.contains_key(&hash(token))
    }

    fn decode(&self, token: &str) -> Result<Claims, Unauthorized> {
        let checker = self.checker.load();
        let hash = hash(token);
        if let Some(claims) = checker.checked.get(&hash) {
            return Ok(claims);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Unauthorized)?;
        // A token that names a key is checked with that key only.
        let mut candidates = checker.keys.candidates(header.kid.as_deref());
        let claims: Claims = candidates
            .find_map(|key| jsonwebtoken::decode(token, key, &self.validation).ok())
            .map(|token| token.claims)
            .ok_or(Unauthorized)?;
        checker.checked.insert(hash, claims.clone());
        Ok(claims)
    }

    /// The claims of a token, if it is ours and valid at `now`.
    ///
    /// # Errors
    /// [`Unauthorized`] for every other token, for any reason.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Unauthorized> {
        let claims = self.decode(token)?;
        // On every call, because a remembered token still expires.
        let now = now.as_second();
        let expired = now > claims.exp.saturating_add(LEEWAY_SECONDS);
        let early = claims
            .nbf
            .is_some_and(|nbf| now < nbf.saturating_sub(LEEWAY_SECONDS));
        let length = claims.sub.chars().count();
        if expired || early || length == 0 || length > MAX_SUBJECT_CHARS {
            Err(Unauthorized)
        } else {
            Ok(claims)
        }
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn read_jwks(algorithm: Algorithm, path: &Path) -> Result<ReadSet, String> {
    let name = path.display();
    let text =
        fs::read_to_string(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
    keys::from_jwks(algorithm, &text).map_err(|error| format!("{name} {error}"))
}

fn warn_of(ignored: &[String]) {
    for key in ignored {
        warn!("in the set of token keys, {key}; it is ignored");
    }
}

/// The library checks the signature and the required claims. `exp` and `nbf` are checked in
/// `verify`, on the injected clock.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims = ["exp", "sub"].map(str::to_owned).into();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// Makes an HS256 token for development.
///
/// # Errors
/// The library's own error, which no text as a secret causes.
pub fn mint(
    secret: &str,
    sub: &str,
    workspace_id: Option<String>,
    now: Timestamp,
    ttl: SignedDuration,
) -> Result<String, jsonwebtoken::errors::Error> {
    let claims = Claims {
        sub: sub.to_owned(),
        exp: now.as_second().saturating_add(ttl.as_secs()),
        nbf: None,
        workspace_id,
        iss: None,
        aud: None,
    };
    sign(secret, &claims)
}

/// Makes an HS256 token with these claims.
///
/// # Errors
/// As [`mint`].
pub fn sign(secret: &str, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
    signatures::install();
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
}

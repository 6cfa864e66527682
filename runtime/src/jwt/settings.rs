//! The `JWT_*` settings: which one algorithm, and the keys that go with it.
//!
//! The one rule: settings that contradict each other are a problem, never a silent choice; a secret or a
//! key that nobody uses is mostly a service that believes something else than its operator.

use super::{
    MIN_SECRET_CHARS, Verifier,
    keys::{self, Keys},
};
use crate::{Settings, watched_file::WatchedFile};
use jsonwebtoken::Algorithm;
use std::fs;

/// Where a public key may come from; exactly one of them.
const SOURCES: [&str; 3] = ["JWT_PUBLIC_KEY", "JWT_PUBLIC_KEY_FILE", "JWT_JWKS_FILE"];

/// The algorithm that the settings name; `None` for one that is not ours.
#[must_use]
pub fn algorithm(settings: &Settings) -> Option<Algorithm> {
    match settings.text("JWT_ALGORITHM").as_deref().map(str::trim) {
        None | Some("HS256") => Some(Algorithm::HS256),
        Some("RS256") => Some(Algorithm::RS256),
        Some("ES256") => Some(Algorithm::ES256),
        Some("EdDSA") => Some(Algorithm::EdDSA),
        Some(_) => None,
    }
}

impl Verifier {
    /// Reads the `JWT_*` settings; `None` when they do not suffice, which is then noted.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let Some(algorithm) = algorithm(settings) else {
            let given = settings.text("JWT_ALGORITHM").unwrap_or_default();
            let what = format!("is {given:?}; give HS256, RS256, ES256 or EdDSA");
            settings.problem("JWT_ALGORITHM", what);
            return None;
        };
        let mut verifier = if algorithm == Algorithm::HS256 {
            Self::hs256(&read_secret(settings)?)
        } else {
            read_public(settings, algorithm)?
        };
        if let Some(issuer) = settings.text("JWT_ISSUER") {
            verifier.require_issuer(&issuer);
        }
        if let Some(audience) = settings.text("JWT_AUDIENCE") {
            verifier.require_audience(&audience);
        }
        Some(verifier)
    }
}

fn read_secret(settings: &mut Settings) -> Option<String> {
    for name in given(settings) {
        settings.problem(
            name,
            "is of no use for HS256; set JWT_ALGORITHM to RS256, ES256 or EdDSA, or leave it out",
        );
    }
    let secret = settings.required("JWT_SECRET");
    if secret.is_empty() {
        return None;
    }
    if secret.chars().count() < MIN_SECRET_CHARS {
        let right = "is too short; give at least 32 random characters, for example from `openssl rand -hex 32`";
        settings.problem("JWT_SECRET", right);
        return None;
    }
    Some(secret)
}

fn read_public(settings: &mut Settings, algorithm: Algorithm) -> Option<Verifier> {
    if settings.text("JWT_SECRET").is_some() {
        settings.problem(
            "JWT_SECRET",
            format!(
                "is of no use for {algorithm:?}, whose tokens are checked with a public key; leave it out, or set JWT_ALGORITHM to HS256"
            ),
        );
    }
    match given(settings)[..] {
        [] => {
            settings.problem(
                "JWT_PUBLIC_KEY",
                format!("is missing; {algorithm:?} needs it, JWT_PUBLIC_KEY_FILE or JWT_JWKS_FILE"),
            );
            None
        }
        ["JWT_PUBLIC_KEY"] => settings
            .parse_with("JWT_PUBLIC_KEY", |text| keys::from_pem(algorithm, text))
            .map(|keys| Verifier::new(algorithm, keys)),
        ["JWT_PUBLIC_KEY_FILE"] => settings
            .parse_with("JWT_PUBLIC_KEY_FILE", |path| read_pem(algorithm, path))
            .map(|keys| Verifier::new(algorithm, keys)),
        ["JWT_JWKS_FILE"] => settings.parse_with("JWT_JWKS_FILE", |path| {
            Verifier::from_jwks_file(algorithm, WatchedFile::new(path))
        }),
        [first, ref others @ ..] => {
            for name in others {
                settings.problem(
                    name,
                    format!("is given beside {first}; keys come from one place, leave one out"),
                );
            }
            None
        }
    }
}

fn given(settings: &Settings) -> Vec<&'static str> {
    let given = |name: &&str| settings.text(name).is_some();
    SOURCES.into_iter().filter(given).collect()
}

fn read_pem(algorithm: Algorithm, path: &str) -> Result<Keys, String> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    keys::from_pem(algorithm, &text).map_err(|error| format!("{path} {error}"))
}

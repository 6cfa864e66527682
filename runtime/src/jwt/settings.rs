//! The `JWT_*` settings: the one algorithm, and its keys.
//!
//! The one rule: contradictory settings are a problem, never a silent choice. An unused secret or
//! key usually means that the service is not configured as its operator believes.

use super::{
    JWKS, MIN_SECRET_CHARS, Verifier,
    keys::{self, Keys},
};
use crate::{
    Settings,
    settings::{Part, Setting},
    watched_file::{self, WatchedFile},
};
use jsonwebtoken::Algorithm;
use std::fs;

/// The algorithm of tokens.
pub const ALGORITHM: Setting = Setting::new(
    "JWT_ALGORITHM",
    "HS256",
    "the one algorithm tokens may have: HS256, RS256, ES256 or EdDSA",
);
/// The secret of HS256 tokens.
pub const SECRET: Setting = Setting::new(
    "JWT_SECRET",
    "generated at the first start",
    "secret of HS256 tokens, at least 32 characters",
)
.secret()
.required_by("[required by HS256]");
const PUBLIC_KEY: Setting = Setting::new(
    "JWT_PUBLIC_KEY",
    "none",
    "public key of tokens by RS256, ES256 or EdDSA, PEM text",
);
const PUBLIC_KEY_FILE: Setting = Setting::new("JWT_PUBLIC_KEY_FILE", "none", "file with that key");
const JWKS_FILE: Setting = Setting::new(
    "JWT_JWKS_FILE",
    "none",
    "file with a set of such keys (JWKS), reloaded when it changes; `kid` chooses the key",
);
/// The `iss` that tokens must carry.
pub const ISSUER: Setting =
    Setting::new("JWT_ISSUER", "not checked", "`iss` that tokens must carry");
/// The `aud` that tokens must carry.
pub const AUDIENCE: Setting = Setting::new(
    "JWT_AUDIENCE",
    "not checked",
    "`aud` that tokens must carry",
);

/// Settings and metrics of token checks.
pub const PART: Part = Part {
    settings: &[
        ALGORITHM,
        SECRET,
        PUBLIC_KEY,
        PUBLIC_KEY_FILE,
        JWKS_FILE,
        ISSUER,
        AUDIENCE,
    ],
    metrics: watched_file::PART.metrics,
};

/// The sources of a public key, of which exactly one must be set.
const SOURCES: [Setting; 3] = [PUBLIC_KEY, PUBLIC_KEY_FILE, JWKS_FILE];

/// The configured algorithm; `None` for an unsupported one.
#[must_use]
pub fn algorithm(settings: &Settings) -> Option<Algorithm> {
    match settings.text(ALGORITHM).as_deref().map(str::trim) {
        None | Some("HS256") => Some(Algorithm::HS256),
        Some("RS256") => Some(Algorithm::RS256),
        Some("ES256") => Some(Algorithm::ES256),
        Some("EdDSA") => Some(Algorithm::EdDSA),
        Some(_) => None,
    }
}

impl Verifier {
    /// Reads the `JWT_*` settings; `None` when they do not suffice, which is recorded as problems.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        watched_file::announce(JWKS);
        let Some(algorithm) = algorithm(settings) else {
            let given = settings.text(ALGORITHM).unwrap_or_default();
            let what = format!("is {given:?}; give HS256, RS256, ES256 or EdDSA");
            settings.problem(ALGORITHM, what);
            return None;
        };
        let mut verifier = if algorithm == Algorithm::HS256 {
            Self::hs256(&read_secret(settings)?)
        } else {
            read_public(settings, algorithm)?
        };
        if let Some(issuer) = settings.text(ISSUER) {
            verifier.require_issuer(&issuer);
        }
        if let Some(audience) = settings.text(AUDIENCE) {
            verifier.require_audience(&audience);
        }
        Some(verifier)
    }
}

fn read_secret(settings: &mut Settings) -> Option<String> {
    // A public key that is set but never used is a mistake of the operator.
    for name in given(settings) {
        settings.problem(
            name,
            "is not used with HS256; set JWT_ALGORITHM to RS256, ES256 or EdDSA, or remove it",
        );
    }
    let secret = settings.required(&SECRET);
    if secret.is_empty() {
        return None;
    }
    if secret.chars().count() < MIN_SECRET_CHARS {
        let right = "is too short; give at least 32 random characters, for example from `openssl rand -hex 32`";
        settings.problem(SECRET, right);
        return None;
    }
    Some(secret)
}

fn read_public(settings: &mut Settings, algorithm: Algorithm) -> Option<Verifier> {
    if settings.text(SECRET).is_some() {
        settings.problem(
            SECRET,
            format!(
                "is not used with {algorithm:?}, which checks tokens with a public key; remove it, or set JWT_ALGORITHM to HS256"
            ),
        );
    }
    // Keys come from exactly one source. With two, an operator could not tell which one applies.
    match given(settings)[..] {
        [] => {
            settings.problem(
                PUBLIC_KEY,
                format!("is missing; {algorithm:?} needs it, JWT_PUBLIC_KEY_FILE or JWT_JWKS_FILE"),
            );
            None
        }
        [one] if one == PUBLIC_KEY => settings
            .parse_with(one, |text| keys::from_pem(algorithm, text))
            .map(|keys| Verifier::new(algorithm, keys)),
        [one] if one == PUBLIC_KEY_FILE => settings
            .parse_with(one, |path| read_pem(algorithm, path))
            .map(|keys| Verifier::new(algorithm, keys)),
        [one] => settings.parse_with(one, |path| {
            Verifier::from_jwks_file(algorithm, WatchedFile::new(path))
        }),
        [first, ref others @ ..] => {
            for name in others {
                settings.problem(
                    name,
                    format!("is set in addition to {}; set only one of them", first.name),
                );
            }
            None
        }
    }
}

fn given(settings: &Settings) -> Vec<Setting> {
    let given = |source: &Setting| settings.text(source).is_some();
    SOURCES.into_iter().filter(given).collect()
}

fn read_pem(algorithm: Algorithm, path: &str) -> Result<Keys, String> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    keys::from_pem(algorithm, &text).map_err(|error| format!("{path} {error}"))
}

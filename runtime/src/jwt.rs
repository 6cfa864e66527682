//! Who calls: JSON Web Tokens of exactly one, configured algorithm.
//!
//! The one rule: the algorithm comes from the settings, never from the token.

use crate::Settings;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, fs};
use thiserror::Error;

/// How far clocks may disagree.
pub const LEEWAY_SECONDS: i64 = 30;
/// Longest subject that is taken, in Unicode scalar values.
pub const MAX_SUBJECT_CHARS: usize = 128;
/// Fewest characters of a secret for HS256.
pub const MIN_SECRET_CHARS: usize = 32;

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who: the user's id with the issuer.
    pub sub: String,
    /// Until when, seconds since 1970.
    #[serde(deserialize_with = "whole_seconds")]
    pub exp: i64,
    /// Not before, seconds since 1970.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "optional_seconds"
    )]
    pub nbf: Option<i64>,
    /// The workspace meant, where a user has several.
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

/// A token that is not accepted. Says nothing that helps to forge one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the token is missing, malformed, expired or not ours")]
pub struct Unauthorized;

/// Checks tokens.
#[derive(Clone)]
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("algorithms", &self.validation.algorithms)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// Accepts HS256 tokens under that secret, whoever issued them.
    #[must_use]
    pub fn hs256(secret: &str) -> Self {
        Self {
            key: DecodingKey::from_secret(secret.as_bytes()),
            validation: validation(Algorithm::HS256),
        }
    }

    /// Reads the `JWT_*` settings; `None` when they do not suffice, which is then noted.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let algorithm = settings
            .text("JWT_ALGORITHM")
            .unwrap_or_else(|| "HS256".to_owned());
        let mut verifier = match algorithm.as_str() {
            "HS256" => {
                let secret = settings.required("JWT_SECRET");
                if secret.is_empty() {
                    return None;
                }
                if secret.chars().count() < MIN_SECRET_CHARS {
                    let right = "is too short; give at least 32 random characters, for example from `openssl rand -hex 32`";
                    settings.problem("JWT_SECRET", right);
                    return None;
                }
                Self::hs256(&secret)
            }
            "RS256" => {
                let (name, pem) = read_public_key(settings)?;
                match DecodingKey::from_rsa_pem(pem.as_bytes()) {
                    Ok(key) => Self {
                        key,
                        validation: validation(Algorithm::RS256),
                    },
                    Err(error) => {
                        settings.problem(name, format!("is no RSA public key in PEM: {error}"));
                        return None;
                    }
                }
            }
            other => {
                settings.problem(
                    "JWT_ALGORITHM",
                    format!("is {other:?}; give HS256 or RS256"),
                );
                return None;
            }
        };
        if let Some(issuer) = settings.text("JWT_ISSUER") {
            verifier.validation.set_issuer(&[issuer]);
            verifier
                .validation
                .required_spec_claims
                .insert("iss".to_owned());
        }
        if let Some(audience) = settings.text("JWT_AUDIENCE") {
            verifier.validation.validate_aud = true;
            verifier.validation.set_audience(&[audience]);
            verifier
                .validation
                .required_spec_claims
                .insert("aud".to_owned());
        }
        Some(verifier)
    }

    /// What a token says, if it is ours and valid at `now`.
    ///
    /// # Errors
    /// [`Unauthorized`] for every other token, for one reason as for another.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Unauthorized> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|_| Unauthorized)?
            .claims;
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

    /// What the token in an `Authorization: Bearer <token>` header says.
    ///
    /// # Errors
    /// [`Unauthorized`] without such a header, or as [`Self::verify`].
    pub fn verify_header(
        &self,
        headers: &axum::http::HeaderMap,
        now: Timestamp,
    ) -> Result<Claims, Unauthorized> {
        let value = headers
            .get(axum::http::header::AUTHORIZATION)
            .ok_or(Unauthorized)?;
        let (scheme, token) = value
            .to_str()
            .map_err(|_| Unauthorized)?
            .split_once(' ')
            .ok_or(Unauthorized)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            self.verify(token.trim(), now)
        } else {
            Err(Unauthorized)
        }
    }
}

fn read_public_key(settings: &mut Settings) -> Option<(&'static str, String)> {
    if let Some(pem) = settings.text("JWT_PUBLIC_KEY") {
        return Some(("JWT_PUBLIC_KEY", pem));
    }
    let Some(path) = settings.text("JWT_PUBLIC_KEY_FILE") else {
        settings.problem(
            "JWT_PUBLIC_KEY",
            "is missing; RS256 needs it or JWT_PUBLIC_KEY_FILE",
        );
        return None;
    };
    match fs::read_to_string(&path) {
        Ok(pem) => Some(("JWT_PUBLIC_KEY_FILE", pem)),
        Err(error) => {
            settings.problem(
                "JWT_PUBLIC_KEY_FILE",
                format!("{path} cannot be read: {error}"),
            );
            None
        }
    }
}

/// Signature and required claims by the library; `exp` and `nbf` by us, on the injected clock.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims = ["exp", "sub"].map(str::to_owned).into();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// An HS256 token for development.
///
/// # Errors
/// Never for a secret that is text; the error is the library's.
pub fn mint(
    secret: &str,
    sub: &str,
    workspace_id: Option<String>,
    now: Timestamp,
    ttl: SignedDuration,
) -> Result<String, jsonwebtoken::errors::Error> {
    let exp = now.as_second().saturating_add(ttl.as_secs());
    let claims = Claims {
        sub: sub.to_owned(),
        exp,
        nbf: None,
        workspace_id,
        iss: None,
        aud: None,
    };
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a-secret-of-more-than-32-characters";

    fn now() -> Timestamp {
        Timestamp::from_second(1_900_000_000).unwrap()
    }

    fn encode(header: &Header, claims: &serde_json::Value, secret: &str) -> String {
        jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    }

    #[test]
    fn a_minted_token_is_accepted_until_it_expires_and_the_leeway_is_over() {
        let token = mint(SECRET, "ada", None, now(), SignedDuration::from_secs(60)).unwrap();
        let verifier = Verifier::hs256(SECRET);
        let at = |seconds: i64| Timestamp::from_second(now().as_second() + seconds).unwrap();
        assert_eq!(verifier.verify(&token, at(0)).unwrap().sub, "ada");
        assert!(verifier.verify(&token, at(60 + LEEWAY_SECONDS)).is_ok());
        assert_eq!(
            verifier.verify(&token, at(61 + LEEWAY_SECONDS)),
            Err(Unauthorized)
        );
    }

    #[test]
    fn other_algorithms_secrets_and_claims_are_refused() {
        let verifier = Verifier::hs256(SECRET);
        let exp = now().as_second() + 60;
        let good = serde_json::json!({"sub": "ada", "exp": exp});
        let cases = [
            (
                "another secret",
                encode(&Header::new(Algorithm::HS256), &good, "another"),
            ),
            (
                "another algorithm",
                encode(&Header::new(Algorithm::HS384), &good, SECRET),
            ),
            (
                "no exp",
                encode(
                    &Header::default(),
                    &serde_json::json!({"sub": "ada"}),
                    SECRET,
                ),
            ),
            (
                "no sub",
                encode(&Header::default(), &serde_json::json!({"exp": exp}), SECRET),
            ),
            (
                "empty sub",
                encode(
                    &Header::default(),
                    &serde_json::json!({"sub": "", "exp": exp}),
                    SECRET,
                ),
            ),
            (
                "long sub",
                encode(
                    &Header::default(),
                    &serde_json::json!({"sub": "x".repeat(129), "exp": exp}),
                    SECRET,
                ),
            ),
            (
                "not yet",
                encode(
                    &Header::default(),
                    &serde_json::json!({"sub": "ada", "exp": exp, "nbf": exp}),
                    SECRET,
                ),
            ),
            // {"alg":"none","typ":"JWT"} . {"sub":"ada","exp":1900000060} .
            (
                "alg none",
                "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZGEiLCJleHAiOjE5MDAwMDAwNjB9."
                    .to_owned(),
            ),
            ("no token", String::new()),
        ];
        for (what, token) in cases {
            assert_eq!(verifier.verify(&token, now()), Err(Unauthorized), "{what}");
        }
        assert!(
            verifier
                .verify(&encode(&Header::default(), &good, SECRET), now())
                .is_ok()
        );
    }
}

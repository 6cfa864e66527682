//! The keys that check tokens: one, or a set from a file.
//!
//! Reads PEM and JWKS, and chooses among the keys of a set. The one rule: a key is accepted only if
//! it fits the configured algorithm; every other key is reported with the reason.

use super::signatures;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use schemas::json_error::describe;
use serde::Deserialize;
use serde_json::Value;

/// Sizes of RSA keys: at least 2048 bits (RFC 7518, 3.3), at most what the library accepts.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 2048 / 8..=4096 / 8;
/// Bytes of an RSA key's DER besides its modulus: two headers, signs, and the exponent.
const RSA_DER_EXTRA: usize = 32;
/// Bytes of an Ed25519 key. The library slices shorter ones without checking their length.
const ED_BYTES: usize = 32;

/// The keys that may have signed a token.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    /// This key, regardless of the `kid` of a token.
    One(DecodingKey),
    /// One of these.
    Set(Vec<Named>),
}

/// A key of a set.
#[derive(Clone, Debug)]
pub(super) struct Named {
    id: Option<String>,
    key: DecodingKey,
}

/// A set of keys as it was read.
#[derive(Clone, Debug)]
pub(super) struct ReadSet {
    /// The keys that can be used; at least one.
    pub(super) keys: Keys,
    /// The others, each with the reason.
    pub(super) ignored: Vec<String>,
}

impl Keys {
    /// The keys that may have signed a token. In a set, `kid` chooses the keys that have it;
    /// without `kid`, every key qualifies.
    pub(super) fn candidates<'a>(
        &'a self,
        kid: Option<&'a str>,
    ) -> Box<dyn Iterator<Item = &'a DecodingKey> + 'a> {
        match self {
            Self::One(key) => Box::new(std::iter::once(key)),
            Self::Set(keys) => Box::new(
                keys.iter()
                    .filter(move |named| kid.is_none_or(|kid| named.id.as_deref() == Some(kid)))
                    .map(|named| &named.key),
            ),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Set(keys) => keys.len(),
        }
    }
}

/// Reads a public key in PEM. Line breaks may be written as `\n`, as in environment files.
///
/// # Errors
/// The mistake, and a valid alternative.
pub(super) fn from_pem(algorithm: Algorithm, text: &str) -> Result<Keys, String> {
    if text.contains("PRIVATE KEY-----") {
        return Err(
            "is a private key; give the public one: `openssl pkey -in <file> -pubout`".to_owned(),
        );
    }
    if !text.contains("PUBLIC KEY-----") {
        return Err(
            "is not a public key in PEM (-----BEGIN PUBLIC KEY-----); `openssl x509 -in <file> -noout -pubkey` extracts it from a certificate"
                .to_owned(),
        );
    }
    // Environment files usually cannot hold line breaks.
    let text = text.replace("\\n", "\n");
    let pem = text.trim().as_bytes();
    let (key, kind) = match algorithm {
        Algorithm::RS256 => (DecodingKey::from_rsa_pem(pem), "RSA"),
        Algorithm::ES256 => (DecodingKey::from_ec_pem(pem), "P-256"),
        Algorithm::EdDSA => (DecodingKey::from_ed_pem(pem), "Ed25519"),
        other => return Err(format!("cannot be used with {other:?}")),
    };
    let wrong = |why: String| {
        format!("cannot be used: {why}; {algorithm:?} needs a public key of type {kind}")
    };
    let key = key.map_err(|error| wrong(error.to_string()))?;
    check(algorithm, &key).map_err(wrong)?;
    Ok(Keys::One(key))
}

/// Reads a set of keys (RFC 7517). Keys of other algorithms or uses, and unreadable keys, are
/// ignored, as the standard requires.
///
/// # Errors
/// When the text is not a set, or none of its keys can be used.
pub(super) fn from_jwks(algorithm: Algorithm, text: &str) -> Result<ReadSet, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    // The error's own text shows a value, and a wrong file may hold secrets.
    let set: Set = serde_json::from_str(text).map_err(|error| {
        let rule = describe(text.as_bytes(), "", &error);
        format!("is not a set of keys such as {{\"keys\": [...]}}: {rule}")
    })?;
    let mut keys = Vec::new();
    let mut ignored = Vec::new();
    for (index, value) in set.keys.into_iter().enumerate() {
        let id = value.get("kid").and_then(Value::as_str).map(str::to_owned);
        match fitting(algorithm, value) {
            Ok(key) => keys.push(Named { id, key }),
            Err(why) => {
                let number = index + 1;
                let name = id.map_or_else(|| format!("number {number}"), |id| format!("{id:?}"));
                ignored.push(format!("key {name} {why}"));
            }
        }
    }
    if keys.is_empty() {
        let why = if ignored.is_empty() {
            String::new()
        } else {
            format!(": {}", ignored.join("; "))
        };
        return Err(format!("has no key for {algorithm:?}{why}"));
    }
    Ok(ReadSet {
        keys: Keys::Set(keys),
        ignored,
    })
}

/// The key in a member of a set, if it fits that algorithm.
fn fitting(algorithm: Algorithm, value: Value) -> Result<DecodingKey, String> {
    let jwk: Jwk =
        serde_json::from_value(value).map_err(|_| "is of an unknown type or incomplete")?;
    let common = &jwk.common;
    if !matches!(common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return Err("is not for signatures".to_owned());
    }
    let verifies = |uses: &Vec<KeyOperations>| uses.contains(&KeyOperations::Verify);
    if !common.key_operations.as_ref().is_none_or(verifies) {
        return Err("is not for checking signatures".to_owned());
    }
    if let Some(named) = common.key_algorithm
        && named.to_string() != format!("{algorithm:?}")
    {
        return Err(format!("is for another algorithm than {algorithm:?}"));
    }
    // `alg` is optional, so the kind of the key is checked too.
    let fits = match (algorithm, &jwk.algorithm) {
        (Algorithm::RS256, AlgorithmParameters::RSA(_)) => true,
        (Algorithm::ES256, AlgorithmParameters::EllipticCurve(ec)) => {
            ec.curve == EllipticCurve::P256
        }
        (Algorithm::EdDSA, AlgorithmParameters::OctetKeyPair(pair)) => {
            pair.curve == EllipticCurve::Ed25519
        }
        _ => false,
    };
    if !fits {
        return Err(format!("is not of the type that {algorithm:?} needs"));
    }
    let key = DecodingKey::from_jwk(&jwk).map_err(|error| format!("cannot be read: {error}"))?;
    check(algorithm, &key)?;
    Ok(key)
}

/// Checks that the library can verify signatures with the key.
fn check(algorithm: Algorithm, key: &DecodingKey) -> Result<(), String> {
    use jsonwebtoken::DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
    let fits = match (algorithm, key.kind()) {
        (Algorithm::RS256, RsaModulusExponent { n, .. }) => {
            // Leading zeros add nothing to the size of a key.
            let zeros = n.iter().take_while(|byte| **byte == 0).count();
            RSA_BYTES.contains(&(n.len() - zeros))
        }
        (Algorithm::RS256, SecretOrDer(der)) => {
            // Approximate, because DER adds some bytes to the modulus.
            let longest = RSA_BYTES.end() + RSA_DER_EXTRA;
            (*RSA_BYTES.start()..=longest).contains(&der.len())
        }
        (Algorithm::ES256, SecretOrDer(point)) if !signatures::is_p256_point(point) => {
            return Err("cannot be used: it is not a point of the curve P-256".to_owned());
        }
        (Algorithm::EdDSA, SecretOrDer(bytes)) => bytes.len() == ED_BYTES,
        _ => true,
    };
    if !fits {
        return Err("is too short or too long (RSA keys have 2048 to 4096 bits)".to_owned());
    }
    Ok(())
}

//! The keys that tokens are checked with: one, or a set from a file.
//!
//! Owns reading PEM and JWKS, and choosing among the keys of a set. The one rule: a key is taken only when
//! it fits the configured algorithm; one that is not taken is named with its reason.

use super::signatures;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use schemas::json_error::describe;
use serde::Deserialize;
use serde_json::Value;

/// Fewest and most bits of an RSA key: RFC 7518 section 3.3, and what the library takes.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 2048 / 8..=4096 / 8;
/// The bytes that an RSA key's DER has beside its modulus: two headers, signs, and the exponent.
const RSA_DER_EXTRA: usize = 32;
/// Bytes of an Ed25519 key. The library slices shorter ones without looking.
const ED_BYTES: usize = 32;

/// What a token's signature may be by.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    /// This key, whatever `kid` a token names.
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
    /// The others: which, and why.
    pub(super) ignored: Vec<String>,
}

impl Keys {
    /// The keys that a token may be signed by. In a set `kid` chooses, several keys if they share it; without
    /// one it may be any.
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

/// Reads a public key in PEM. Line breaks may be written as `\n`, as environment files have them.
///
/// # Errors
/// What is wrong, and what would be right.
pub(super) fn from_pem(algorithm: Algorithm, text: &str) -> Result<Keys, String> {
    if text.contains("PRIVATE KEY-----") {
        return Err(
            "is a private key; give the public one: `openssl pkey -in <file> -pubout`".to_owned(),
        );
    }
    if !text.contains("PUBLIC KEY-----") {
        return Err(
            "is no public key in PEM (-----BEGIN PUBLIC KEY-----); a certificate's is given by `openssl x509 -in <file> -noout -pubkey`"
                .to_owned(),
        );
    }
    let text = text.replace("\\n", "\n");
    let pem = text.trim().as_bytes();
    let (key, kind) = match algorithm {
        Algorithm::RS256 => (DecodingKey::from_rsa_pem(pem), "RSA"),
        Algorithm::ES256 => (DecodingKey::from_ec_pem(pem), "P-256"),
        Algorithm::EdDSA => (DecodingKey::from_ed_pem(pem), "Ed25519"),
        other => return Err(format!("is of no use for {other:?}")),
    };
    let wrong = |why: String| {
        format!("cannot be used: {why}; {algorithm:?} needs a public key of the kind {kind}")
    };
    let key = key.map_err(|error| wrong(error.to_string()))?;
    check(algorithm, &key).map_err(wrong)?;
    Ok(Keys::One(key))
}

/// Reads a set of keys (RFC 7517). Keys of other algorithms or uses, and keys that cannot be read, are
/// ignored, as the standard has it.
///
/// # Errors
/// When the text is no set, or no key in it can be used.
pub(super) fn from_jwks(algorithm: Algorithm, text: &str) -> Result<ReadSet, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    // The error's own text would show a value: where another file was named, a secret.
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
        return Err(format!("holds no key for {algorithm:?}{why}"));
    }
    Ok(ReadSet {
        keys: Keys::Set(keys),
        ignored,
    })
}

/// The key in a member of a set, if it is one for that algorithm.
fn fitting(algorithm: Algorithm, value: Value) -> Result<DecodingKey, String> {
    let jwk: Jwk =
        serde_json::from_value(value).map_err(|_| "is of an unknown kind or incomplete")?;
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
        return Err(format!("is not of the kind that {algorithm:?} needs"));
    }
    let key = DecodingKey::from_jwk(&jwk).map_err(|error| format!("cannot be read: {error}"))?;
    check(algorithm, &key)?;
    Ok(key)
}

/// Makes sure that the library can check signatures with the key.
fn check(algorithm: Algorithm, key: &DecodingKey) -> Result<(), String> {
    use jsonwebtoken::DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
    let fits = match (algorithm, key.kind()) {
        (Algorithm::RS256, RsaModulusExponent { n, .. }) => {
            let zeros = n.iter().take_while(|byte| **byte == 0).count();
            RSA_BYTES.contains(&(n.len() - zeros))
        }
        (Algorithm::RS256, SecretOrDer(der)) => {
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

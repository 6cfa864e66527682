//! Signs and verifies tokens with `ring`, as the cryptography of the token library.
//!
//! The library's own choices bring 45 crates or a second C library; TLS needs `ring` anyway. The
//! rule to keep: every algorithm that a setting can name is in both tables, and [`install`] runs
//! before a token is read or made.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey,
    crypto::{CryptoProvider, JwkUtils, JwtSigner, JwtVerifier},
    errors::{Error, ErrorKind},
    signature::{Error as Refused, Signer, Verifier},
};
use ring::{
    agreement, hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256,
        RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaParameters, RsaPublicKeyComponents,
        UnparsedPublicKey, VerificationAlgorithm,
    },
};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| signer(*algorithm, key),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    // Only makes key sets out of private keys, which this program never does.
    jwk_utils: JwkUtils::new_unimplemented(),
};

/// Installs this cryptography in the token library. Further calls change nothing.
pub fn install() {
    let _ = PROVIDER.install_default();
}

/// True for an uncompressed point of the curve P-256, as ES256 needs it.
pub(super) fn is_p256_point(bytes: &[u8]) -> bool {
    // A key agreement validates the other side's point; its result is not used.
    let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, bytes);
    agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &SystemRandom::new())
        .and_then(|ours| agreement::agree_ephemeral(ours, &peer, |_| ()))
        .is_ok()
}

enum Check {
    Hmac(hmac::Key),
    Key(&'static dyn VerificationAlgorithm, Vec<u8>),
    Rsa(&'static RsaParameters, DecodingKey),
}

struct Checker(Algorithm, Check);

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    require(algorithm, key.family())?;
    let check = match algorithm {
        Algorithm::RS256 => Check::Rsa(&RSA_PKCS1_2048_8192_SHA256, key.clone()),
        Algorithm::PS256 => Check::Rsa(&RSA_PSS_2048_8192_SHA256, key.clone()),
        Algorithm::ES256 => Check::Key(&ECDSA_P256_SHA256_FIXED, key.as_bytes().to_vec()),
        Algorithm::EdDSA => Check::Key(&ED25519, key.as_bytes().to_vec()),
        other => Check::Hmac(hmac::Key::new(hash(other)?, key.try_get_hmac_secret()?)),
    };
    Ok(Box::new(Checker(algorithm, check)))
}

impl Verifier<Vec<u8>> for Checker {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Refused> {
        match &self.1 {
            Check::Hmac(key) => hmac::verify(key, message, signature),
            Check::Key(algorithm, key) => {
                UnparsedPublicKey::new(*algorithm, key).verify(message, signature)
            }
            Check::Rsa(parameters, key) => match key.kind() {
                DecodingKeyKind::SecretOrDer(der) => {
                    UnparsedPublicKey::new(*parameters, der).verify(message, signature)
                }
                DecodingKeyKind::RsaModulusExponent { n, e } => {
                    // A key set may have leading zeros, which `ring` refuses.
                    let (n, e) = (without_zeros(n), without_zeros(e));
                    RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
                }
            },
        }
        .map_err(|_| Refused::new())
    }
}

impl JwtVerifier for Checker {
    fn algorithm(&self) -> Algorithm {
        self.0
    }
}

enum Secret {
    Hmac(hmac::Key),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(&'static dyn RsaEncoding, RsaKeyPair),
}

struct Maker(Algorithm, Secret);

fn signer(algorithm: Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    require(algorithm, key.family())?;
    let unusable = |_| Error::from(ErrorKind::InvalidKeyFormat);
    let rsa = || RsaKeyPair::from_der(key.inner()).map_err(unusable);
    let secret = match algorithm {
        Algorithm::RS256 => Secret::Rsa(&RSA_PKCS1_SHA256, rsa()?),
        Algorithm::PS256 => Secret::Rsa(&RSA_PSS_SHA256, rsa()?),
        Algorithm::ES256 => {
            let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
            let pair = EcdsaKeyPair::from_pkcs8(kind, key.inner(), &random);
            Secret::Ecdsa(pair.map_err(unusable)?)
        }
        Algorithm::EdDSA => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.inner());
            Secret::Ed25519(pair.map_err(unusable)?)
        }
        other => Secret::Hmac(hmac::Key::new(hash(other)?, key.try_get_hmac_secret()?)),
    };
    Ok(Box::new(Maker(algorithm, secret)))
}

impl Signer<Vec<u8>> for Maker {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let random = SystemRandom::new();
        match &self.1 {
            Secret::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Secret::Ecdsa(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| Refused::new()),
            Secret::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Secret::Rsa(encoding, pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .map_err(|_| Refused::new())?;
                Ok(signature)
            }
        }
    }
}

impl JwtSigner for Maker {
    fn algorithm(&self) -> Algorithm {
        self.0
    }
}

/// A key of one kind must not serve another: the bytes of a public key would work as an HMAC
/// secret.
fn require(algorithm: Algorithm, family: AlgorithmFamily) -> Result<(), Error> {
    if algorithm.family() == family {
        Ok(())
    } else {
        Err(ErrorKind::InvalidKeyFormat.into())
    }
}

fn hash(algorithm: Algorithm) -> Result<hmac::Algorithm, Error> {
    match algorithm {
        Algorithm::HS256 => Ok(hmac::HMAC_SHA256),
        Algorithm::HS384 => Ok(hmac::HMAC_SHA384),
        Algorithm::HS512 => Ok(hmac::HMAC_SHA512),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

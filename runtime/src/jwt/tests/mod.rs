//! Tokens of every algorithm, with fixed keys, and forged tokens.

mod configured;
mod gate;
mod sets;

use super::*;
use crate::Settings;
use serde_json::{Value, json};

const SECRET: &str = "a-secret-of-more-than-32-characters";
const RSA: &str = include_str!("../../../fixtures/jwt/rsa.key.pem");
const RSA_PUBLIC: &str = include_str!("../../../fixtures/jwt/rsa.pub.pem");
const RSA_SHORT: &str = include_str!("../../../fixtures/jwt/rsa-1024.pub.pem");
const EC: &str = include_str!("../../../fixtures/jwt/ec.key.pem");
const EC_PUBLIC: &str = include_str!("../../../fixtures/jwt/ec.pub.pem");
const OTHER_EC: &str = include_str!("../../../fixtures/jwt/other-ec.key.pem");
const EC_CERTIFICATE: &str = include_str!("../../../fixtures/jwt/ec.cert.pem");
const EC_384: &str = include_str!("../../../fixtures/jwt/ec-384.pub.pem");
const ED: &str = include_str!("../../../fixtures/jwt/ed.key.pem");
const ED_PUBLIC: &str = include_str!("../../../fixtures/jwt/ed.pub.pem");
const JWKS: &str = include_str!("../../../fixtures/jwt/jwks.json");
const ODD: &str = include_str!("../../../fixtures/jwt/jwks-odd.json");

fn now() -> Timestamp {
    Timestamp::from_second(1_900_000_000).unwrap()
}

fn exp() -> i64 {
    now().as_second() + 60
}

fn good() -> Value {
    json!({"sub": "ada", "exp": exp()})
}

fn header(algorithm: Algorithm, kid: Option<&str>) -> Header {
    Header {
        kid: kid.map(str::to_owned),
        ..Header::new(algorithm)
    }
}

fn hs256(claims: &Value, secret: &[u8]) -> String {
    signatures::install();
    let key = EncodingKey::from_secret(secret);
    jsonwebtoken::encode(&header(Algorithm::HS256, None), claims, &key).unwrap()
}

/// A token signed with a private key in PEM.
fn signed(algorithm: Algorithm, kid: Option<&str>, pem: &str, claims: &Value) -> String {
    signatures::install();
    let key = match algorithm {
        Algorithm::RS256 | Algorithm::PS256 => EncodingKey::from_rsa_pem(pem.as_bytes()),
        Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()),
        _ => EncodingKey::from_ed_pem(pem.as_bytes()),
    };
    jsonwebtoken::encode(&header(algorithm, kid), claims, &key.unwrap()).unwrap()
}

fn read(pairs: &[(&str, &str)]) -> Result<Verifier, String> {
    let mut settings = Settings::from_pairs(pairs.iter().copied());
    let verifier = Verifier::read(&mut settings);
    settings.finish().map_err(|problems| problems.to_string())?;
    Ok(verifier.expect("without a problem there is a verifier"))
}

fn subject(verifier: &Verifier, token: &str) -> Option<String> {
    verifier.verify(token, now()).ok().map(|claims| claims.sub)
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
fn claims_are_judged_the_same_under_every_algorithm() {
    let exp = exp();
    let soon = now().as_second() + LEEWAY_SECONDS;
    let cases = [
        ("good", true, good()),
        (
            "a fraction",
            true,
            json!({"sub": "ada", "exp": 1_900_000_060.5}),
        ),
        (
            "other claims",
            true,
            json!({"sub": "ada", "exp": exp, "role": ["x"], "aud": "y"}),
        ),
        (
            "the longest sub",
            true,
            json!({"sub": "ş".repeat(128), "exp": exp}),
        ),
        (
            "soon, within the leeway",
            true,
            json!({"sub": "ada", "exp": exp, "nbf": soon}),
        ),
        (
            "not yet",
            false,
            json!({"sub": "ada", "exp": exp, "nbf": soon + 1}),
        ),
        ("no exp", false, json!({"sub": "ada"})),
        (
            "exp is a text",
            false,
            json!({"sub": "ada", "exp": "1900000060"}),
        ),
        (
            "expired",
            false,
            json!({"sub": "ada", "exp": now().as_second() - LEEWAY_SECONDS - 1}),
        ),
        ("no sub", false, json!({"exp": exp})),
        ("sub is null", false, json!({"sub": null, "exp": exp})),
        ("sub is a number", false, json!({"sub": 7, "exp": exp})),
        ("empty sub", false, json!({"sub": "", "exp": exp})),
        (
            "long sub",
            false,
            json!({"sub": "x".repeat(129), "exp": exp}),
        ),
    ];
    let verifiers = [
        (Algorithm::HS256, "", Verifier::hs256(SECRET)),
        (Algorithm::RS256, RSA, public("RS256", RSA_PUBLIC)),
        (Algorithm::ES256, EC, public("ES256", EC_PUBLIC)),
        (Algorithm::EdDSA, ED, public("EdDSA", ED_PUBLIC)),
    ];
    for (algorithm, pem, verifier) in &verifiers {
        for (what, right, claims) in &cases {
            let token = match algorithm {
                Algorithm::HS256 => hs256(claims, SECRET.as_bytes()),
                // A single key ignores the `kid` of a token.
                _ => signed(*algorithm, Some("a name"), pem, claims),
            };
            let verified = verifier.verify(&token, now());
            assert_eq!(verified.is_ok(), *right, "{algorithm:?} {what}");
        }
    }
}

fn public(algorithm: &str, pem: &str) -> Verifier {
    read(&[("JWT_ALGORITHM", algorithm), ("JWT_PUBLIC_KEY", pem)]).unwrap()
}

#[test]
fn a_token_of_any_other_algorithm_or_key_is_refused() {
    let good = good();
    // {"alg":"none","typ":"JWT"} . {"sub":"ada","exp":1900000060} .
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZGEiLCJleHAiOjE5MDAwMDAwNjB9.";
    let bare = |pem: &str| pem.trim().replace('\n', "");
    let mut tokens = vec![
        ("no algorithm", unsigned.to_owned()),
        ("no token", String::new()),
        ("two parts", "a.b".to_owned()),
        ("HS256 of another secret", hs256(&good, b"another")),
        ("RS256", signed(Algorithm::RS256, None, RSA, &good)),
        ("PS256", signed(Algorithm::PS256, None, RSA, &good)),
        ("ES256", signed(Algorithm::ES256, None, EC, &good)),
        (
            "ES256 of another key",
            signed(Algorithm::ES256, None, OTHER_EC, &good),
        ),
        ("EdDSA", signed(Algorithm::EdDSA, None, ED, &good)),
    ];
    // Public keys, used as a secret.
    for pem in [RSA_PUBLIC, EC_PUBLIC, ED_PUBLIC] {
        tokens.push(("HS256 under a public key", hs256(&good, pem.as_bytes())));
        tokens.push((
            "HS256 under a public key, trimmed",
            hs256(&good, pem.trim().as_bytes()),
        ));
        tokens.push((
            "HS256 under a public key, one line",
            hs256(&good, bare(pem).as_bytes()),
        ));
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&header(algorithm, None), &good, &key).unwrap();
        tokens.push(("a longer hash under the secret", token));
    }
    for (name, verifier) in [
        ("HS256", Verifier::hs256(SECRET)),
        ("RS256", public("RS256", RSA_PUBLIC)),
        ("ES256", public("ES256", EC_PUBLIC)),
        ("EdDSA", public("EdDSA", ED_PUBLIC)),
    ] {
        for (what, token) in &tokens {
            let right = *what == name;
            assert_eq!(
                subject(&verifier, token).is_some(),
                right,
                "{what} at {name}"
            );
        }
    }
    // The body of one token with the signature of another.
    let [one, other] = ["ada", "bob"].map(|sub| {
        signed(
            Algorithm::ES256,
            None,
            EC,
            &json!({"sub": sub, "exp": exp()}),
        )
    });
    let (head, _) = one.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    let verifier = public("ES256", EC_PUBLIC);
    assert_eq!(subject(&verifier, &format!("{head}.{signature}")), None);
    assert_eq!(subject(&verifier, &one).as_deref(), Some("ada"));
}

#[test]
fn issuer_and_audience_are_required_when_they_are_configured() {
    let base = [
        ("JWT_SECRET", SECRET),
        ("JWT_ISSUER", "us"),
        ("JWT_AUDIENCE", "footfall"),
    ];
    let verifier = read(&base).unwrap();
    let exp = exp();
    for (right, claims) in [
        (
            true,
            json!({"sub": "ada", "exp": exp, "iss": "us", "aud": "footfall"}),
        ),
        (
            true,
            json!({"sub": "ada", "exp": exp, "iss": "us", "aud": ["other", "footfall"]}),
        ),
        (
            false,
            json!({"sub": "ada", "exp": exp, "iss": "them", "aud": "footfall"}),
        ),
        (
            false,
            json!({"sub": "ada", "exp": exp, "iss": "us", "aud": "other"}),
        ),
        (
            false,
            json!({"sub": "ada", "exp": exp, "iss": "us", "aud": []}),
        ),
        (false, json!({"sub": "ada", "exp": exp, "iss": "us"})),
        (false, json!({"sub": "ada", "exp": exp, "aud": "footfall"})),
    ] {
        let token = hs256(&claims, SECRET.as_bytes());
        assert_eq!(subject(&verifier, &token).is_some(), right, "{claims}");
    }
}

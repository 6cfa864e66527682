//! Sets of keys: which key checks a token, which keys are ignored, and sets that change.

use super::*;
use crate::watched_file::Look;
use std::fs;
use tempfile::tempdir;

/// A verifier with the set in `keys.json` of that folder.
fn set(algorithm: &str, folder: &Path) -> Result<Verifier, String> {
    let file = folder.join("keys.json");
    read(&[
        ("JWT_ALGORITHM", algorithm),
        ("JWT_JWKS_FILE", file.to_str().unwrap()),
    ])
}

#[test]
fn kid_chooses_the_key_of_a_set_and_without_kid_every_key_qualifies() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("keys.json"), JWKS).unwrap();
    let verifier = set("ES256", folder.path()).unwrap();
    let token = |kid, pem| signed(Algorithm::ES256, kid, pem, &good());
    for (right, kid, pem) in [
        (true, Some("ec"), EC),
        (true, Some("other-ec"), OTHER_EC),
        (true, None, EC),
        (true, None, OTHER_EC),
        (false, Some("ec"), OTHER_EC),
        (false, Some("other-ec"), EC),
        (false, Some("unknown"), EC),
        (false, Some(""), EC),
        (false, Some("rsa"), EC),
    ] {
        assert_eq!(
            subject(&verifier, &token(kid, pem)).is_some(),
            right,
            "{kid:?}"
        );
    }
    // Keys of other algorithms in the same set are ignored.
    for (algorithm, pem, kid) in [(Algorithm::RS256, RSA, "rsa"), (Algorithm::EdDSA, ED, "ed")] {
        let foreign = signed(algorithm, Some(kid), pem, &good());
        assert_eq!(subject(&verifier, &foreign), None, "{kid}");
        let home = set(&format!("{algorithm:?}"), folder.path()).unwrap();
        assert!(subject(&home, &foreign).is_some(), "{kid}");
    }
    // A public part of a key, used as a secret.
    let known = serde_json::from_str::<Value>(JWKS).unwrap()["keys"][0]["x"].to_string();
    let forged = hs256(&good(), known.trim_matches('"').as_bytes());
    assert_eq!(subject(&verifier, &forged), None);
}

#[test]
fn keys_that_do_not_fit_are_ignored_each_with_its_reason() {
    let odd: Vec<Value> = serde_json::from_str::<Value>(ODD).unwrap()["keys"]
        .as_array()
        .unwrap()
        .clone();
    for algorithm in [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA] {
        let said = keys::from_jwks(algorithm, ODD).unwrap_err();
        assert!(
            said.contains(&format!("has no key for {algorithm:?}")),
            "{said}"
        );
        let mut all: Value = serde_json::from_str(JWKS).unwrap();
        all["keys"].as_array_mut().unwrap().extend(odd.clone());
        let read = keys::from_jwks(algorithm, &all.to_string()).unwrap();
        // Of the four good keys, two are for ES256, and one each for the others.
        let fitting = if algorithm == Algorithm::ES256 { 2 } else { 1 };
        assert_eq!(read.keys.len(), fitting);
        assert_eq!(
            read.ignored.len(),
            odd.len() + 4 - fitting,
            "{:?}",
            read.ignored
        );
    }
    let ignored = keys::from_jwks(Algorithm::ES256, ODD).unwrap_err();
    for reason in [
        "\"p-384\" is not of the type that ES256 needs",
        "\"for encryption\" is not for signatures",
        "\"for signing only\" is not for checking signatures",
        "\"another alg\" is for another algorithm than ES256",
        "\"no point\" cannot be used",
        "\"not base64\" cannot be read",
        "\"secret\" is not of the type",
        "\"unheard of\" is of an unknown type",
        "number 12 is of an unknown type",
    ] {
        assert!(ignored.contains(reason), "{reason} in {ignored}");
    }
    for (algorithm, reason) in [
        (Algorithm::RS256, "\"small rsa\" is too short"),
        (Algorithm::EdDSA, "\"short ed\" is too short"),
        (Algorithm::EdDSA, "\"x25519\" is of an unknown type"),
    ] {
        let ignored = keys::from_jwks(algorithm, ODD).unwrap_err();
        assert!(ignored.contains(reason), "{reason} in {ignored}");
    }
    for text in [
        "",
        "[]",
        "{}",
        "{\"keys\": {}}",
        "{\"keys\": []}",
        EC_PUBLIC,
    ] {
        assert!(keys::from_jwks(Algorithm::ES256, text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_changed_set_is_used_by_every_clone_and_a_broken_one_is_not() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let all: Value = serde_json::from_str(JWKS).unwrap();
    let only = |index: usize| json!({"keys": [all["keys"][index]]}).to_string();
    fs::write(&file, only(0)).unwrap();
    let verifier = set("ES256", folder.path()).unwrap();
    let clone = verifier.clone();
    let mut follower = verifier.follow().unwrap();
    let [old, new] = [("ec", EC), ("other-ec", OTHER_EC)]
        .map(|(kid, pem)| signed(Algorithm::ES256, Some(kid), pem, &good()));
    let accepted = || [&old, &new].map(|token| subject(&clone, token).is_some());
    assert_eq!(accepted(), [true, false]);

    // Replaced by renaming, as careful programs do.
    let beside = folder.path().join("keys.new");
    fs::write(&beside, only(1)).unwrap();
    fs::rename(&beside, &file).unwrap();
    assert_eq!(follower.look().await, Look::Same);
    assert_eq!(follower.look().await, Look::Used("1 of ES256".to_owned()));
    assert_eq!(accepted(), [false, true]);

    // Truncated, without a fitting key, and deleted.
    let cut = JWKS.get(..JWKS.len() / 2).unwrap().to_owned();
    for broken in [Some(cut), Some(only(2)), None] {
        match broken {
            Some(text) => fs::write(&file, text).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        assert_eq!(follower.look().await, Look::Same);
        assert!(matches!(follower.look().await, Look::Refused(_)));
        assert_eq!(accepted(), [false, true]);
    }

    fs::write(&file, JWKS).unwrap();
    assert_eq!(follower.look().await, Look::Same);
    assert_eq!(follower.look().await, Look::Used("2 of ES256".to_owned()));
    assert_eq!(accepted(), [true, true]);
}

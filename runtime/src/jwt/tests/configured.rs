//! The `JWT_*` settings: the sources of keys, and settings that cannot be used.

use super::*;
use crate::jwt::settings;
use std::fs;
use tempfile::tempdir;

#[test]
fn a_public_key_comes_from_text_with_or_without_line_breaks_or_from_a_file() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("key.pem");
    fs::write(&file, EC_PUBLIC).unwrap();
    let token = signed(Algorithm::ES256, None, EC, &good());
    let one_line = EC_PUBLIC.trim().replace('\n', "\\n");
    for (name, value) in [
        ("JWT_PUBLIC_KEY", EC_PUBLIC),
        ("JWT_PUBLIC_KEY", &one_line),
        ("JWT_PUBLIC_KEY_FILE", file.to_str().unwrap()),
    ] {
        let verifier = read(&[("JWT_ALGORITHM", "ES256"), (name, value)]).unwrap();
        assert_eq!(subject(&verifier, &token).as_deref(), Some("ada"));
        assert!(verifier.follow().is_none());
    }
}

/// Settings, and the texts that their problems contain.
type Case = (
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

#[test]
fn settings_that_contradict_each_other_or_cannot_be_used_are_problems() {
    let cases: &[Case] = &[
        (&[], &["JWT_SECRET: is missing"]),
        (&[("JWT_SECRET", "short")], &["JWT_SECRET: is too short"]),
        (
            &[("JWT_ALGORITHM", "none")],
            &["JWT_ALGORITHM: is \"none\"; give HS256, RS256"],
        ),
        (
            &[("JWT_ALGORITHM", "es256")],
            &["JWT_ALGORITHM: is \"es256\""],
        ),
        (
            &[("JWT_ALGORITHM", "ES256")],
            &["JWT_PUBLIC_KEY: is missing; ES256 needs it"],
        ),
        (
            &[("JWT_SECRET", SECRET), ("JWT_JWKS_FILE", "/keys.json")],
            &["JWT_JWKS_FILE: is not used with HS256; set JWT_ALGORITHM to RS256"],
        ),
        (
            &[
                ("JWT_ALGORITHM", "EdDSA"),
                ("JWT_SECRET", SECRET),
                ("JWT_PUBLIC_KEY", ED_PUBLIC),
            ],
            &["JWT_SECRET: is not used with EdDSA"],
        ),
        (
            &[
                ("JWT_ALGORITHM", "ES256"),
                ("JWT_PUBLIC_KEY", EC_PUBLIC),
                ("JWT_PUBLIC_KEY_FILE", "/key.pem"),
                ("JWT_JWKS_FILE", "/keys.json"),
            ],
            &[
                "JWT_PUBLIC_KEY_FILE: is set in addition to JWT_PUBLIC_KEY",
                "JWT_JWKS_FILE: is set in addition to JWT_PUBLIC_KEY",
            ],
        ),
        (
            &[("JWT_ALGORITHM", "RS256"), ("JWT_PUBLIC_KEY", EC_PUBLIC)],
            &[
                "JWT_PUBLIC_KEY: cannot be used",
                "RS256 needs a public key of type RSA",
            ],
        ),
        (
            &[("JWT_ALGORITHM", "ES256"), ("JWT_PUBLIC_KEY", RSA_PUBLIC)],
            &["ES256 needs a public key of type P-256"],
        ),
        (
            &[("JWT_ALGORITHM", "ES256"), ("JWT_PUBLIC_KEY", EC_384)],
            &["ES256 needs a public key of type P-256"],
        ),
        (
            &[("JWT_ALGORITHM", "EdDSA"), ("JWT_PUBLIC_KEY", EC_PUBLIC)],
            &["EdDSA needs a public key of type Ed25519"],
        ),
        (
            &[("JWT_ALGORITHM", "RS256"), ("JWT_PUBLIC_KEY", RSA_SHORT)],
            &["RSA keys have 2048 to 4096 bits"],
        ),
        (
            &[("JWT_ALGORITHM", "ES256"), ("JWT_PUBLIC_KEY", EC)],
            &["JWT_PUBLIC_KEY: is a private key; give the public one"],
        ),
        (
            &[
                ("JWT_ALGORITHM", "ES256"),
                ("JWT_PUBLIC_KEY", EC_CERTIFICATE),
            ],
            &["JWT_PUBLIC_KEY: is not a public key in PEM", "openssl x509"],
        ),
        (
            &[
                ("JWT_ALGORITHM", "ES256"),
                ("JWT_PUBLIC_KEY_FILE", "/no/such/key.pem"),
            ],
            &["JWT_PUBLIC_KEY_FILE: /no/such/key.pem cannot be read"],
        ),
        (
            &[
                ("JWT_ALGORITHM", "ES256"),
                ("JWT_JWKS_FILE", "/no/such/keys.json"),
            ],
            &["JWT_JWKS_FILE: /no/such/keys.json cannot be read"],
        ),
    ];
    for (pairs, expected) in cases {
        let said = read(pairs).unwrap_err();
        for text in *expected {
            assert!(said.contains(text), "{text} in {said}");
        }
        let count = usize::max(
            1,
            expected
                .iter()
                .filter(|text| text.starts_with("JWT_"))
                .count(),
        );
        assert!(said.starts_with(&format!("{count} setting")), "{said}");
        assert!(!said.contains(SECRET) && !said.contains("MC4CAQ"), "{said}");
    }
}

#[test]
fn the_algorithm_of_the_settings_is_known_before_they_are_read() {
    let of = |text: &str| settings::algorithm(&Settings::from_pairs([("JWT_ALGORITHM", text)]));
    assert_eq!(of(""), Some(Algorithm::HS256));
    assert_eq!(of("EdDSA"), Some(Algorithm::EdDSA));
    assert_eq!(of("HS512"), None);
}

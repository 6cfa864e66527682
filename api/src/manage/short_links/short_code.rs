//! Codes of short URLs: valid ones, reserved ones, and generated ones.

use crate::store::{
    Tx,
    short_codes::{self, Place},
};
use runtime::{IdSource, http::ApiError};
use uuid::Uuid;

/// Longest code.
pub(crate) const MAX_CHARS: usize = 50;

/// Lower-case letters and digits without those that look alike (0 o, 1 i l).
const ALPHABET: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// Length of a generated code. 31^10 is about 8 * 10^14, so guessing finds no links.
const LENGTH: usize = 10;

/// Most codes that are drawn. With a million links, one draw in 10^8 is taken.
const MAX_DRAWS: usize = 5;

/// Reserved codes: the first segments of the program's own paths, those that browsers
/// and crawlers ask for, and those that visitors take for the operator's.
const RESERVED: &[&str] = &[
    "about",
    "account",
    "admin",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "billing",
    "conversions",
    "dashboard",
    "docs",
    "embed",
    "favicon",
    "health",
    "help",
    "home",
    "index",
    "legal",
    "link",
    "live",
    "login",
    "logout",
    "metrics",
    "null",
    "openapi",
    "password",
    "privacy",
    "public",
    "ready",
    "register",
    "robots",
    "schemas",
    "security",
    "settings",
    "signin",
    "signup",
    "sitemap",
    "static",
    "status",
    "support",
    "terms",
    "t",
    "track",
    "tracker",
    "undefined",
    "well-known",
    "ws",
    "www",
];

/// What no code begins with: the versions of the script for bio pages.
const RESERVED_PREFIX: &str = "footfall-";

/// True for ASCII letters, digits, `-` and `_`, 1 to 50 of them.
pub(crate) fn is_code(text: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_CHARS).contains(&text.len()) && text.bytes().all(valid)
}

/// True for a reserved code, in upper or lower case.
pub(crate) fn is_reserved(code: &str) -> bool {
    let start = code.get(..RESERVED_PREFIX.len()).unwrap_or_default();
    start.eq_ignore_ascii_case(RESERVED_PREFIX)
        || RESERVED.iter().any(|word| word.eq_ignore_ascii_case(code))
}

/// A generated code from random bits.
pub(crate) fn generated(random: [u8; 16]) -> String {
    let mut bits = u128::from_be_bytes(random);
    let base = ALPHABET.len() as u128;
    let mut code = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let index = usize::try_from(bits % base).unwrap_or_default();
        code.extend(ALPHABET.get(index).copied().map(char::from));
        bits /= base;
    }
    code
}

/// Draws a code that is free on this host, and claims it for the link.
pub(crate) async fn draw(
    tx: &mut Tx<'_>,
    ids: &dyn IdSource,
    host: Option<&str>,
    (workspace_id, link_id): (Uuid, Uuid),
) -> Result<String, ApiError> {
    for _ in 0..MAX_DRAWS {
        let code = generated(ids.random_16());
        let place = Place { host, code: &code };
        if short_codes::claim(tx, place, (workspace_id, link_id)).await? {
            return Ok(code);
        }
    }
    Err(ApiError::internal(format!(
        "{MAX_DRAWS} short codes in a row were taken"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn generated_codes_have_their_length_and_alphabet(random in any::<[u8; 16]>()) {
            let code = generated(random);
            prop_assert_eq!(code.len(), LENGTH);
            prop_assert!(code.bytes().all(|c| ALPHABET.contains(&c)));
            prop_assert!(is_code(&code) && !is_reserved(&code));
        }
    }

    #[test]
    fn different_bits_give_different_codes() {
        let codes: std::collections::BTreeSet<String> =
            (0..=255u8).map(|n| generated([n; 16])).collect();
        assert_eq!(codes.len(), 256);
    }

    #[test]
    fn codes_are_letters_digits_dashes_and_underscores() {
        for code in ["a", "A-b_9", &"x".repeat(50)] {
            assert!(is_code(code), "{code}");
        }
        for text in [
            "",
            "abcd?env=prod",
            "a b",
            "a.b",
            "bücher",
            "a/b",
            &"x".repeat(51),
        ] {
            assert!(!is_code(text), "{text}");
        }
        assert!(is_reserved("Footfall-2") && !is_reserved("footfall"));
        assert!(is_reserved("API") && is_reserved("docs") && !is_reserved("promo"));
    }
}

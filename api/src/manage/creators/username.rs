//! The rules for a creator's username: lower case, as in `/@username`.
//!
//! They apply to new names; existing names keep working when a rule is added.

use super::reserved::{SEPARATORS, is_reserved};

/// Shortest username.
pub(super) const MIN_CHARS: usize = 2;
/// Longest username.
pub(super) const MAX_CHARS: usize = 30;

/// The form of a username before it is in lower case, as a pattern for clients.
pub(super) const PATTERN: &str = "^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$";

/// The username in lower case: letters and digits, single `.`, `-` and `_` between them, and not
/// reserved; `None` for any other. So a name cannot end a sentence, or hide a separator behind
/// another. It also cannot look like an encoded name in another script (`xn--`, and `xn-`, which
/// few readers distinguish from it).
pub(crate) fn read(text: &str) -> Option<String> {
    // ASCII only, because Unicode would turn the Kelvin sign into a k.
    let name = text.to_ascii_lowercase();
    let valid = (MIN_CHARS..=MAX_CHARS).contains(&name.len()) && is_spelled(&name, &SEPARATORS);
    (valid && !name.starts_with("xn-") && !is_reserved(&name)).then_some(name)
}

/// True for lower-case letters and digits with single separators between them.
pub(super) fn is_spelled(text: &str, separators: &[char]) -> bool {
    text.split(separators).all(|word| {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !word.is_empty() && word.bytes().all(known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usernames_are_lower_cased_and_checked() {
        for (given, taken) in [
            ("ada", "ada"),
            ("Ada.Lovelace", "ada.lovelace"),
            ("a1", "a1"),
            ("0_1-2.3", "0_1-2.3"),
            ("mE2", "me2"),
            ("xnada", "xnada"),
            ("ada.xn-a", "ada.xn-a"),
        ] {
            assert_eq!(read(given).as_deref(), Some(taken));
        }
        for given in [
            "",
            "a",
            "-ada",
            ".ada",
            "_ada",
            "ada.",
            "ada-",
            "ada_",
            "ada..l",
            "ada--l",
            "ada._l",
            "xn--bcher-kva",
            "xn-bcher",
            "Xn-ada",
            "admin1",
            "Securlty",
            "OFFlCIAL",
            "XN--ADA",
            "ada lovelace",
            " ada",
            "ädä",
            "\u{430}da",
            "ada\u{200e}",
            "\u{202e}ada",
            "a\u{200b}da",
            "a/b",
            "@ada",
            "me",
            "API",
            "Embed",
            "Official",
            "SECURITY",
            "\u{212a}elvin",
            "ada\n",
        ] {
            assert_eq!(read(given), None, "{given:?}");
        }
        assert!(read(&"x".repeat(30)).is_some());
        assert!(read(&"x".repeat(31)).is_none());
    }

    proptest! {
        #[test]
        fn accepted_names_follow_the_rules(text in "\\PC{0,34}|[a-zA-Z0-9_.-]{0,34}") {
            if let Some(name) = read(&text) {
                prop_assert!(!name.starts_with("xn-"));
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
                let bytes = name.as_bytes();
                prop_assert!(plain(bytes[0]) && plain(bytes[bytes.len() - 1]));
                prop_assert!(bytes.windows(2).all(|two| two.iter().any(|byte| plain(*byte))));
                prop_assert!(name.len() >= 2 && name.len() <= 30);
                prop_assert_eq!(read(&name), Some(name));
            }
        }
    }
}

//! What a creator may be called: lower case, as it stands in `/@username`.

/// Names that are routes, or that would pass for ours.
const RESERVED: &[&str] = &[
    "about",
    "admin",
    "administrator",
    "analytics",
    "api",
    "app",
    "assets",
    "auth",
    "bio",
    "blog",
    "creator",
    "creators",
    "dashboard",
    "docs",
    "embed",
    "favicon.ico",
    "footfall",
    "health",
    "help",
    "links",
    "login",
    "logout",
    "me",
    "metrics",
    "null",
    "privacy",
    "ready",
    "register",
    "robots.txt",
    "root",
    "settings",
    "signup",
    "static",
    "status",
    "support",
    "terms",
    "undefined",
    "www",
];

/// What a username is like before it is in lower case, as a pattern for clients.
pub(super) const PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9_.-]{1,29}$";

/// The username in lower case: `[a-z0-9][a-z0-9_.-]{1,29}` and not reserved; `None` for any other
/// (contract, decision 19).
pub(crate) fn read(text: &str) -> Option<String> {
    // ASCII only: Unicode would turn the Kelvin sign into a k.
    let name = text.to_ascii_lowercase();
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
    let first = name
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric());
    let valid = first && (2..=30).contains(&name.len()) && name.chars().all(inner);
    (valid && !RESERVED.contains(&name.as_str())).then_some(name)
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
            ("0_-.", "0_-."),
            ("mE2", "me2"),
        ] {
            assert_eq!(read(given).as_deref(), Some(taken));
        }
        for given in [
            "",
            "a",
            "-ada",
            ".ada",
            "_ada",
            "ada lovelace",
            " ada",
            "ädä",
            "a/b",
            "@ada",
            "me",
            "API",
            "Embed",
            "\u{212a}elvin",
            "ada\n",
        ] {
            assert_eq!(read(given), None, "{given:?}");
        }
        assert!(read(&"x".repeat(30)).is_some());
        assert!(read(&"x".repeat(31)).is_none());
    }

    #[test]
    fn the_reserved_names_are_sorted_and_would_otherwise_be_taken() {
        assert!(RESERVED.is_sorted());
        assert!(
            RESERVED
                .iter()
                .all(|name| read(&format!("{name}2")).is_some())
        );
    }

    proptest! {
        #[test]
        fn what_is_taken_keeps_the_rule(text in "\\PC{0,34}|[a-zA-Z0-9_.-]{0,34}") {
            if let Some(name) = read(&text) {
                let first = name.as_bytes()[0];
                prop_assert!(first.is_ascii_lowercase() || first.is_ascii_digit());
                prop_assert!(name.len() >= 2 && name.len() <= 30);
                prop_assert_eq!(read(&name), Some(name));
            }
        }
    }
}

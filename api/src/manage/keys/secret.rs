//! Secrets of API keys: 256 random bits, and the beginning that people recognise.

use crate::auth::{KEY_CHARS, KEY_START, hash};
use runtime::IdSource;
use std::fmt::Write;

/// How much of a key is shown: enough to tell a workspace's keys apart, far too little to guess one.
const PREFIX_CHARS: usize = KEY_START.len() + 6;

/// A new key. Not `Debug`, so that no log line can contain one.
pub(super) struct Secret(String);

impl Secret {
    /// Draws a key.
    pub(super) fn draw(ids: &dyn IdSource) -> Self {
        let mut text = String::with_capacity(KEY_CHARS);
        text.push_str(KEY_START);
        for byte in [ids.random_16(), ids.random_16()].into_iter().flatten() {
            // Writing into a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// What is kept of it.
    pub(super) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }

    /// What is shown of it later.
    pub(super) fn prefix(&self) -> &str {
        self.0.get(..PREFIX_CHARS).unwrap_or_default()
    }

    /// The key itself, for the answer that makes it.
    pub(super) fn reveal(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::SeededIds;
    use std::collections::BTreeSet;

    #[test]
    fn a_key_has_its_form_and_shows_only_its_beginning() {
        let secret = Secret::draw(&SeededIds::new(1));
        let (prefix, hash) = (secret.prefix().to_owned(), secret.hash());
        let key = secret.reveal();
        assert_eq!((key.len(), prefix.len()), (KEY_CHARS, 14));
        assert!(key.starts_with(&prefix) && prefix.starts_with("lw_live_"));
        let digits = key.trim_start_matches("lw_live_");
        assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(hash, crate::auth::hash(&key));
    }

    #[test]
    fn no_two_keys_are_equal() {
        let ids = SeededIds::new(1);
        let keys: BTreeSet<String> = (0..100).map(|_| Secret::draw(&ids).reveal()).collect();
        assert_eq!(keys.len(), 100);
    }
}

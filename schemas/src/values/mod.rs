//! Normalises the values of dimensions, so that equivalent values are one row of a report.
//!
//! The log holds normalised values, and filters of reports normalise their values in the same way.
//! The one rule: normalising a normalised value changes nothing.

mod grandfathered;
mod language;
mod location;

pub use location::{MAX_URL_CHARS, host, path};

use crate::visible::{is_blank, on_one_line};
use unicode_normalization::UnicodeNormalization;

/// Longest stored name of a browser, a system or a time zone, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// Longest stored value of a campaign parameter, in characters. Our choice: real ones are below
/// 100, and each distinct value is a row of a report.
pub const MAX_CAMPAIGN_CHARS: usize = 256;

/// Invisible characters around a text that do not affect its display: zero-width spaces and byte
/// order marks, which people copy with a text. Joiners and variation selectors belong to their
/// neighbours.
const ZERO_WIDTH: [char; 3] = ['\u{200b}', '\u{2060}', '\u{feff}'];

/// How to normalise the values of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Unchanged from the bundled data: cities and regions.
    AsGiven,
    /// A short text from a client: browsers, systems, time zones.
    Name,
    /// The value of a campaign parameter, in its letter case.
    Campaign,
    /// The value of a campaign parameter in lower case.
    LowerCaseCampaign,
    /// A canonical tag of BCP 47.
    Language,
    /// The host of a referrer without its `www.`.
    Referrer,
    /// The path of a URL, percent-encoded as in browsers.
    Path,
}

impl Spelling {
    /// The normalised value; `None` if the text is not a value of this kind.
    #[must_use]
    pub fn of(self, value: &str) -> Option<String> {
        match self {
            Self::AsGiven => Some(value.to_owned()),
            Self::Name => text(value, MAX_NAME_CHARS),
            Self::Campaign => campaign(value, str::to_owned),
            Self::LowerCaseCampaign => campaign(value, str::to_lowercase),
            Self::Language => language::canonical(value),
            Self::Referrer => location::host_of_text(value),
            Self::Path => location::path_of_text(value),
        }
    }
}

/// Normalises untrusted text for storage and cuts it at a number of characters; `None` if nothing
/// in it is visible.
///
/// U+0000, which PostgreSQL cannot hold, becomes U+FFFD. A tab or the end of a line becomes a
/// space. Other control characters are removed, and so are zero-width characters at both ends.
#[must_use]
pub fn text(text: &str, max_chars: usize) -> Option<String> {
    cut(&plain(text)?, max_chars)
}

fn campaign(value: &str, case: impl Fn(&str) -> String) -> Option<String> {
    let composed: String = case(&plain(value)?).nfc().collect();
    cut(&composed, MAX_CAMPAIGN_CHARS)
}

fn plain(text: &str) -> Option<String> {
    // Checked first: a text of only U+0000 is empty, although its replacement would be visible.
    if is_blank(text) {
        return None;
    }
    let plain = on_one_line(&text.replace('\0', "\u{fffd}"));
    Some(plain.trim_matches(is_edge).to_owned())
}

fn cut(text: &str, max_chars: usize) -> Option<String> {
    let end = text
        .char_indices()
        .nth(max_chars)
        .map_or(text.len(), |(at, _)| at);
    let cut = text.get(..end)?.trim_end_matches(is_edge);
    (!is_blank(cut)).then(|| cut.to_owned())
}

fn is_edge(char: char) -> bool {
    char.is_whitespace() || ZERO_WIDTH.contains(&char)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Spelling; 7] = [
        Spelling::AsGiven,
        Spelling::Name,
        Spelling::Campaign,
        Spelling::LowerCaseCampaign,
        Spelling::Language,
        Spelling::Referrer,
        Spelling::Path,
    ];

    #[test]
    fn an_invisible_text_is_not_a_value() {
        for value in [
            "",
            " \t",
            "\u{0}",
            "\u{0}\u{0}",
            "\u{7}",
            "\u{200b}",
            "\u{feff}\u{2060}",
            "\u{ad}",
            "\u{202e}",
            "\u{301}",
            "\u{2800}",
            "\u{fe0f}",
        ] {
            for spelling in [
                Spelling::Name,
                Spelling::Campaign,
                Spelling::LowerCaseCampaign,
            ] {
                assert_eq!(spelling.of(value), None, "{spelling:?} {value:?}");
            }
        }
        // The cut leaves nothing visible.
        let marks = format!("{}a", "\u{301}".repeat(MAX_CAMPAIGN_CHARS));
        assert_eq!(Spelling::Campaign.of(&marks), None);
    }

    #[test]
    fn removed_control_characters_do_not_join_words() {
        for (value, stored) in [
            ("\u{0}x", "\u{fffd}x"),
            ("a\u{0}b\nc", "a\u{fffd}b c"),
            ("a\tb", "a b"),
            ("\r\na\u{85}b\n", "a b"),
            ("a\u{7}b\u{1b}", "ab"),
            ("\u{fffd}", "\u{fffd}"),
            ("e\u{7}\u{301}", "\u{e9}"),
        ] {
            assert_eq!(Spelling::Campaign.of(value).as_deref(), Some(stored));
        }
    }

    #[test]
    fn zero_width_characters_are_removed_only_at_the_ends() {
        for (value, stored) in [
            ("\u{200b}x\u{feff} ", "x"),
            ("a\u{200b}b", "a\u{200b}b"),
            ("❤\u{fe0f}", "❤\u{fe0f}"),
            ("👩\u{200d}💻", "👩\u{200d}💻"),
        ] {
            assert_eq!(Spelling::Campaign.of(value).as_deref(), Some(stored));
        }
    }

    #[test]
    fn campaigns_are_composed_and_some_lose_their_case() {
        assert_eq!(
            Spelling::Campaign.of("CAFE\u{301}").as_deref(),
            Some("CAF\u{c9}")
        );
        assert_eq!(
            Spelling::LowerCaseCampaign.of("CAFE\u{301}").as_deref(),
            Some("caf\u{e9}")
        );
        let long = "é".repeat(300);
        let cut = Spelling::Campaign.of(&long).unwrap();
        assert_eq!(cut.chars().count(), MAX_CAMPAIGN_CHARS);
    }

    proptest! {
        #[test]
        fn a_normalised_value_stays_the_same(value in any::<String>(), shape in "[a-zA-Z./_-]{0,12}|\\PC{0,300}") {
            for value in [value, shape.clone(), format!("/{shape}"), format!("{shape}\u{200b}\u{3a3}\u{0}")] {
                // Only the host may change again, if it still has a `www.`.
                for spelling in ALL.into_iter().filter(|one| *one != Spelling::Referrer) {
                    if let Some(spelled) = spelling.of(&value) {
                        prop_assert_eq!(spelling.of(&spelled), Some(spelled));
                    }
                }
            }
        }
    }
}

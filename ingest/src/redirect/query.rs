//! The parameters of a short URL that are for us, read from the raw query.

use std::borrow::Cow;
use url::form_urlencoded;

/// The parameters that are for us, and never for a destination.
const OURS: [&str; 3] = ["no-track", "bot", "qr"];

/// True for a parameter that never goes on.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    OURS.contains(&name)
}

/// The value of the parameter `qr`: the code of a QR code.
#[must_use]
pub fn qr(query: Option<&str>) -> Option<Cow<'_, str>> {
    parameter(query?, "qr")
}

/// The first value of a parameter, decoded.
#[must_use]
pub fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(known, _)| known == name)
        .map(|(_, value)| value)
}

/// What the query asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `no-track`, with any value.
    pub is_untracked: bool,
    /// `bot`, empty or `1`. Other programs use the name for their own purposes.
    pub says_bot: bool,
}

impl Wishes {
    /// Reads a query.
    #[must_use]
    pub fn read(query: Option<&str>) -> Self {
        let mut wishes = Self::default();
        for pair in query.unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "no-track" => wishes.is_untracked = true,
                "bot" if matches!(value, "" | "1") => wishes.says_bot = true,
                _ => {}
            }
        }
        wishes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bot_counts_when_empty_or_one_and_no_track_always() {
        let read = |query: &str| {
            let wishes = Wishes::read(Some(query));
            (wishes.is_untracked, wishes.says_bot)
        };
        for (query, expected) in [
            ("bot", (false, true)),
            ("bot=", (false, true)),
            ("bot=1", (false, true)),
            ("a=b&bot=1&c", (false, true)),
            ("bot=0", (false, false)),
            ("bot=false", (false, false)),
            ("bot=chat", (false, false)),
            ("robot=1", (false, false)),
            ("no-track", (true, false)),
            ("no-track=1&bot", (true, true)),
            ("x=no-track", (false, false)),
            ("", (false, false)),
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
        assert_eq!(Wishes::read(None), Wishes::default());
    }
}

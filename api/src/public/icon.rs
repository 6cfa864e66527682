//! The small pictures of a page: drawn by us, named by links, for decoration only.

use crate::store::links::BioLink;
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// The picture before a link's title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon<'a> {
    /// Lines on a square of 24 units, as SVG path data.
    Lines(&'static str),
    /// An emoji or another sign from the creator.
    Sign(&'a str),
}

/// Longest sign, in characters: an emoji may consist of several.
const MAX_SIGN_CHARS: usize = 10;

const GLOBE: &str = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9c-3-3-3.5-6-3.5-9S9 6 12 3z";
const CHAIN: &str = "M10 14a4.5 4.5 0 0 0 6.5 0l3-3A4.6 4.6 0 0 0 13 4.5l-1.5 1.5M14 10a4.5 4.5 0 0 0-6.5 0l-3 3A4.6 4.6 0 0 0 11 19.5l1.5-1.5";
const MAIL: &str = "M3 6h18v12H3zM3 7l9 6 9-6";
const PHONE: &str =
    "M5 3h4l2 5-2.5 1.5a11 11 0 0 0 6 6L16 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 5a2 2 0 0 1 2-2z";
const NOTE: &str = "M9 18V6l11-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM20 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z";
const VIDEO: &str = "M4 6h16v12H4zM10 9.5v5l4.5-2.5z";
const CAMERA: &str = "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z";
const BAG: &str = "M5 8h14l1 13H4zM9 8V6.5a3 3 0 0 1 6 0V8";
const CALENDAR: &str = "M4 6h16v14H4zM4 10.5h16M8 3.5V8M16 3.5V8";
const BOOK: &str =
    "M12 6.5C10 5 7.5 4.5 4 4.5v14c3.5 0 6 .5 8 2 2-1.5 4.5-2 8-2v-14c-3.5 0-6 .5-8 2zM12 6.5v14";
const CODE: &str = "M8 7l-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14";
const HEART: &str =
    "M12 20.5C6 16.5 3 13 3 9.5A4.5 4.5 0 0 1 12 8a4.5 4.5 0 0 1 9 1.5c0 3.5-3 7-9 11z";
const STAR: &str = "M12 3.5l2.6 5.5 6 .8-4.4 4.2 1.1 6L12 17l-5.3 3 1.1-6L3.4 9.8l6-.8z";
const PIN: &str = "M12 21c5-5.5 7-8.5 7-11.5a7 7 0 0 0-14 0C5 12.5 7 15.5 12 21zM12 7a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z";
const MICROPHONE: &str =
    "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4M9 21h6";
const SPEECH: &str = "M4 5h16v11h-9l-5 4v-4H4z";
const ARROW_DOWN: &str = "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4 20h16";
const GIFT: &str = "M4 8.5h16v4H4zM5.5 12.5V20h13v-7.5M12 8.5V20M12 8.5C8 8.5 7 6.5 8 5s3.5 0 4 3.5c.5-3.5 3-5 4-3.5s0 3.5-4 3.5z";
const NEWS: &str = "M4 5h13v14H6a2 2 0 0 1-2-2zM17 9h3v8a2 2 0 0 1-2 2M7 9h7M7 12.5h7M7 16h4";
const PERSON: &str = "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20.5a7.5 7.5 0 0 1 15 0";

/// Names that a link may give, and platforms, in alphabetical order.
const NAMES: &[(&str, &str)] = &[
    ("applemusic", NOTE),
    ("bag", BAG),
    ("bandcamp", NOTE),
    ("blog", NEWS),
    ("bluesky", SPEECH),
    ("book", BOOK),
    ("calendar", CALENDAR),
    ("camera", CAMERA),
    ("cart", BAG),
    ("chat", SPEECH),
    ("code", CODE),
    ("discord", SPEECH),
    ("download", ARROW_DOWN),
    ("email", MAIL),
    ("facebook", PERSON),
    ("gift", GIFT),
    ("github", CODE),
    ("gitlab", CODE),
    ("globe", GLOBE),
    ("heart", HEART),
    ("instagram", CAMERA),
    ("link", CHAIN),
    ("linkedin", PERSON),
    ("mail", MAIL),
    ("map", PIN),
    ("mastodon", SPEECH),
    ("microphone", MICROPHONE),
    ("music", NOTE),
    ("news", NEWS),
    ("newsletter", MAIL),
    ("patreon", HEART),
    ("phone", PHONE),
    ("pinterest", STAR),
    ("podcast", MICROPHONE),
    ("reddit", SPEECH),
    ("shop", BAG),
    ("snapchat", CAMERA),
    ("soundcloud", NOTE),
    ("spotify", NOTE),
    ("star", STAR),
    ("substack", NEWS),
    ("telegram", SPEECH),
    ("threads", SPEECH),
    ("tiktok", VIDEO),
    ("twitch", VIDEO),
    ("twitter", SPEECH),
    ("user", PERSON),
    ("video", VIDEO),
    ("vimeo", VIDEO),
    ("website", GLOBE),
    ("whatsapp", SPEECH),
    ("x", SPEECH),
    ("youtube", VIDEO),
];

/// The picture of a link: its icon, else that of its platform, else that of its player, else a
/// globe.
pub(super) fn of(link: &BioLink) -> Icon<'_> {
    let given = link.icon.as_deref().and_then(read);
    let platform = || link.platform.as_deref().and_then(named).map(Icon::Lines);
    given
        .or_else(platform)
        .unwrap_or(Icon::Lines(match link.embed_type.as_deref() {
            Some("YOUTUBE" | "TIKTOK" | "TWITCH") => VIDEO,
            Some("SPOTIFY" | "SOUNDCLOUD" | "APPLE_MUSIC") => NOTE,
            _ => GLOBE,
        }))
}

fn read(text: &str) -> Option<Icon<'_>> {
    let text = text.trim();
    // An unknown word in letters would look like a title there.
    let sign = !text.is_empty()
        && text.chars().count() <= MAX_SIGN_CHARS
        && !text.chars().any(|c| c.is_alphabetic() || c.is_control());
    named(text)
        .map(Icon::Lines)
        .or_else(|| sign.then_some(Icon::Sign(text)))
}

fn named(text: &str) -> Option<&'static str> {
    // Case, blanks and hyphens do not count: `Apple Music` is `applemusic`.
    let name: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let found = NAMES.binary_search_by(|(known, _)| (*known).cmp(&name));
    NAMES.get(found.ok()?).map(|(_, lines)| *lines)
}

/// A picture of two footprints.
const FAVICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\">\
    <rect width=\"32\" height=\"32\" rx=\"8\" fill=\"#2f4bd8\"/>\
    <g fill=\"#fff\"><ellipse cx=\"11.5\" cy=\"11\" rx=\"3.5\" ry=\"5\"/><circle cx=\"11.5\" cy=\"19\" r=\"2.3\"/>\
    <ellipse cx=\"20.5\" cy=\"16\" rx=\"3.5\" ry=\"5\"/><circle cx=\"20.5\" cy=\"24\" r=\"2.3\"/></g></svg>";

/// `GET /favicon.svg`
pub(super) async fn send_favicon() -> Response {
    let kind = HeaderValue::from_static("image/svg+xml");
    let cache = HeaderValue::from_static("public, max-age=86400");
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)];
    (headers, FAVICON).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_each_is_found() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| *name));
        for (name, lines) in NAMES {
            assert_eq!(named(name), Some(*lines));
        }
        assert_eq!(named("Apple Music"), Some(NOTE));
        assert_eq!(named("unheard-of"), None);
    }

    #[test]
    fn an_emoji_is_a_sign_and_a_word_is_not() {
        assert_eq!(read(" 🎧 "), Some(Icon::Sign("🎧")));
        assert_eq!(read("👩‍💻"), Some(Icon::Sign("👩‍💻")));
        assert_eq!(read("globe"), Some(Icon::Lines(GLOBE)));
        for text in ["", "  ", "unheard-of", "<b>", "fa-solid fa-x", "\u{7}"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}

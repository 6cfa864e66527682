//! What a landing URL says: its path and its campaign parameters.
//!
//! The one rule: parameters are read as `URLSearchParams` reads them, so that a report shows what the
//! page's own scripts saw.

use super::{referrer::MAX_URL_CHARS, tidy};
use schemas::Utm;
use std::borrow::Cow;
use url::Url;

/// Longest value of a campaign parameter that is kept, in characters. Ours: real ones are below 100,
/// and each distinct value is a row of a report.
const MAX_VALUE_CHARS: usize = 256;

/// A landing URL, read. Both members are empty when it is missing or cannot be parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    /// The path, percent-encoded as a browser has it, starting with `/`.
    pub path: Option<String>,
    /// The campaign parameters; of one that is repeated, the first.
    pub utm: Utm,
}

/// Reads a landing URL as the client sent it.
#[must_use]
pub fn read(landing_url: Option<&str>) -> Landing {
    let Some(url) = landing_url.and_then(|url| Url::parse(url).ok()) else {
        return Landing::default();
    };
    let mut found = [const { None::<Cow<'_, str>> }; 5];
    let [source, medium, campaign, term, content] = &mut found;
    for (key, value) in url.query_pairs() {
        let slot = match key.as_ref() {
            "utm_source" => &mut *source,
            "utm_medium" => &mut *medium,
            "utm_campaign" => &mut *campaign,
            "utm_term" => &mut *term,
            "utm_content" => &mut *content,
            _ => continue,
        };
        slot.get_or_insert(value);
    }
    let [source, medium, campaign, term, content] =
        found.map(|value| value.and_then(|value| tidy(&value, MAX_VALUE_CHARS)));
    Landing {
        path: path(&url),
        utm: Utm {
            source,
            medium,
            campaign,
            term,
            content,
        },
    }
}

/// The path of a URL that has places below it; `data:` and `mailto:` have none.
fn path(url: &Url) -> Option<String> {
    if url.cannot_be_a_base() {
        return None;
    }
    let path = url.path();
    let cut = path
        .char_indices()
        .nth(MAX_URL_CHARS)
        .map_or(path.len(), |(at, _)| at);
    path.get(..cut)
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utm(url: &str) -> Utm {
        read(Some(url)).utm
    }

    #[test]
    fn parameters_are_decoded_like_a_form() {
        let utm = utm(
            "https://bio.example/@ada?utm_source=Insta+gram&utm_medium=sosyal%20medya\
             &utm_campaign=%F0%9F%8C%9E&utm_term=a%2Bb&utm_content=%C3%BC",
        );
        assert_eq!(utm.source.as_deref(), Some("Insta gram"));
        assert_eq!(utm.medium.as_deref(), Some("sosyal medya"));
        assert_eq!(utm.campaign.as_deref(), Some("🌞"));
        assert_eq!(utm.term.as_deref(), Some("a+b"));
        assert_eq!(utm.content.as_deref(), Some("ü"));
    }

    #[test]
    fn the_first_occurrence_wins_even_when_it_is_empty() {
        assert_eq!(
            utm("https://x.example/?utm_source=a&utm_source=b").source,
            Some("a".to_owned())
        );
        assert_eq!(
            utm("https://x.example/?utm_source=&utm_source=b").source,
            None
        );
        assert!(utm("https://x.example/?utm_source=+&utm_medium").is_empty());
        assert!(utm("https://x.example/?UTM_SOURCE=a#utm_source=b").is_empty());
    }

    #[test]
    fn what_a_table_cannot_hold_is_taken_out() {
        let utm = utm("https://x.example/?utm_source=a%00b%0Ac&utm_medium=%FF");
        assert_eq!(utm.source.as_deref(), Some("abc"));
        assert_eq!(utm.medium.as_deref(), Some("\u{fffd}"));
        let long = read(Some(&format!(
            "https://x.example/?utm_term={}",
            "é".repeat(300)
        )));
        assert_eq!(long.utm.term.unwrap().chars().count(), MAX_VALUE_CHARS);
    }

    #[test]
    fn the_path_is_the_browsers() {
        let path = |url| read(Some(url)).path;
        assert_eq!(path("https://x.example").as_deref(), Some("/"));
        assert_eq!(
            path("https://x.example/@ada/../é b?x#y").as_deref(),
            Some("/%C3%A9%20b")
        );
        assert_eq!(path("/only/a/path"), None);
        assert_eq!(path("mailto:a@example.com"), None);
        assert_eq!(path("not a url"), None);
        assert_eq!(read(None), Landing::default());
        let long = format!("https://x.example/{}", "é".repeat(2_000));
        assert_eq!(path(&long).unwrap().len(), MAX_URL_CHARS);
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_stays_in_bounds(text in "\\PC*", query in any::<String>()) {
            let _ = read(Some(&text));
            let landing = read(Some(&format!("https://x.example/{text}?utm_source={query}")));
            prop_assert!(landing.path.is_none_or(|path| path.len() <= MAX_URL_CHARS));
            if let Some(source) = landing.utm.source {
                prop_assert!(!source.is_empty() && source.chars().count() <= MAX_VALUE_CHARS);
                prop_assert!(!source.chars().any(char::is_control));
            }
        }
    }
}

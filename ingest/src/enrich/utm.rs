//! What a landing URL says: its host, its path and its campaign parameters.
//!
//! The one rule: people write links by hand and through programs that escape twice, so parameters are read
//! as they were meant, and values that mean the same are stored alike.

use super::{
    referrer::{MAX_URL_CHARS, domain_of},
    tidy,
};
use schemas::Utm;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use url::{Url, form_urlencoded};

/// Longest value of a campaign parameter that is kept, in characters. Ours: real ones are below 100,
/// and each distinct value is a row of a report.
const MAX_VALUE_CHARS: usize = 256;

/// What is left of an `&` that was escaped for HTML and not read as HTML.
const ESCAPED: &str = "amp;";

/// A landing URL, read. All members are empty when it is missing or cannot be parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    /// The host, as [`super::referrer::Referrer::domain`] has it.
    pub domain: Option<String>,
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
    let query = url.query().map(parameters).unwrap_or_default();
    let utm = if query.is_empty() {
        url.fragment().map(parameters).unwrap_or_default()
    } else {
        query
    };
    Landing {
        domain: domain_of(&url),
        path: path(&url),
        utm,
    }
}

/// The campaign parameters of a query: named in any case, behind `&`, `&amp;` or one more `?`.
fn parameters(query: &str) -> Utm {
    let query = query.replace('?', "&");
    let mut found = [const { None::<Cow<'_, str>> }; 5];
    let [source, medium, campaign, term, content] = &mut found;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let slot = match plain_name(&name).as_str() {
            "utm_source" => &mut *source,
            "utm_medium" => &mut *medium,
            "utm_campaign" => &mut *campaign,
            "utm_term" => &mut *term,
            "utm_content" => &mut *content,
            _ => continue,
        };
        slot.get_or_insert(value);
    }
    let [source, medium, campaign, term, content] = found;
    let kept = |value: Option<Cow<'_, str>>| value.and_then(|value| as_stored(value.nfc()));
    let in_lower_case =
        |value: Option<Cow<'_, str>>| value.and_then(|value| as_stored(value.to_lowercase().nfc()));
    Utm {
        source: in_lower_case(source),
        medium: in_lower_case(medium),
        campaign: kept(campaign),
        term: kept(term),
        content: kept(content),
    }
}

fn plain_name(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    name.trim_start_matches(ESCAPED).to_owned()
}

fn as_stored(value: impl Iterator<Item = char>) -> Option<String> {
    tidy(&value.collect::<String>(), MAX_VALUE_CHARS)
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
        assert_eq!(utm.source.as_deref(), Some("insta gram"));
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
    }

    #[test]
    fn names_are_read_in_any_case_and_behind_any_separator() {
        let both = |query: &str| {
            let utm = utm(&format!("https://x.example/{query}"));
            (
                utm.source.unwrap_or_default(),
                utm.medium.unwrap_or_default(),
            )
        };
        let expected = ("n".to_owned(), "e".to_owned());
        for query in [
            "?utm_source=n&utm_medium=e",
            "?utm_source=n&amp;utm_medium=e",
            "?utm_source=n&amp;amp;utm_medium=e",
            "?utm_source=n&AMP;utm_medium=e",
            "?utm_source=n?utm_medium=e",
            "?ref=a?utm_source=n&utm_medium=e",
            "?UTM_SOURCE=n&Utm_Medium=e",
            "?utm%5Fsource=n&utm_medium=e",
            "?utm_source=%20N+&utm_medium=E",
            "#utm_source=n&utm_medium=e",
            "?page=2#utm_source=n&amp;utm_medium=e",
            "#/shop?utm_source=n&utm_medium=e",
            "#?utm_source=n&utm_medium=e",
        ] {
            assert_eq!(both(query), expected, "{query}");
        }
        // The query goes before the fragment, as a whole.
        assert_eq!(both("?utm_source=n#utm_source=x&utm_medium=y").0, "n");
        assert_eq!(both("?utm_source=n#utm_medium=y").1, "");
        assert_eq!(both("?xutm_source=n&utm_source_platform=x").0, "");
    }

    #[test]
    fn values_that_mean_the_same_are_one() {
        let one = utm("https://x.example/?utm_source=Caf%C3%A9&utm_campaign=Caf%C3%A9");
        let other = utm("https://x.example/?utm_source=CAFE%CC%81&utm_campaign=Cafe%CC%81%20");
        assert_eq!(one, other);
        assert_eq!(one.source.as_deref(), Some("caf\u{e9}"));
        assert_eq!(
            one.campaign.as_deref(),
            Some("Caf\u{e9}"),
            "only source and medium lose their case"
        );
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
        assert_eq!(
            read(Some("https://www.x.example:8443/a")).domain.as_deref(),
            Some("x.example")
        );
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

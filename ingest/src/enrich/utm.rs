//! Reads a landing URL: its host, its path and its campaign parameters.
//!
//! The one rule: people write links by hand, and programs escape them twice. So parameters are read
//! as they were meant, and values with the same meaning are stored alike.

use schemas::{
    Utm,
    values::{Spelling, host, path},
};
use std::borrow::Cow;
use url::{Url, form_urlencoded};

/// The text after `&` in an escaped ampersand of HTML: by name, and by number in decimal and
/// hexadecimal digits. Numbers may begin with zeros.
const ESCAPED: [(&str, &str); 3] = [("", "amp;"), ("#", "38;"), ("#x", "26;")];

/// A landing URL that was read. All members are empty when it is missing or invalid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    /// The host, in the form of [`super::referrer::Referrer::domain`].
    pub domain: Option<String>,
    /// The path, percent-encoded as in a browser, starting with `/`.
    pub path: Option<String>,
    /// The campaign parameters. The first of repeated ones wins.
    pub utm: Utm,
}

/// Reads a landing URL as the client sent it.
#[must_use]
pub fn read(landing_url: Option<&str>) -> Landing {
    let parse = |url: &str| Url::parse(&with_plain_separators(url)).ok();
    let Some(url) = landing_url.and_then(parse) else {
        return Landing::default();
    };
    let query = url.query().map(parameters).unwrap_or_default();
    // Single-page apps may have their parameters in the fragment.
    let utm = if query.is_empty() {
        url.fragment().map(parameters).unwrap_or_default()
    } else {
        query
    };
    Landing {
        domain: host(&url),
        path: path(&url),
        utm,
    }
}

/// The campaign parameters of an address opened with this query, each replaced by that of
/// `behind` when it is missing or empty.
#[must_use]
pub fn of_query(query: Option<&str>, behind: &Utm) -> Utm {
    let own = query.map(parameters).unwrap_or_default();
    let either = |own: Option<String>, other: &Option<String>| own.or_else(|| other.clone());
    Utm {
        source: either(own.source, &behind.source),
        medium: either(own.medium, &behind.medium),
        campaign: either(own.campaign, &behind.campaign),
        term: either(own.term, &behind.term),
        content: either(own.content, &behind.content),
    }
}

/// The campaign parameters of a query. Their names may be in any case, after `&`, an escaped `&` or
/// a second `?`.
fn parameters(query: &str) -> Utm {
    // A second `?` in a link made by hand separates parameters.
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
    let spelled = |value: Option<Cow<'_, str>>, spelling: Spelling| {
        value.and_then(|value| spelling.of(&value))
    };
    Utm {
        source: spelled(source, Spelling::LowerCaseCampaign),
        medium: spelled(medium, Spelling::LowerCaseCampaign),
        campaign: spelled(campaign, Spelling::Campaign),
        term: spelled(term, Spelling::Campaign),
        content: spelled(content, Spelling::Campaign),
    }
}

fn plain_name(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    unescaped(&name).to_owned()
}

/// Replaces escaped ampersands in the query by `&`. Otherwise the `#` of `&#38;` would start the
/// fragment.
fn with_plain_separators(url: &str) -> Cow<'_, str> {
    let query = url
        .find('?')
        .and_then(|at| url.get(at..))
        .unwrap_or_default();
    // Only escapes by number must be replaced before parsing. Others are removed from names later.
    if !query.contains('#') {
        return url.into();
    }
    let before = url.len() - query.len() + query.find('&').unwrap_or(query.len());
    let (before, parameters) = url.split_at_checked(before).unwrap_or((url, ""));
    let parameters: Vec<&str> = parameters.split('&').map(unescaped).collect();
    format!("{before}{}", parameters.join("&")).into()
}

/// Removes the rest of an escaped ampersand from the text after `&`, however often it was escaped.
fn unescaped(behind: &str) -> &str {
    let mut rest = behind;
    while let Some(plain) = ESCAPED.iter().find_map(|form| without(*form, rest)) {
        rest = plain;
    }
    rest
}

fn without<'a>((mark, end): (&str, &str), text: &'a str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(mark.len())?;
    let rest = if mark.is_empty() {
        rest
    } else {
        rest.trim_start_matches('0')
    };
    let (found, rest) = rest.split_at_checked(end.len())?;
    (start.eq_ignore_ascii_case(mark) && found.eq_ignore_ascii_case(end)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schemas::values::{MAX_CAMPAIGN_CHARS, MAX_URL_CHARS};

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
    fn names_are_read_in_any_case_and_after_any_separator() {
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
            "?utm_source=n&#38;utm_medium=e",
            "?utm_source=n&#038;utm_medium=e",
            "?utm_source=n&#x26;utm_medium=e",
            "?utm_source=n&#X0026;utm_medium=e",
            "?utm_source=n&amp;#38;utm_medium=e",
            "?utm_source=n&#38;amp;utm_medium=e",
            "?utm_source=n&#38;#38;utm_medium=e",
            "?utm_source=n&amp%3Butm_medium=e",
            "?utm_source=n&%2338;utm_medium=e",
            "?utm_source=n?utm_medium=e",
            "?ref=a?utm_source=n&utm_medium=e",
            "?UTM_SOURCE=n&Utm_Medium=e",
            "?utm%5Fsource=n&utm_medium=e",
            "?utm_source=%20N+&utm_medium=E",
            "#utm_source=n&utm_medium=e",
            "?page=2#utm_source=n&amp;utm_medium=e",
            "#/shop?utm_source=n&utm_medium=e",
            "#?utm_source=n&utm_medium=e",
            "#utm_source=n&#38;utm_medium=e",
            "?page=2&#38;utm_source=n&#38;utm_medium=e#top",
        ] {
            assert_eq!(both(query), expected, "{query}");
        }
        // If the query has parameters, the fragment is not read.
        assert_eq!(both("?utm_source=n#utm_source=x&utm_medium=y").0, "n");
        assert_eq!(both("?utm_source=n#utm_medium=y").1, "");
        assert_eq!(both("?xutm_source=n&utm_source_platform=x").0, "");
        // A fragment that only looks like an escape.
        assert_eq!(both("?utm_source=n&#3").0, "n");
        assert_eq!(both("?utm_source=n&#39;utm_medium=e").1, "");
    }

    #[test]
    fn values_with_the_same_meaning_are_stored_alike() {
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
    fn values_are_spelled_as_reports_show_them() {
        let spelled = |value: &str| {
            let utm = utm(&format!(
                "https://x.example/?utm_source={value}&utm_term={value}"
            ));
            (utm.source, utm.term)
        };
        let both = |text: &str| (Some(text.to_owned()), Some(text.to_owned()));
        for (value, stored) in [
            ("%00x", both("\u{fffd}x")),
            ("a%00b%0Ac", both("a\u{fffd}b c")),
            ("%FF", both("\u{fffd}")),
            ("%E2%80%8Bx", both("x")),
            ("%00", (None, None)),
            ("%E2%80%8B", (None, None)),
            ("%EF%BB%BF+%C2%AD", (None, None)),
        ] {
            assert_eq!(spelled(value), stored, "{value}");
        }
        let long = spelled(&"é".repeat(300)).1.unwrap();
        assert_eq!(long.chars().count(), MAX_CAMPAIGN_CHARS);
    }

    #[test]
    fn a_query_beats_the_parameters_behind_it_unless_it_is_empty() {
        let behind = utm("https://x.example/?utm_source=shop&utm_medium=web&utm_term=t");
        let both = of_query(Some("utm_source=Mail&utm_medium=&utm_content=c"), &behind);
        assert_eq!(both.source.as_deref(), Some("mail"));
        assert_eq!(both.medium.as_deref(), Some("web"));
        assert_eq!(both.term.as_deref(), Some("t"));
        assert_eq!(both.content.as_deref(), Some("c"));
        assert_eq!(of_query(None, &behind), behind);
    }

    #[test]
    fn the_path_is_encoded_as_in_a_browser() {
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
                prop_assert!(!source.is_empty() && source.chars().count() <= MAX_CAMPAIGN_CHARS);
                prop_assert!(!source.chars().any(char::is_control));
            }
        }
    }
}

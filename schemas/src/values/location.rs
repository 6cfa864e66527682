//! The parts of URLs in reports: hosts of referrers, paths of pages.
//!
//! The one rule: a filter typed by a person is parsed like the URL that it means.

use url::Url;

/// Longest stored URL or path, in characters: the limit on what a client may send.
pub const MAX_URL_CHARS: usize = 2_048;

/// The host of a URL without its first `www.`, at any position in the host, as the published
/// examples require.
#[must_use]
pub fn host(url: &Url) -> Option<String> {
    url.host_str().map(|host| host.replacen("www.", "", 1))
}

/// The path of a URL, percent-encoded and cut. `data:` and `mailto:` URLs have none.
#[must_use]
pub fn path(url: &Url) -> Option<String> {
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

/// The host in a text that is a URL or only a host.
pub(super) fn host_of_text(text: &str) -> Option<String> {
    let text = text.trim();
    let url = if text.contains("://") {
        Url::parse(text).ok()?
    } else if text.contains(['/', '\\', '?', '#', '@', ':']) {
        return None;
    } else {
        Url::parse(&format!("https://{text}/")).ok()?
    };
    host(&url).filter(|host| !host.is_empty())
}

/// The path in a text that is a URL or only a path.
pub(super) fn path_of_text(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.starts_with('/') {
        return path(&Url::parse(text).ok()?);
    }
    let mut url = Url::parse("https://host.invalid/").ok()?;
    url.set_path(text);
    path(&url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_parsed_as_in_browsers() {
        for (text, expected) in [
            ("Instagram.com", Some("instagram.com")),
            ("www.instagram.com", Some("instagram.com")),
            (" l.instagram.com ", Some("l.instagram.com")),
            ("https://www.instagram.com/ada?x#y", Some("instagram.com")),
            ("b\u{fc}cher.example", Some("xn--bcher-kva.example")),
            ("android-app://com.Slack", Some("com.Slack")),
            ("", None),
            ("www.", None),
            ("a b", None),
            ("a/b", None),
            ("user@host", None),
            ("mailto:a@b.example", None),
        ] {
            assert_eq!(host_of_text(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn paths_are_encoded_as_in_browsers() {
        for (text, expected) in [
            ("/", Some("/")),
            ("/é b", Some("/%C3%A9%20b")),
            ("/%C3%A9%20b", Some("/%C3%A9%20b")),
            ("/a/../b", Some("/b")),
            ("https://x.example/é?x#y", Some("/%C3%A9")),
            ("about", None),
            ("", None),
            ("mailto:a@b.example", None),
        ] {
            assert_eq!(path_of_text(text).as_deref(), expected, "{text}");
        }
        let long = path_of_text(&format!("/{}", "é".repeat(2_000))).unwrap();
        assert_eq!(long.len(), MAX_URL_CHARS);
    }
}

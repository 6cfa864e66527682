//! Valid destinations of a link: full http or https addresses, kept as written.

use url::{Host, Url};

/// The schemes of a link, as it must begin. `http:example.com` is a valid URL too, but a mistake.
const PREFIXES: [&str; 2] = ["http://", "https://"];

/// The url as given, trimmed, and as a browser parses it. `None` for a url that a link may not
/// have: another scheme or none, white space or angle brackets inside, or a host without a dot, as
/// in `IsUrl()`.
pub(crate) fn read(text: &str) -> Option<(&str, Url)> {
    let text = text.trim();
    let scheme = PREFIXES.iter().any(|prefix| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    // Browsers drop line ends and tabs inside a url; kept as given, they would end up in a header.
    let strange = |c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '>';
    if !scheme || text.contains(strange) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let named = match url.host()? {
        Host::Domain(domain) => domain.trim_end_matches('.').contains('.'),
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    };
    named.then_some((text, url))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn only_full_http_addresses_are_accepted_and_kept_as_given() {
        for text in [
            "https://example.com",
            "http://example.com/a?b=c#d",
            "HTTPS://Example.COM/",
            "https://bücher.example/straße",
            "https://xn--bcher-kva.example",
            "https://user:word@example.com/",
            "http://127.0.0.1:8080/x",
            "http://[2001:db8::1]/",
            "https://example.com./",
        ] {
            assert_eq!(read(text).map(|(given, _)| given), Some(text));
            let padded = format!("  {text}\n");
            assert_eq!(read(&padded).map(|(given, _)| given), Some(text));
        }
        for text in [
            "",
            "example.com",
            "//example.com",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "ftp://example.com",
            "mailto:a@example.com",
            "http:example.com",
            "https:/example.com",
            "https://",
            "https://localhost",
            "https://ex ample.com",
            "https://example.com/a\r\nset-cookie:x",
            "https://example.com/<script>",
            "http://exa\u{0}mple.com",
            "https://exämple.com:99999/",
            "https://user@",
        ] {
            assert!(read(text).is_none(), "{text:?}");
        }
    }
}

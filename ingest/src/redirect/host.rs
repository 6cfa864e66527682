//! Hosts in the one form in which they are compared: lower case, punycode, no port, no final dot.

use std::borrow::Cow;
use url::{Host, Url};

/// Longest host, in bytes: the longest DNS name.
const MAX_HOST_BYTES: usize = 253;

/// The host of a request, as its `Host` header has it. `None` for a text that is no host.
#[must_use]
pub fn normalised(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let bare = match text.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => text,
    };
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    if bare.is_empty() || bare.len() > MAX_HOST_BYTES {
        return None;
    }
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
    };
    if bare.bytes().all(is_plain) {
        return Some(Cow::Borrowed(bare));
    }
    let host = Host::parse(bare).ok()?;
    Some(Cow::Owned(host.to_string()))
}

/// The host of an address.
#[must_use]
pub fn of_url(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    normalised(host).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_spelling_of_a_host_does_not_matter() {
        for (given, expected) in [
            ("go.example", "go.example"),
            ("GO.Example.:8443", "go.example"),
            ("go.example:", "go.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example:80", "xn--bcher-kva.example"),
            ("127.0.0.1:8080", "127.0.0.1"),
            ("[::1]:8080", "[::1]"),
            ("a_b.example", "a_b.example"),
        ] {
            assert_eq!(normalised(given).as_deref(), Some(expected), "{given}");
        }
        for wrong in ["", ".", ":80", "a b", "a/b", "u@go.example", "[::1"] {
            assert_eq!(normalised(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_host_of_an_address_is_the_one_of_its_requests() {
        assert_eq!(
            of_url("https://Bücher.Example:8443/x").as_deref(),
            Some("xn--bcher-kva.example")
        );
        assert_eq!(of_url("http://[::1]:8080").as_deref(), Some("[::1]"));
        assert_eq!(of_url("not an address"), None);
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_gives_lower_case(text in any::<String>()) {
            if let Some(host) = normalised(&text) {
                prop_assert!(!host.bytes().any(|byte| byte.is_ascii_uppercase()));
            }
        }
    }
}

//! Where links may lead: the one check of destinations, fallbacks and deep links.
//!
//! Every entry point calls it: create, change, bulk, upsert, rules. It contacts nothing. The one
//! rule: what it returns fits into a `Location` header byte for byte.

mod hosts;

pub(crate) use hosts::{Hosts, candidates};

use super::short_links::short_code;
use percent_encoding::percent_decode_str;
use schemas::signed;
use std::borrow::Cow;
use url::{Host, Url};

/// Longest destination, in bytes as sent in the header.
pub(crate) const MAX_BYTES: usize = 8_192;

/// Longest deep link, in bytes.
pub(crate) const MAX_DEEP_LINK_BYTES: usize = 2_048;

/// Schemes that run or read something in the browser instead of opening an app.
const DANGEROUS: [&str; 10] = [
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "intent",
    "javascript",
    "mhtml",
    "vbscript",
    "view-source",
];

/// A destination as stored: as written, without surrounding white space, with a raw space as `%20`
/// and characters outside ASCII percent-encoded. The error completes the sentence "destinationUrl …".
pub(crate) fn destination(text: &str, hosts: &Hosts) -> Result<String, String> {
    let text = text.trim_matches(' ');
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters or line ends".to_owned());
    }
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err(without_scheme(text));
    }
    let url = Url::parse(text).map_err(|error| format!("is not a valid address: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user or a password".to_owned());
    }
    let named = match url.host() {
        Some(Host::Domain(domain)) => domain.trim_end_matches('.').contains('.'),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    };
    if !named {
        return Err("must have a full host name, such as shop.example".to_owned());
    }
    if hosts.lead_back(&url) {
        return Err(
            "must not lead to a short link of this service, which would be a loop".to_owned(),
        );
    }
    let stored = ascii(text, &url);
    if stored.len() > MAX_BYTES {
        return Err(format!("must have at most {MAX_BYTES} bytes"));
    }
    Ok(stored)
}

/// An address that an app opens, as written: `myapp://p/1`, or a web address that is a valid
/// destination. The error completes a sentence like that of [`destination`].
pub(crate) fn deep_link(text: &str, hosts: &Hosts) -> Result<String, String> {
    let text = text.trim();
    let (scheme, rest) = text
        .split_once(':')
        .ok_or_else(|| "must begin with a scheme, such as myapp://".to_owned())?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "http" || scheme == "https" {
        return destination(text, hosts);
    }
    let mut bytes = scheme.bytes();
    let valid = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    if !valid || rest.is_empty() {
        return Err("must be an address of an app, such as myapp://products/1".to_owned());
    }
    if DANGEROUS.contains(&&*scheme) {
        return Err(format!("must not have the scheme {scheme}"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            "must contain ASCII characters without spaces only; encode others as %XX".to_owned(),
        );
    }
    if text.len() > MAX_DEEP_LINK_BYTES {
        return Err(format!("must have at most {MAX_DEEP_LINK_BYTES} bytes"));
    }
    Ok(text.to_owned())
}

/// True for a destination whose query is signed, so that a redirect adds nothing to it.
pub(crate) fn is_signed(destination: &str) -> bool {
    let Ok(url) = Url::parse(destination) else {
        return false;
    };
    let names: Vec<Cow<'_, str>> = url.query_pairs().map(|(name, _)| name).collect();
    signed::is_signed(|name| names.iter().any(|own| own.eq_ignore_ascii_case(name)))
}

/// What is wrong with a text that does not begin with http:// or https://.
fn without_scheme(text: &str) -> String {
    let guess = format!("https://{text}");
    let plausible = !text.contains([':', ' '])
        && Url::parse(&guess).is_ok_and(|url| {
            url.host_str().is_some_and(|host| host.contains('.')) && url.username().is_empty()
        });
    if plausible {
        // Long texts are cut by the answer.
        format!("must begin with http:// or https://, for example {guess}")
    } else {
        "must be a full http or https address, such as https://shop.example/x".to_owned()
    }
}

/// The text in ASCII: the host in punycode, everything else percent-encoded as UTF-8. An ASCII
/// text is unchanged, except for raw spaces.
fn ascii(text: &str, url: &Url) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at_checked(start).unwrap_or(("", text));
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let authority = if authority.is_ascii() {
        Cow::Borrowed(authority)
    } else {
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}"));
        Cow::Owned(format!("{host}{}", port.unwrap_or_default()))
    };
    let mut stored = format!("{scheme}{authority}");
    let mut buffer = [0; 4];
    for character in rest.chars() {
        if character.is_ascii() && character != ' ' {
            stored.push(character);
        } else {
            for byte in character.encode_utf8(&mut buffer).bytes() {
                stored.push_str(percent_encoding::percent_encode_byte(byte));
            }
        }
    }
    stored
}

/// The code that a path of a short host would open.
fn code_in(path: &str) -> Option<String> {
    let segment = path.trim_matches('/');
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    let plain = decoded.trim_end_matches(|last: char| !last.is_alphanumeric());
    short_code::is_code(plain).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hosts() -> Hosts {
        Hosts::new(["go.example".to_owned()])
    }

    fn read(text: &str) -> Result<String, String> {
        destination(text, &hosts())
    }

    #[test]
    fn a_destination_is_kept_byte_for_byte() {
        for text in [
            "https://en.example/?2+2_(TV)",
            "https://l.example/?Parameter=2r8b%2B6h",
            "https://m.example/?id=287#!ct/1",
            "http://l.example?pub_id=28CL11&url=https://p.example/dth",
            "https://b.example/f?X-Amz-Date=1&X-Amz-Signature=2",
            "https://a.example/s?a=1&b=2",
            "HTTPS://Example.COM/%0d%0a",
            "http://127.0.0.1:8080/x",
            "http://[2001:db8::1]/",
            "https://shop.example/a/../b",
            "https://go.example/",
            "https://go.example/@ada",
            "https://go.example/a/b",
            "https://other.go.example/promo",
        ] {
            assert_eq!(read(text).as_deref(), Ok(text));
            assert_eq!(read(&format!(" {text}  ")).as_deref(), Ok(text));
        }
    }

    #[test]
    fn raw_spaces_and_letters_outside_ascii_are_encoded() {
        for (text, stored) in [
            (
                "https://a.example/?region=Dallas%20%2F%20Fort Worth",
                "https://a.example/?region=Dallas%20%2F%20Fort%20Worth",
            ),
            (
                "https://Bücher.example:81/straße?ü#ö",
                "https://xn--bcher-kva.example:81/stra%C3%9Fe?%C3%BC#%C3%B6",
            ),
        ] {
            assert_eq!(read(text).as_deref(), Ok(stored));
        }
    }

    #[test]
    fn other_schemes_loops_and_broken_addresses_are_refused() {
        for text in [
            "",
            "javascript:alert(1)",
            " JaVa\tScript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "mailto:a@example.com",
            "//shop.example",
            "http:shop.example",
            "https://",
            "https://localhost/x",
            "https://a.example/\r\nset-cookie:x",
            "https://a.example/\nx",
            "https://a.example/\u{85}",
            "https://ada@a.example/",
            "https://ada:secret@a.example/",
            "https://a.example:99999/",
            "https://GO.EXAMPLE.:443/Promo",
            "https://u@go.example/promo",
            "https://www.go.example/promo",
            "http://go.example:8080/promo/",
            "https://go.example/promo).",
            "https://go.example/%70romo?x#y",
            "https://go.example\\promo",
            "https://go.example/./promo",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
        let hint = read("shop.example/x").unwrap_err();
        assert!(hint.contains("https://shop.example/x"), "{hint}");
    }

    #[test]
    fn length_counts_bytes_of_the_stored_form() {
        let sized = |bytes: usize| format!("https://a.example/#{}", "x".repeat(bytes - 19));
        assert_eq!(
            read(&sized(MAX_BYTES)).map(|text| text.len()),
            Ok(MAX_BYTES)
        );
        assert!(read(&sized(MAX_BYTES + 1)).is_err());
        assert!(read(&format!("https://a.example/{}", "ü".repeat(3_000))).is_err());
    }

    #[test]
    fn deep_links_are_addresses_of_apps_and_never_scripts() {
        for text in [
            "myapp://p/1",
            "myapp://x?parameter=A%20%2B%20B",
            "com.example.shop:open",
            "https://shop.example/app",
        ] {
            assert_eq!(deep_link(text, &hosts()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "myapp",
            "myapp:",
            "://x",
            "1app://x",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "file:///x",
            "intent://x#Intent;end",
            "myapp://a b",
            "myapp://ü",
            "myapp://a\nb",
            "https://go.example/promo",
        ] {
            assert!(deep_link(text, &hosts()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn signed_destinations_are_recognised() {
        for (query, signed) in [
            ("X-Amz-Date=1&X-Amz-Signature=2", true),
            ("X-Goog-Signature=2", true),
            ("Signature=a&Expires=1", true),
            ("Signature=a&Key-Pair-Id=1", true),
            ("x-goog-signature=2", true),
            ("X%2DAmz-Signature=1", true),
            ("sv=1&sig=a&se=2", true),
            ("Signature=a", false),
            ("sig=a", false),
            ("a=X-Amz-Signature", false),
        ] {
            let text = format!("https://b.example/f?{query}");
            assert_eq!(is_signed(&text), signed, "{query}");
        }
    }

    proptest! {
        #[test]
        fn what_is_stored_fits_into_a_header_and_leads_to_the_same_place(text in any::<String>(), tail in ".{0,40}") {
            for text in [text, format!("https://a.example/{tail}"), format!("https://{tail}")] {
                let _ = deep_link(&text, &hosts());
                let Ok(stored) = read(&text) else { continue };
                prop_assert!(stored.bytes().all(|byte| byte.is_ascii_graphic()), "{}", stored);
                let given = Url::parse(text.trim_matches(' ')).unwrap();
                prop_assert_eq!(Url::parse(&stored).unwrap(), given);
                prop_assert_eq!(read(&stored), Ok(stored.clone()));
            }
        }
    }
}

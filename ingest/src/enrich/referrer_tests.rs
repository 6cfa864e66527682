//! Tests the referrer's host against a simple model of a browser, and oddities by hand.

use super::referrer::*;
use proptest::prelude::*;

fn domain(referrer: &str) -> String {
    read(Some(referrer)).domain
}

#[test]
fn hosts_are_those_of_a_browser() {
    for (referrer, expected) in [
        ("https://www.instagram.com/ada/", "instagram.com"),
        (
            "https://l.instagram.com/?u=https%3A%2F%2Fwww.x.com",
            "l.instagram.com",
        ),
        ("HTTPS://WWW.Example.COM:8443/a?b#c", "example.com"),
        ("https://user:pass@www.example.com/", "example.com"),
        // Only the first "www." is removed, at any position.
        ("https://awww.example.com/", "aexample.com"),
        ("https://www.www.example.com/", "www.example.com"),
        ("https://example.com/www.html", "example.com"),
        ("https://shop.www.example.com/", "shop.example.com"),
        ("https://münchen.de/", "xn--mnchen-3ya.de"),
        ("https://пример.рф/путь", "xn--e1afmkfd.xn--p1ai"),
        ("http://[2001:DB8::1]:8080/", "[2001:db8::1]"),
        ("http://0x7f.1/", "127.0.0.1"),
        (
            "android-app://com.google.android.gm",
            "com.google.android.gm",
        ),
        ("android-app://com.Slack/", "com.Slack"),
        ("  https://example.com/\n", "example.com"),
        ("https:example.com", "example.com"),
        ("https:\\\\example.com\\path", "example.com"),
        ("ftp://www.example.com/file", "example.com"),
        ("https://example.com./", "example.com."),
    ] {
        assert_eq!(domain(referrer), expected, "{referrer}");
    }
}

#[test]
fn without_a_host_a_visit_is_direct() {
    for referrer in [
        "",
        " ",
        "direct",
        "example.com",
        "/path",
        "//example.com/",
        "https://",
        "https://www.",
        "http://www./",
        "about:blank",
        "data:text/html,hi",
        "mailto:ada@example.com",
        "file:///home/ada/page.html",
        "javascript:void(0)",
        "https://exa mple.com/",
        "https://256.256.256.256/",
        "http://[::1",
        "null",
        "android-app://",
    ] {
        let read = read(Some(referrer));
        assert_eq!(read.domain, DIRECT, "{referrer}");
        assert_eq!(read.url, None, "{referrer}");
    }
    assert_eq!(read(None).domain, DIRECT);
    assert_eq!(domain(&format!("https://{}/", "a.".repeat(200))), DIRECT);
}

#[test]
fn stored_urls_contain_no_secrets() {
    let url = |referrer| read(Some(referrer)).url;
    assert_eq!(
        url("https://ada:secret@www.Example.com/p?q=1#top").as_deref(),
        Some("https://www.example.com/p?q=1")
    );
    assert_eq!(
        url("android-app://com.google.android.gm").as_deref(),
        Some("android-app://com.google.android.gm")
    );
    let long = format!("https://example.com/p?q={}", "x".repeat(2_048));
    assert_eq!(url(&long).as_deref(), Some("https://example.com/p"));
    let longer = format!("https://example.com/{}", "é".repeat(1_000));
    assert_eq!(
        (url(&longer), domain(&longer)),
        (None, "example.com".to_owned())
    );
    assert_eq!(
        kept_url("https://a:b@example.com/#x").as_deref(),
        Some("https://example.com/")
    );
    assert_eq!(kept_url("nothing"), None);
}

/// `String.prototype.replace` with a text: removes the first occurrence, compared byte by byte.
fn replace_first(host: &str, what: &str) -> String {
    (0..host.len())
        .find(|at| host.as_bytes()[*at..].starts_with(what.as_bytes()))
        .map_or_else(
            || host.to_owned(),
            |at| format!("{}{}", &host[..at], &host[at + what.len()..]),
        )
}

/// The expected result of `hostname` and `replace` for a URL with these parts.
fn oracle(scheme: &str, host: &str) -> String {
    let hostname = if ["http", "https", "ftp", "ws", "wss"].contains(&scheme) {
        host.to_ascii_lowercase()
    } else {
        host.to_owned()
    };
    let domain = replace_first(&hostname, "www.");
    if domain.is_empty() {
        DIRECT.to_owned()
    } else {
        domain
    }
}

proptest! {
    #[test]
    fn hosts_agree_with_the_oracle(
        scheme in prop::sample::select(vec!["http", "https", "ftp", "ws", "android-app", "ios-app", "x"]),
        user in prop::option::of("[a-z]{1,5}(:[a-z]{0,5})?"),
        // The last label has only letters. Otherwise the host would be read as an IPv4 address.
        host in "((www|WWW|a-?www|[a-zA-Z0-9]{1,8})\\.){0,4}[a-zA-Z]{2,6}",
        port in prop::option::of(1_u16..),
        rest in prop::sample::select(vec!["", "/", "/a/www.b?c=d#e", "?q=www.", "#www."]),
    ) {
        // "xn--" labels are checked as punycode; "-" in the third and fourth place is theirs.
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        prop_assert_eq!(domain(&format!("{scheme}://{user}{host}{port}{rest}")), oracle(scheme, &host));
    }

    #[test]
    fn nothing_panics_and_nothing_is_too_long(text in any::<String>(), prefix in prop::sample::select(vec!["", "https://", "android-app://", "https://a/"])) {
        let referrer = read(Some(&format!("{prefix}{text}")));
        prop_assert!(!referrer.domain.is_empty());
        prop_assert!(referrer.domain.chars().count() <= 253);
        prop_assert!(!referrer.domain.chars().any(char::is_control));
        if let Some(url) = referrer.url {
            prop_assert!(!url.contains('#') && url.chars().count() <= 2_048);
            // A stored URL gives the same host when it is read again.
            prop_assert_eq!(&read(Some(&url)).domain, &referrer.domain);
            prop_assert_eq!(kept_url(&url), Some(url));
        }
    }

    #[test]
    fn a_host_without_another_www_does_not_change(host in "([a-v]{1,8}\\.){1,3}[a-v]{2,5}") {
        let once = domain(&format!("https://www.{host}/"));
        prop_assert_eq!(&once, &host);
        prop_assert_eq!(domain(&format!("https://{once}/")), once);
    }
}

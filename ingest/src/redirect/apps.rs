//! Deep links: which app a device opens, and by which address.
//!
//! The one rule: every device without the app has a way to a web page.

use super::facts::RequestFacts;
use crate::directory::scheme;
use schemas::directory::{DeepLink, Platform};
use std::fmt::Write;

/// How a device opens an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// Android, by an address that names the fallback.
    Intent,
    /// By an https address that the app has claimed; others open it as a page.
    Web,
    /// By a page that tries the app, then opens the fallback: a redirect to a scheme is a dead end
    /// on iOS when the app is missing.
    Page,
    /// A web app, on a device of neither platform: a destination like any other.
    Browser,
}

/// The app that opens a link.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// How.
    pub app: App,
    /// The address in the app.
    pub url: &'a str,
    /// Its package name, for Android.
    pub package: Option<&'a str>,
    /// Where a device without it goes; the destination when absent.
    pub fallback: Option<&'a str>,
}

/// The app for the device of a request. A machine has none.
#[must_use]
pub fn of<'a>(deep_links: &'a [DeepLink], facts: &RequestFacts<'_>) -> Option<Target<'a>> {
    if deep_links.is_empty() || facts.bot_reason().is_some() {
        return None;
    }
    let platform = match facts.agent().os.as_deref() {
        Some("iOS" | "iPadOS") => Platform::Ios,
        Some("Android") => Platform::Android,
        _ => Platform::Web,
    };
    let link = deep_links.iter().find(|link| link.platform == platform)?;
    let is_web = scheme(&link.url).is_some_and(|scheme| {
        ["http", "https"]
            .iter()
            .any(|web| web.eq_ignore_ascii_case(scheme))
    });
    let package = link.package.as_deref();
    let app = match platform {
        Platform::Web => App::Browser,
        Platform::Android if !is_web || package.is_some() => App::Intent,
        _ if is_web => App::Web,
        _ => App::Page,
    };
    Some(Target {
        app,
        url: &link.url,
        package,
        fallback: link.fallback.as_deref(),
    })
}

/// The address by which Android opens an app, or else the fallback.
#[must_use]
pub fn intent(url: &str, package: Option<&str>, fallback: &str) -> String {
    let (scheme, rest) = url.split_once(':').unwrap_or(("https", url));
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    // A second `#Intent` would add extras of its own.
    let rest = rest.replace('#', "%23");
    let package = package.map(|name| format!("package={name};"));
    let package = package.unwrap_or_default();
    let fallback = escaped(fallback);
    format!("intent://{rest}#Intent;scheme={scheme};{package}S.browser_fallback_url={fallback};end")
}

/// Escapes everything that is not unreserved (RFC 3986, 2.3).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_names_the_app_and_the_fallback() {
        assert_eq!(
            intent("myapp://p/1", None, "https://shop.example/a?b=1"),
            "intent://p/1#Intent;scheme=myapp;S.browser_fallback_url=https%3A%2F%2Fshop.example%2Fa%3Fb%3D1;end"
        );
        assert_eq!(
            intent(
                "https://shop.example/p?parameter=A%20%2B%20B",
                Some("com.example.shop"),
                "https://a.example/;end"
            ),
            "intent://shop.example/p?parameter=A%20%2B%20B#Intent;scheme=https;package=com.example.shop;S.browser_fallback_url=https%3A%2F%2Fa.example%2F%3Bend;end"
        );
        assert!(intent("a:b#Intent;x=y;end", None, "https://a.example/").contains("b%23Intent"));
    }
}

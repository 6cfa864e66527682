//! Hosts in the one form in which they are stored and compared: lower case, punycode, no port, no
//! final dot.

use runtime::{
    http::Fields,
    members::Rule,
    openapi::{Schema, text},
};
use url::{Host, Url};

/// Longest host that is read: a name in DNS has at most 253 characters.
const MAX_CHARS: usize = 253;

/// The host of a name that people type; `None` for an address, and for a name without a dot.
pub(super) fn normalize(text: &str) -> Option<String> {
    let text = text.trim();
    let name = match text.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => text,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let Ok(Host::Domain(host)) = Host::parse(name) else {
        return None;
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let fits = host.len() <= MAX_CHARS && host.contains('.') && host.split('.').all(is_label);
    fits.then_some(host)
}

/// The host of `PUBLIC_URL`.
pub(crate) fn of_public_url(url: &str) -> String {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// A host in a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostName;

impl Rule for HostName {
    type Value<'a> = String;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<String> {
        let host = normalize(fields.string(name, MAX_CHARS)?);
        if host.is_none() {
            fields.problem(format!("{name} must be a host such as go.example.com"));
        }
        host
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(MAX_CHARS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_form() {
        for (given, host) in [
            ("go.example", "go.example"),
            (" GO.Example.:8443 ", "go.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("a-b.c1.example", "a-b.c1.example"),
        ] {
            assert_eq!(normalize(given).as_deref(), Some(host), "{given}");
        }
        for wrong in [
            "",
            "localhost",
            "127.0.0.1",
            "[::1]",
            "[::1]:80",
            "go..example",
            "-go.example",
            "go_1.example",
            "go.example/x",
            "a b.example",
            "https://go.example",
            "u@go.example",
            "*.example",
        ] {
            assert_eq!(normalize(wrong), None, "{wrong}");
        }
        assert_eq!(of_public_url("https://L.Example:8443/x"), "l.example");
    }
}

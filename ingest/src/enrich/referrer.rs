//! Reads a referrer: its host, and the part of its URL that may be stored.
//!
//! Owns the rule for the host; `arrival.rs` classifies it. The one rule: the host is the result of
//! `new URL(referrer).hostname.replace('www.', '')` in a browser, oddities included.

use schemas::values::{MAX_URL_CHARS, host};
use url::Url;

/// Longest valid host, in characters: the longest DNS name (RFC 1035, without the root's dot). A
/// longer one cannot exist, and would not fit into a table's index.
const MAX_HOST_CHARS: usize = 253;

/// The domain of a visit without a referring host, as reports show it.
pub const DIRECT: &str = "direct";

/// A referrer that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// The URL without credentials and fragment. Absent when it has no host, or is too long even
    /// without its query.
    pub url: Option<String>,
    /// The host without the first `www.` at any position, or [`DIRECT`].
    pub domain: String,
}

/// Reads a referrer as the client sent it. It is [`DIRECT`] when it is missing, invalid, or without
/// a host of valid length.
#[must_use]
pub fn read(referrer: Option<&str>) -> Referrer {
    let url = referrer.and_then(|referrer| Url::parse(referrer).ok());
    let domain = url
        .as_ref()
        .and_then(host)
        .filter(|domain| !domain.is_empty() && domain.chars().count() <= MAX_HOST_CHARS);
    match domain {
        Some(domain) => Referrer {
            url: url.and_then(public),
            domain,
        },
        None => Referrer {
            url: None,
            domain: DIRECT.to_owned(),
        },
    }
}

/// A URL as it may be stored, for referrers of page views: without credentials and fragment, and
/// without its query when it is too long. `None` when it is invalid or has no host.
#[must_use]
pub fn kept_url(referrer: &str) -> Option<String> {
    public(Url::parse(referrer).ok()?)
}

fn public(mut url: Url) -> Option<String> {
    // A URL without a host refers to no site, and `file:` paths are on the visitor's own disk.
    url.host_str().filter(|host| !host.is_empty())?;
    url.set_fragment(None);
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    if url.as_str().chars().count() > MAX_URL_CHARS {
        url.set_query(None);
    }
    Some(String::from(url)).filter(|url| url.chars().count() <= MAX_URL_CHARS)
}

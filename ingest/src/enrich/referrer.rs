//! Where a visit came from: the referrer's host by the seeds' rule, and what may be kept of its URL.
//!
//! Owns that rule; what kind of place that is, `arrival.rs` says. The one rule: the host is what
//! `new URL(referrer).hostname.replace('www.', '')` gives in a browser, oddities included.

use schemas::values::{MAX_URL_CHARS, host};
use url::Url;

/// Longest host that counts as one, in characters: the longest name DNS can hold (RFC 1035, without
/// the root's dot). A longer one leads nowhere, and would not fit the index of a table.
const MAX_HOST_CHARS: usize = 253;

/// What stands in place of a host when there is none (seed 001).
pub const DIRECT: &str = "direct";

/// A referrer, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// The URL without credentials and fragment; absent when there is no host, and when the URL is
    /// too long even without its query.
    pub url: Option<String>,
    /// Its host without the first `www.`, wherever that stands, or [`DIRECT`].
    pub domain: String,
}

/// Reads a referrer as the client sent it. One that is missing, cannot be parsed or has no host (or
/// one that no DNS name is long enough for) is [`DIRECT`].
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

/// A URL as it may be kept, for referrers of page views: without credentials and fragment, without its
/// query when it is too long with it. `None` when it cannot be parsed or has no host.
#[must_use]
pub fn kept_url(referrer: &str) -> Option<String> {
    public(Url::parse(referrer).ok()?)
}

fn public(mut url: Url) -> Option<String> {
    // Without a host there is nobody who referred, and `file:` paths are a visitor's own disk.
    url.host_str().filter(|host| !host.is_empty())?;
    url.set_fragment(None);
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    if url.as_str().chars().count() > MAX_URL_CHARS {
        url.set_query(None);
    }
    Some(String::from(url)).filter(|url| url.chars().count() <= MAX_URL_CHARS)
}

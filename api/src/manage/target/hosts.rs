//! The hosts that short URLs have.

use url::{Host, Url};

/// The hosts of short URLs: that of `PUBLIC_URL`, and the verified domains of all workspaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// These hosts, each in the form of [`normal_host`].
    pub(crate) fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        Self(hosts.into_iter().collect())
    }

    /// Whether an address opens a short link. Ports do not matter, because a proxy may change them.
    pub(crate) fn lead_back(&self, url: &Url) -> bool {
        let Some(host) = normal_host(url) else {
            return false;
        };
        let apex = host.strip_prefix("www.").unwrap_or(&host);
        let ours = self.0.iter().any(|own| own == apex || *own == host);
        ours && super::code_in(url.path()).is_some()
    }
}

/// The hosts that a text may lead to, for [`Hosts::new`]: that of its address, with and without `www.`.
pub(crate) fn candidates(text: &str) -> Vec<String> {
    let host = Url::parse(text.trim()).ok().as_ref().and_then(normal_host);
    let Some(host) = host else {
        return Vec::new();
    };
    let apex = host.strip_prefix("www.").map(str::to_owned);
    [Some(host), apex].into_iter().flatten().collect()
}

/// The host of an address: lower case, punycode, without a port and a final dot.
pub(crate) fn normal_host(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(domain) => Some(domain.trim_end_matches('.').to_ascii_lowercase()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(format!("[{address}]")),
    }
}

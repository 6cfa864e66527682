//! The hosts that short URLs have.

use crate::short_urls::normal_host;
use url::Url;

/// The hosts of short URLs: that of `PUBLIC_URL`, and the verified domains of all workspaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    names: Vec<String>,
    /// The address and the port of a `PUBLIC_URL` without a name.
    address: Option<(String, u16)>,
}

impl Hosts {
    /// These hosts, each in the form of [`normal_host`].
    pub(crate) fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        Self {
            names: hosts.into_iter().collect(),
            address: None,
        }
    }

    /// These hosts, and the numeric address of `PUBLIC_URL` at its port. Other programs of the machine
    /// have the same address.
    pub(crate) fn at_address(self, address: Option<(String, u16)>) -> Self {
        Self { address, ..self }
    }

    /// Whether an address opens a short link. The port of a name does not matter, because a proxy may
    /// change it.
    pub(crate) fn lead_back(&self, url: &Url) -> bool {
        let Some(host) = normal_host(url) else {
            return false;
        };
        let apex = host.strip_prefix("www.").unwrap_or(&host);
        let is_address = |(own, port): &(String, u16)| {
            *own == host && url.port_or_known_default() == Some(*port)
        };
        let ours = self.names.iter().any(|own| own == apex || *own == host)
            || self.address.as_ref().is_some_and(is_address);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_address_is_ours_at_its_port_only() {
        let address = Some(("127.0.0.1".to_owned(), 8080));
        let hosts = Hosts::new(["go.example".to_owned()]).at_address(address);
        for (text, is_ours) in [
            ("http://127.0.0.1:8080/promo", true),
            ("http://127.1:8080/promo", true),
            ("http://127.0.0.1:3000/promo", false),
            ("http://127.0.0.1/promo", false),
            ("http://go.example:3000/promo", true),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(hosts.lead_back(&url), is_ours, "{text}");
        }
    }
}

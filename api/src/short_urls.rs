//! Short URLs: where people open links.

use url::{Host, Url};

/// Writes short URLs.
#[derive(Clone, Debug)]
pub(crate) struct ShortUrls {
    /// `PUBLIC_URL`, without a slash at the end.
    base: String,
    own_host: String,
    own_address: Option<(String, u16)>,
}

impl ShortUrls {
    /// Those of an installation with this `PUBLIC_URL`.
    pub(crate) fn new(public_url: &str) -> Self {
        let url = Url::parse(public_url).ok();
        let address = url.as_ref().and_then(|url| {
            let is_numeric = matches!(url.host()?, Host::Ipv4(_) | Host::Ipv6(_));
            let port = url.port_or_known_default().filter(|_| is_numeric)?;
            Some((normal_host(url)?, port))
        });
        Self {
            base: public_url.to_owned(),
            own_host: url.as_ref().and_then(normal_host).unwrap_or_default(),
            own_address: address,
        }
    }

    /// The host of links that name none.
    pub(crate) fn own_host(&self) -> &str {
        &self.own_host
    }

    /// The address and the port of our own host, if it has no name.
    pub(crate) fn own_address(&self) -> Option<(String, u16)> {
        self.own_address.clone()
    }

    /// The URL of a code on a host; `None` is our own.
    pub(crate) fn of(&self, host: Option<&str>, code: &str) -> String {
        match host {
            Some(host) => format!("https://{host}/{code}"),
            None => format!("{}/{code}", self.base),
        }
    }
}

/// The host of an address: lower case, punycode, without a port and a final dot.
pub(crate) fn normal_host(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(domain) => Some(domain.trim_end_matches('.').to_ascii_lowercase()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(format!("[{address}]")),
    }
}

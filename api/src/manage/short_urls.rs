//! Short URLs: where people open links.

use super::target::normal_host;
use url::Url;

/// Writes short URLs.
#[derive(Clone, Debug)]
pub(crate) struct ShortUrls {
    /// `PUBLIC_URL`, without a slash at the end.
    base: String,
    own_host: String,
}

impl ShortUrls {
    /// Those of an installation with this `PUBLIC_URL`.
    pub(crate) fn new(public_url: &str) -> Self {
        let url = Url::parse(public_url).ok();
        Self {
            base: public_url.to_owned(),
            own_host: url.as_ref().and_then(normal_host).unwrap_or_default(),
        }
    }

    /// The host of links that name none.
    pub(crate) fn own_host(&self) -> &str {
        &self.own_host
    }

    /// The URL of a code on a host; `None` is our own.
    pub(crate) fn of(&self, host: Option<&str>, code: &str) -> String {
        match host {
            Some(host) => format!("https://{host}/{code}"),
            None => format!("{}/{code}", self.base),
        }
    }
}

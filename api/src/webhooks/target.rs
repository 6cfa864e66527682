//! The address of a webhook: which ones may be saved, and which ones may be reached now.

use super::address::{Reach, reach};
use runtime::{Settings, settings::Setting};
use std::net::IpAddr;
use thiserror::Error;
use url::{Host, Url};

/// Whether webhooks may reach local addresses.
pub(crate) const PRIVATE_TARGETS: Setting = Setting::new(
    "WEBHOOK_PRIVATE_TARGETS",
    "off",
    "`on` for development: webhooks may reach this machine and private networks, and http on loopback hosts",
);

/// Longest address of a webhook.
pub(crate) const MAX_URL_CHARS: usize = 2_048;

/// Which targets are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Targets {
    /// Whether this machine and private networks are.
    private: bool,
}

/// An address that must not be reached.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the host has an address that is not public")]
pub(super) struct Refused;

impl Targets {
    /// Reads `WEBHOOK_PRIVATE_TARGETS`.
    pub(crate) fn read(settings: &mut Settings) -> Self {
        let private = match settings.text(PRIVATE_TARGETS).as_deref() {
            None | Some("off") => false,
            Some("on") => true,
            Some(other) => {
                settings.problem(PRIVATE_TARGETS, format!("is {other:?}; give on or off"));
                false
            }
        };
        Self { private }
    }

    /// Whether a request may reach this address.
    pub(super) fn check(self, address: IpAddr) -> Result<(), Refused> {
        match reach(address) {
            Reach::Public => Ok(()),
            Reach::Private if self.private => Ok(()),
            Reach::Private | Reach::Never => Err(Refused),
        }
    }

    /// The address of a webhook as it is stored. The error completes the sentence "url …". A name is
    /// not looked up: each attempt checks the addresses that it has then.
    pub(crate) fn url(self, text: &str) -> Result<String, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("must be an https address, such as https://hooks.example/in".to_owned());
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters or line ends".to_owned());
        }
        let mut url =
            Url::parse(text).map_err(|error| format!("is not a valid address: {error}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not contain a user or a password".to_owned());
        }
        let host = url.host().ok_or("must have a host")?;
        let is_loopback = match &host {
            Host::Domain(name) => is_localhost(name),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let may_be_plain = self.private && is_loopback;
        if url.scheme() != "https" && !(url.scheme() == "http" && may_be_plain) {
            return Err("must begin with https://".to_owned());
        }
        let allowed = match host {
            Host::Domain(name) if is_localhost(name) => self.private,
            Host::Domain(name) => self.private || name.trim_end_matches('.').contains('.'),
            Host::Ipv4(address) => self.check(address.into()).is_ok(),
            Host::Ipv6(address) => self.check(address.into()).is_ok(),
        };
        if !allowed {
            return Err(
                "must have a public host, such as hooks.example: this machine and private networks cannot be reached"
                    .to_owned(),
            );
        }
        // It is never sent.
        url.set_fragment(None);
        let stored = String::from(url);
        if stored.len() > MAX_URL_CHARS {
            return Err(format!("must have at most {MAX_URL_CHARS} characters"));
        }
        Ok(stored)
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
impl Targets {
    /// Those of the internet.
    pub(super) const STRICT: Self = Self { private: false };
    /// Also those of development.
    pub(super) const LOCAL: Self = Self { private: true };
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Targets = Targets::STRICT;
    const LOCAL: Targets = Targets::LOCAL;

    #[test]
    fn only_public_https_addresses_are_saved() {
        for (text, stored) in [
            (
                "https://hooks.example/in?a=1",
                "https://hooks.example/in?a=1",
            ),
            (" HTTPS://Hooks.Example ", "https://hooks.example/"),
            (
                "https://hooks.example:8443/#x",
                "https://hooks.example:8443/",
            ),
            ("https://1.1.1.1/", "https://1.1.1.1/"),
            (
                "https://bücher.example/ü",
                "https://xn--bcher-kva.example/%C3%BC",
            ),
        ] {
            assert_eq!(STRICT.url(text).as_deref(), Ok(stored));
        }
        for text in [
            "",
            "hooks.example",
            "http://hooks.example/",
            "ftp://hooks.example/",
            "https://",
            "https://ada:secret@hooks.example/",
            "https://localhost/",
            "https://x.localhost./",
            "https://intranet/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://192.168.0.1:8443/",
            "https://hooks.example/a\nb",
        ] {
            assert!(STRICT.url(text).is_err(), "{text:?}");
        }
        let long = format!("https://hooks.example/{}", "x".repeat(MAX_URL_CHARS));
        assert!(STRICT.url(&long).is_err());
    }

    #[test]
    fn development_adds_local_targets_and_http_for_loopback_hosts_only() {
        for text in [
            "http://localhost:3000/in",
            "http://127.0.0.1:3000/",
            "http://[::1]/",
            "https://192.168.0.1/",
            "https://intranet/",
        ] {
            assert!(LOCAL.url(text).is_ok(), "{text}");
        }
        for text in [
            "http://hooks.example/",
            "http://192.168.0.1/",
            "https://169.254.169.254/",
            "https://0.0.0.0/",
        ] {
            assert!(LOCAL.url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_setting_is_on_or_off() {
        let read = |value: &str| {
            let mut settings = Settings::from_pairs([("WEBHOOK_PRIVATE_TARGETS", value)]);
            let targets = Targets::read(&mut settings);
            settings.finish().map(|()| targets).ok()
        };
        assert_eq!(read("on"), Some(LOCAL));
        assert_eq!(read("off"), Some(STRICT));
        assert_eq!(read("yes"), None);
        assert_eq!(Targets::read(&mut Settings::default()), STRICT);
    }
}

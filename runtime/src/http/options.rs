//! Settings of a listener: idle timeout, connections for each address, trusted proxies.

use super::{IDLE_TIMEOUT, TrustedProxies, client::neighbourhood};
use crate::{Settings, settings::Setting, throttle};
use jiff::SignedDuration;
use std::{net::IpAddr, num::NonZeroUsize, time::Duration};

/// Most open connections of one client address.
const CONNECTIONS_PER_ADDRESS: usize = 512;
pub(super) const IDLE: Setting = Setting::new(
    "HTTP_IDLE_TIMEOUT",
    "75s",
    "how long a connection may stay idle; must be longer than the proxy's own idle timeout",
);
pub(super) const CONNECTIONS: Setting = Setting::new(
    "HTTP_CONNECTIONS_PER_ADDRESS",
    "512",
    "most open connections of one client address (IPv6: of one /64); TRUSTED_PROXIES and this machine are not counted",
);
/// Longest time that a kept connection may idle.
const MAX_IDLE: Duration = Duration::from_hours(1);

/// How a listener treats its clients.
#[derive(Clone, Debug)]
pub struct Options {
    pub(super) idle_timeout: Duration,
    pub(super) connections_per_address: usize,
    pub(super) proxies: TrustedProxies,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            idle_timeout: IDLE_TIMEOUT,
            connections_per_address: CONNECTIONS_PER_ADDRESS,
            proxies: TrustedProxies::default(),
        }
    }
}

impl Options {
    /// Reads `HTTP_IDLE_TIMEOUT`, `HTTP_CONNECTIONS_PER_ADDRESS` and `TRUSTED_PROXIES`.
    /// `RATE_LIMITS=off` also lifts the limit on connections.
    pub fn read(settings: &mut Settings) -> Self {
        let idle_timeout = settings.parse_with(IDLE, parse_idle);
        let connections_per_address: Option<NonZeroUsize> =
            settings.parse_with(CONNECTIONS, |text| {
                let wrong = |_| format!("is {text:?}; give a whole number above 0");
                text.parse().map_err(wrong)
            });
        // A load test opens many connections from few addresses.
        let unlimited = settings.text(throttle::RATE_LIMITS).as_deref() == Some("off");
        Self {
            idle_timeout: idle_timeout.unwrap_or(IDLE_TIMEOUT),
            connections_per_address: if unlimited {
                usize::MAX
            } else {
                connections_per_address.map_or(CONNECTIONS_PER_ADDRESS, NonZeroUsize::get)
            },
            proxies: TrustedProxies::read(settings),
        }
    }

    /// The key by which a peer's connections are counted. `None` for trusted proxies, each of which
    /// serves many clients. `None` also for this machine: its proxies and load tests share one
    /// address, and local programs have other ways to harm us.
    pub(super) fn counted(&self, peer: IpAddr) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        let free = peer.is_loopback() || self.proxies.trusts(peer);
        (!free).then(|| neighbourhood(peer))
    }
}

fn parse_idle(text: &str) -> Result<Duration, String> {
    let wrong = || format!("is {text:?}; give a time from 1s to 1h, for example 75s");
    let idle: SignedDuration = text.parse().map_err(|_| wrong())?;
    let idle = Duration::try_from(idle).map_err(|_| wrong())?;
    if (Duration::from_secs(1)..=MAX_IDLE).contains(&idle) {
        Ok(idle)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idle_timeout_is_a_time() {
        let read = |text: &str| {
            let mut settings = Settings::from_pairs([("HTTP_IDLE_TIMEOUT", text)]);
            let options = Options::read(&mut settings);
            settings.finish().map(|()| options.idle_timeout)
        };
        assert_eq!(read("75s"), Ok(Duration::from_secs(75)));
        assert_eq!(read("2m"), Ok(Duration::from_mins(2)));
        for wrong in ["75", "0s", "-1s", "2h", "long"] {
            let text = read(wrong).unwrap_err().to_string();
            assert!(text.contains("for example 75s"), "{wrong}: {text}");
        }
    }

    #[test]
    fn only_other_machines_are_counted_and_ipv6_by_network() {
        let mut settings = Settings::from_pairs([("TRUSTED_PROXIES", "10.0.0.0/8")]);
        let options = Options::read(&mut settings);
        let counted = |text: &str| options.counted(text.parse().unwrap());
        for free in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3"] {
            assert_eq!(counted(free), None, "{free}");
        }
        assert_eq!(counted("192.0.2.1"), "192.0.2.1".parse().ok());
        assert_eq!(counted("2001:db8:1:2:3::4"), counted("2001:db8:1:2::9"));
        assert_eq!(options.connections_per_address, CONNECTIONS_PER_ADDRESS);
        let mut settings = Settings::from_pairs([("RATE_LIMITS", "off")]);
        let options = Options::read(&mut settings);
        assert_eq!(options.connections_per_address, usize::MAX);
    }
}

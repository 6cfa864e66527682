//! The configuration of ingest, read once at start.

use crate::{
    accept::Rules,
    geo_file::{self, GeoFile},
    limits,
    network_file::{self, NetworkFile},
    redirect::host,
    secrets::{self, Secrets},
    sink::spool::{self, SpoolOptions},
};
use runtime::{
    Context, Settings,
    http::{TrustedProxies, public_url},
    jwt::Verifier,
    kafka::KafkaSettings,
    settings::Setting,
    throttle::Throttles,
};

/// The flag `--accept-new-secrets`. It is not an environment setting: each start that needs it must
/// give it.
pub const ACCEPT_NEW_SECRETS: Setting = Setting::new(
    "ACCEPT_NEW_SECRETS",
    "false",
    "accept secrets that the log was not made with",
);

/// The address ingest listens on.
pub const LISTEN: Setting = Setting::new(
    "INGEST_LISTEN",
    "127.0.0.1:8081",
    "address ingest listens on",
);
const TRACKING_ENABLED: Setting = Setting::new(
    "TRACKING_ENABLED",
    "true",
    "any other value: custom events are answered but not recorded",
);
pub(crate) const MAX_EVENT_DATA_BYTES: Setting = Setting::new(
    "MAX_EVENT_DATA_BYTES",
    "10000",
    "maximum size of a custom event's properties, in bytes",
);

/// The settings of ingest in every program that contains it, in the order of `--help`.
pub(crate) const SETTINGS: &[Setting] = &[
    secrets::TRACKING,
    secrets::ID,
    secrets::VISITOR,
    geo_file::DATABASE,
    network_file::NETWORKS,
    TRACKING_ENABLED,
    MAX_EVENT_DATA_BYTES,
    spool::DIR,
    spool::MAX_BYTES,
];

/// The settings of ingest.
#[derive(Clone, Debug)]
pub struct Config {
    /// The cluster.
    pub kafka: KafkaSettings,
    /// The secrets of tracking tokens, ids and visitor hashes.
    pub secrets: Secrets,
    /// Checks tokens of signed-in visitors.
    pub jwt: Verifier,
    /// The proxies whose forwarded addresses are trusted.
    pub proxies: TrustedProxies,
    /// The operator's `GeoIP` database; the bundled one is used when absent.
    pub geoip: Option<GeoFile>,
    /// The operator's list of networks of machines; empty when absent.
    pub networks: Option<NetworkFile>,
    /// The rate limits of beacons.
    pub throttles: Throttles,
    /// The configuration of acceptance.
    pub rules: Rules,
    /// Where events wait while the cluster does not accept them; nowhere when absent.
    pub spool: Option<SpoolOptions>,
    /// The host of short URLs.
    pub host: Option<String>,
    /// When true, secrets that the log was not made with are accepted.
    pub accept_new_secrets: bool,
}

impl Config {
    /// Reads every setting of ingest except its address. `None` means that a setting is missing or
    /// invalid, which is then recorded as a problem.
    pub fn read(settings: &mut Settings, context: &Context) -> Option<Self> {
        // Every setting is read before the first `?`, so that one start reports all problems.
        let kafka = KafkaSettings::read(settings);
        let secrets = Secrets::read(settings);
        let jwt = Verifier::read(settings);
        let proxies = TrustedProxies::read(settings);
        let geoip = GeoFile::read(settings);
        let networks = NetworkFile::read(settings);
        let public_url = public_url::read(settings, &LISTEN);
        let throttles = Throttles::read(settings, limits::PUBLISHED, &context.clock);
        let tracking_enabled = settings
            .text(TRACKING_ENABLED)
            .is_none_or(|text| text.trim() == "true");
        let max_event_data_bytes = settings.parse(&MAX_EVENT_DATA_BYTES, "a number of bytes");
        let spool = SpoolOptions::read(settings);
        let accept_new_secrets = settings.parse(&ACCEPT_NEW_SECRETS, "true or false");
        Some(Self {
            kafka,
            secrets: secrets?,
            jwt: jwt?,
            proxies,
            geoip,
            networks,
            throttles,
            host: host::of_url(&public_url),
            rules: Rules {
                tracking_enabled,
                max_event_data_bytes,
            },
            spool,
            accept_new_secrets,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn pairs<'a>(more: &[(&'a str, &'a str)]) -> Settings {
        let base = [
            ("KAFKA_BROKERS", "127.0.0.1:9"),
            ("JWT_SECRET", SECRET),
            ("TRACKING_HMAC_SECRET", SECRET),
            ("ID_SECRET", SECRET),
            ("VISITOR_HASH_SECRET", SECRET),
        ];
        Settings::from_pairs(base.iter().chain(more).copied())
    }

    #[test]
    fn tracking_is_on_by_default_and_only_true_keeps_it_on() {
        let context = Context::system();
        for (text, on) in [
            ("true", true),
            ("false", false),
            ("TRUE", false),
            ("1", false),
        ] {
            let mut settings = pairs(&[("TRACKING_ENABLED", text)]);
            let config = Config::read(&mut settings, &context).unwrap();
            assert_eq!(config.rules.tracking_enabled, on, "{text}");
        }
        let config = Config::read(&mut pairs(&[]), &context).unwrap();
        assert!(config.rules.tracking_enabled && !config.accept_new_secrets);
        assert_eq!(config.rules.max_event_data_bytes, 10_000);
    }

    #[test]
    fn every_missing_setting_is_reported_at_once() {
        let mut settings = Settings::default();
        assert!(Config::read(&mut settings, &Context::system()).is_none());
        let text = settings.finish().unwrap_err().to_string();
        for name in [
            "KAFKA_BROKERS",
            "TRACKING_HMAC_SECRET",
            "ID_SECRET",
            "VISITOR_HASH_SECRET",
            "JWT_SECRET",
        ] {
            assert!(text.contains(name), "{name} in {text}");
        }
    }
}

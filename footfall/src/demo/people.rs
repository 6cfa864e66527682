//! Who visits a page: countries, devices and sources, with weights that are typical of bio pages.
//!
//! The networks belong to large providers, so that the bundled country database places their addresses;
//! a test looks up each.

/// Where a visitor lives.
pub(super) struct Country {
    /// Share of the visitors in percent.
    pub(super) weight: u32,
    /// ISO 3166-1 alpha-2.
    #[cfg_attr(not(test), expect(dead_code, reason = "what a test compares with"))]
    pub(super) code: &'static str,
    /// The first two octets of a provider's addresses.
    pub(super) network: [u8; 2],
    pub(super) timezone: &'static str,
    pub(super) language: &'static str,
}

const fn country(
    weight: u32,
    code: &'static str,
    network: [u8; 2],
    timezone: &'static str,
    language: &'static str,
) -> Country {
    Country {
        weight,
        code,
        network,
        timezone,
        language,
    }
}

pub(super) const COUNTRIES: &[Country] = &[
    country(24, "US", [24, 4], "America/New_York", "en-US"),
    country(14, "TR", [88, 224], "Europe/Istanbul", "tr-TR"),
    country(11, "DE", [91, 0], "Europe/Berlin", "de-DE"),
    country(10, "GB", [86, 128], "Europe/London", "en-GB"),
    country(7, "FR", [90, 0], "Europe/Paris", "fr-FR"),
    country(6, "BR", [189, 0], "America/Sao_Paulo", "pt-BR"),
    country(5, "IN", [49, 36], "Asia/Kolkata", "en-IN"),
    country(4, "ES", [83, 32], "Europe/Madrid", "es-ES"),
    country(4, "JP", [126, 0], "Asia/Tokyo", "ja-JP"),
    country(3, "CA", [70, 24], "America/Toronto", "en-CA"),
    country(3, "IT", [79, 0], "Europe/Rome", "it-IT"),
    country(3, "MX", [187, 128], "America/Mexico_City", "es-MX"),
    country(2, "AU", [1, 128], "Australia/Sydney", "en-AU"),
    country(2, "NL", [84, 24], "Europe/Amsterdam", "nl-NL"),
    country(1, "ZA", [41, 0], "Africa/Johannesburg", "en-ZA"),
    country(1, "KR", [211, 32], "Asia/Seoul", "ko-KR"),
];

/// What a visitor browses with: a browser, and inside an app the system's web view if it has one.
pub(super) struct Device {
    pub(super) weight: u32,
    pub(super) browser: &'static str,
    /// Agent of a page shown inside an app, to which the app adds its own name.
    pub(super) in_app: Option<&'static str>,
}

const IPHONE_IN_APP: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";
const ANDROID_IN_APP: &str = "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36";

pub(super) const DEVICES: &[Device] = &[
    Device {
        weight: 38,
        browser: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        in_app: Some(IPHONE_IN_APP),
    },
    Device {
        weight: 31,
        browser: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
        in_app: Some(ANDROID_IN_APP),
    },
    Device {
        weight: 14,
        browser: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
        in_app: None,
    },
    Device {
        weight: 7,
        browser: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
        in_app: None,
    },
    Device {
        weight: 4,
        browser: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:126.0) Gecko/20100101 Firefox/126.0",
        in_app: None,
    },
    Device {
        weight: 4,
        browser: "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        in_app: None,
    },
    Device {
        weight: 2,
        browser: "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0",
        in_app: None,
    },
];

/// Crawlers. Their visits are refused in the history as they are live.
pub(super) const CRAWLERS: &[&str] = &[
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
];

/// Where a visit comes from.
pub(super) struct Source {
    pub(super) weight: u32,
    pub(super) referrer: Option<&'static str>,
    /// Query of the landing URL.
    pub(super) query: &'static str,
    /// Suffix that an app adds to the agent when it shows the page itself.
    pub(super) app: Option<&'static str>,
}

const fn source(
    weight: u32,
    referrer: Option<&'static str>,
    query: &'static str,
    app: Option<&'static str>,
) -> Source {
    Source {
        weight,
        referrer,
        query,
        app,
    }
}

pub(super) const SOURCES: &[Source] = &[
    source(
        31,
        Some("https://l.instagram.com/"),
        "",
        Some(" Instagram 334.0.4.32.98"),
    ),
    source(
        17,
        Some("https://www.tiktok.com/"),
        "",
        Some(" musical_ly_34.5.0 BytedanceWebview/d8a21c6"),
    ),
    source(14, None, "", None),
    source(11, Some("https://www.youtube.com/"), "", None),
    source(7, Some("https://www.google.com/"), "", None),
    source(5, Some("https://t.co/3xYpQ"), "", None),
    source(4, Some("https://l.facebook.com/l.php"), "", None),
    source(
        4,
        Some("https://l.instagram.com/"),
        "?utm_source=instagram&utm_medium=story&utm_campaign=midnight-ferry",
        Some(" Instagram 334.0.4.32.98"),
    ),
    source(
        3,
        None,
        "?utm_source=newsletter&utm_medium=email&utm_campaign=tour",
        None,
    ),
    source(2, Some("https://www.reddit.com/"), "", None),
    source(1, Some("https://chatgpt.com/"), "", None),
    source(1, Some("https://duckduckgo.com/"), "", None),
];

/// How many visits begin in each hour of a day in UTC.
pub(super) const HOURS: [u32; 24] = [
    24, 18, 13, 10, 9, 11, 17, 27, 36, 41, 44, 47, 51, 50, 48, 49, 54, 63, 74, 86, 91, 82, 61, 39,
];

/// The same for each day of a week, from Monday.
pub(super) const WEEKDAYS: [u32; 7] = [88, 90, 92, 97, 112, 124, 117];

#[cfg(test)]
mod tests {
    use super::*;
    use ingest::enrich::{Agents, GeoDatabase};
    use std::net::{IpAddr, Ipv4Addr};

    #[test]
    fn every_network_is_in_its_country() {
        let geo = GeoDatabase::bundled().unwrap();
        for country in COUNTRIES {
            let [a, b] = country.network;
            for third in 0..=255 {
                let address = IpAddr::V4(Ipv4Addr::new(a, b, third, 7));
                let place = geo.lookup(address);
                assert_eq!(
                    place.country_code.as_deref(),
                    Some(country.code),
                    "{address}"
                );
            }
        }
        assert_eq!(
            COUNTRIES.iter().map(|country| country.weight).sum::<u32>(),
            100
        );
    }

    #[test]
    fn people_are_accepted_and_crawlers_refused() {
        let agents = Agents::bundled().unwrap();
        for device in DEVICES {
            assert!(!agents.parse(Some(device.browser)).signals().refuses());
            for app in SOURCES.iter().filter_map(|source| source.app) {
                let Some(in_app) = device.in_app else {
                    continue;
                };
                let agent = format!("{in_app}{app}");
                assert!(!agents.parse(Some(&agent)).signals().refuses(), "{agent}");
            }
        }
        for crawler in CRAWLERS {
            assert!(agents.parse(Some(crawler)).signals().refuses(), "{crawler}");
        }
    }
}

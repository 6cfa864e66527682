//! The address of a listener in the settings: a host or an IP address, a colon, a port.
//!
//! Checks only the syntax; [`super::serve::bind`] finds out whether the address is free.

use crate::{Settings, settings::Setting};
use url::Host;

/// Reads an address to listen on. An invalid one is recorded as a problem.
pub fn read(settings: &mut Settings, setting: &Setting) -> String {
    let (text, default) = (settings.text(setting), setting.default);
    let address = text.as_deref().map_or(default, str::trim);
    if !is_address(address) {
        settings.problem(
            setting,
            format!(
                "is {address:?}; give an address and a port, for example {default}, or 0.0.0.0:8080 for every interface"
            ),
        );
    }
    address.to_owned()
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        Host::parse(host).is_ok() && digits && port.parse::<u16>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for text in [
            "127.0.0.1:8080",
            "0.0.0.0:0",
            "[::1]:8081",
            "[::]:80",
            "localhost:8080",
            "ingest.internal:65535",
        ] {
            assert!(is_address(text), "{text}");
        }
        for text in [
            "8080",
            ":8080",
            "localhost",
            "localhost:",
            "localhost:http",
            "localhost:+80",
            "127.0.0.1:65536",
            "127.0.0.1:-1",
            "999.0.0.1:80",
            "::1:8080",
            "http://127.0.0.1:8080",
            "127.0.0.1:8080/",
            "two words:80",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }

    #[test]
    fn an_invalid_address_is_reported_with_a_valid_example() {
        const API: Setting = Setting::new("API_LISTEN", "127.0.0.1:8083", "an address");
        const INGEST: Setting = Setting::new("INGEST_LISTEN", "127.0.0.1:8081", "an address");
        let mut settings = Settings::from_pairs([("API_LISTEN", "8083")]);
        read(&mut settings, &API);
        assert_eq!(read(&mut settings, &INGEST), "127.0.0.1:8081");
        let text = settings.finish().unwrap_err().to_string();
        assert!(
            text.contains(
                "API_LISTEN: is \"8083\"; give an address and a port, for example 127.0.0.1:8083"
            ),
            "{text}"
        );
        assert!(!text.contains("INGEST_LISTEN"), "{text}");
    }
}

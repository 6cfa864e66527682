//! Further certificate authorities that webhooks trust, from the operator's file.
//!
//! Owns reading the file once, at the start. The one rule: these authorities are trusted besides
//! those of the internet, and a certificate is checked in full either way.

use reqwest::{Certificate, ClientBuilder};
use runtime::{Settings, settings::Setting};
use std::fs;

/// The file with the certificates.
pub(crate) const CA_FILE: Setting = Setting::new(
    "WEBHOOK_CA_FILE",
    "none",
    "PEM file of certificate authorities that webhooks trust besides those of the internet",
);

/// The authorities; empty if no file was given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots(Vec<Certificate>);

impl Roots {
    /// Reads `WEBHOOK_CA_FILE`. A file that cannot be used is recorded as a problem.
    pub(crate) fn read(settings: &mut Settings) -> Self {
        settings.parse_with(CA_FILE, open).unwrap_or_default()
    }

    /// A client that trusts them too.
    pub(super) fn trusted_by(&self, client: ClientBuilder) -> ClientBuilder {
        self.0.iter().cloned().fold(client, |client, certificate| {
            client.add_root_certificate(certificate)
        })
    }
}

fn open(path: &str) -> Result<Roots, String> {
    let what = "give a PEM file of certificates";
    let bytes =
        fs::read(path).map_err(|error| format!("{path} cannot be read: {error}; {what}"))?;
    let certificates = Certificate::from_pem_bundle(&bytes)
        .map_err(|_| format!("{path} is not valid PEM; {what}"))?;
    if certificates.is_empty() {
        return Err(format!("{path} has no certificate; {what}"));
    }
    for (number, certificate) in (1..).zip(&certificates) {
        // Only a client reads a certificate. Each has its own, so that the problem names the wrong one.
        let client = reqwest::Client::builder().use_rustls_tls();
        let client = Roots(vec![certificate.clone()]).trusted_by(client);
        let cannot = |_| format!("certificate {number} of {path} cannot be used; {what}");
        client.build().map_err(cannot)?;
    }
    Ok(Roots(certificates))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A certificate of an authority whose key is gone.
    const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUdDYKGWzaN64EPE/TS+2TajWkVMMwCgYIKoZIzj0EAwIw
IjEgMB4GA1UEAwwXZm9vdGZhbGwgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTI3MTY0
NTExWhgPMjA5NTA1MDkxNjQ1MTFaMCIxIDAeBgNVBAMMF2Zvb3RmYWxsIHRlc3Qg
YXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEor9MK4iJHS1Z8JCy
f3VIX2wachwhYr54L/7XB0B3oBCtAIg/731q3eH3zXTVWGaDii0FWzb9V9+jTfSd
bHQJlqNTMFEwHQYDVR0OBBYEFBDC7hsAJDLn14J/NtVIe/E6r6NqMB8GA1UdIwQY
MBaAFBDC7hsAJDLn14J/NtVIe/E6r6NqMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
zj0EAwIDRwAwRAIgV1EeXuwhdxuBP0mZIdOuEaO61C5VEqQZkQXVXyNQXQICIDWP
ORnmFBBEWml93KHdGuR+gf03ghNlgfZO+OI51e1l
-----END CERTIFICATE-----
";

    fn file(name: &str, text: &str) -> PathBuf {
        let name = format!("footfall-roots-{}-{name}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_file_that_cannot_be_used_is_a_problem_of_its_setting() {
        let wrong = AUTHORITY.replacen("MII", "AAA", 1);
        for (name, text, expected) in [
            ("good", AUTHORITY.to_owned(), None),
            ("two", AUTHORITY.repeat(2), None),
            ("empty", String::new(), Some("has no certificate")),
            ("text", "trust me\n".to_owned(), Some("has no certificate")),
            ("cut", AUTHORITY[..120].to_owned(), Some("is not valid PEM")),
            (
                "wrong",
                [AUTHORITY, &wrong].concat(),
                Some("certificate 2 of "),
            ),
        ] {
            let path = file(name, &text);
            let mut settings = Settings::from_pairs([("WEBHOOK_CA_FILE", path.to_str().unwrap())]);
            let roots = Roots::read(&mut settings);
            let said = settings.finish().err().map(|problems| problems.to_string());
            fs::remove_file(&path).unwrap();
            match (said, expected) {
                (None, None) => assert!(!roots.0.is_empty(), "{name}"),
                (Some(said), Some(expected)) => assert!(
                    said.contains("WEBHOOK_CA_FILE: ") && said.contains(expected),
                    "{name}: {said}"
                ),
                (said, _) => panic!("{name}: {said:?}"),
            }
        }
        let mut settings = Settings::from_pairs([("WEBHOOK_CA_FILE", "no/such/file")]);
        assert!(Roots::read(&mut settings).0.is_empty());
        let said = settings.finish().unwrap_err().to_string();
        assert!(
            said.contains("WEBHOOK_CA_FILE: no/such/file cannot be read"),
            "{said}"
        );
        assert!(Roots::read(&mut Settings::default()).0.is_empty());
    }
}

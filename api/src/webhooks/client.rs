//! Sends one request to the target of a webhook.
//!
//! The one rule: a connection is made to an address that was checked for this attempt. So there is no
//! proxy, no redirect and no connection from an earlier attempt.

use super::{Roots, Targets, sign, target::Refused};
use jiff::Timestamp;
use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect::Policy,
};
use std::{error::Error as StdError, net::SocketAddr, sync::Arc, time::Duration};
use url::Url;

/// Time limit of an attempt, from the look-up of the name to the head of the answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit of a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How rustls begins to say what is wrong with a certificate.
const BAD_CERTIFICATE: &str = "invalid peer certificate: ";
const AGENT: &str = concat!("Footfall-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Sends requests to targets.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    targets: Targets,
}

/// A message to a target.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) url: String,
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) signatures: String,
    pub(super) body: String,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// A word for the metric, one of [`OUTCOMES`].
    pub(super) word: &'static str,
    /// The status of the answer.
    pub(super) status: Option<u16>,
    /// What was wrong; empty for a success.
    pub(super) error: String,
}

/// The words of outcomes.
pub(crate) const OUTCOMES: [&str; 8] = [
    "delivered",
    "status",
    "redirect",
    "timeout",
    "connection",
    "certificate",
    "address",
    "secret",
];

impl Outcome {
    pub(super) fn failed(word: &'static str, error: impl Into<String>) -> Self {
        Self {
            word,
            status: None,
            error: error.into(),
        }
    }

    /// Whether the target has the message.
    pub(super) fn is_delivered(&self) -> bool {
        self.error.is_empty()
    }
}

impl Client {
    /// A client that reaches these targets, and trusts these authorities too.
    pub(super) fn new(targets: Targets, roots: &Roots) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().use_rustls_tls();
        let http = roots
            .trusted_by(client)
            .no_proxy()
            .redirect(Policy::none())
            // A kept connection would skip the check of the address.
            .pool_max_idle_per_host(0)
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .user_agent(AGENT)
            .dns_resolver(Arc::new(Checked(targets)))
            .build()?;
        Ok(Self { http, targets })
    }

    /// Sends a message once. The body of the answer is not read.
    pub(super) async fn send(&self, message: Message) -> Outcome {
        let url = match self.checked(&message.url) {
            Ok(url) => url,
            Err(error) => return Outcome::failed("address", format!("the url {error}")),
        };
        let sent = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(sign::ID, message.id)
            .header(sign::TIMESTAMP, message.at.as_second())
            .header(sign::SIGNATURE, message.signatures)
            .body(message.body)
            .send()
            .await;
        match sent {
            Ok(answer) => of_status(answer.status().as_u16()),
            Err(error) => of_error(&error),
        }
    }

    /// The address, if it may be reached now: the setting may have changed since it was saved.
    fn checked(&self, text: &str) -> Result<Url, String> {
        let url = self.targets.url(text)?;
        Url::parse(&url).map_err(|error| error.to_string())
    }
}

fn of_status(status: u16) -> Outcome {
    let (word, error) = match status {
        200..=299 => ("delivered", String::new()),
        300..=399 => (
            "redirect",
            format!("answered {status}: redirects are not followed"),
        ),
        _ => ("status", format!("answered {status}")),
    };
    Outcome {
        word,
        status: Some(status),
        error,
    }
}

fn of_error(error: &reqwest::Error) -> Outcome {
    let mut innermost: &dyn StdError = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    if innermost.is::<Refused>() {
        return Outcome::failed("address", Refused.to_string());
    }
    if error.is_timeout() {
        let seconds = TIMEOUT.as_secs();
        return Outcome::failed("timeout", format!("did not answer within {seconds} s"));
    }
    // The innermost cause says what failed; the others name the url again.
    let cause: String = innermost.to_string().chars().take(200).collect();
    if let Some(reason) = cause.strip_prefix(BAD_CERTIFICATE) {
        return Outcome::failed("certificate", of_certificate(reason));
    }
    Outcome::failed("connection", format!("the connection failed: {cause}"))
}

/// What was wrong with a certificate, in the words of its owner.
fn of_certificate(reason: &str) -> String {
    match reason {
        "UnknownIssuer" => "the certificate was refused: its issuer is not trusted".to_owned(),
        _ => format!("the certificate was refused: {reason}"),
    }
}

/// Looks names up, and refuses those with an address that must not be reached.
#[derive(Debug)]
struct Checked(Targets);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let targets = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            // All of them, so that no order of addresses leads past the check.
            for address in &found {
                targets.check(address.ip())?;
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn message(url: String) -> Message {
        Message {
            url,
            id: "msg_1".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            signatures: "v1,x".to_owned(),
            body: "{}".to_owned(),
        }
    }

    #[tokio::test]
    async fn neither_an_address_nor_a_name_leads_into_the_local_network() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = Client::new(Targets::STRICT, &Roots::default()).unwrap();
        for url in [
            format!("https://127.0.0.1:{port}/"),
            format!("https://[::ffff:127.0.0.1]:{port}/"),
            format!("https://localhost:{port}/"),
        ] {
            let outcome = client.send(message(url.clone())).await;
            assert_eq!((outcome.word, outcome.status), ("address", None), "{url}");
        }
        // A name that is allowed itself, but not where it leads.
        let sent = client
            .http
            .post(format!("https://localhost:{port}/"))
            .send();
        let outcome = of_error(&sent.await.unwrap_err());
        assert_eq!(
            (outcome.word, outcome.error),
            ("address", Refused.to_string())
        );
        let looked_up = Checked(Targets::STRICT).resolve("localhost".parse().unwrap());
        assert!(looked_up.await.err().unwrap().is::<Refused>());
        let looked_up = Checked(Targets::LOCAL).resolve("localhost".parse().unwrap());
        assert!(looked_up.await.is_ok());
        let untouched = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(untouched.is_err());
    }

    #[test]
    fn only_statuses_from_200_to_299_are_a_success() {
        for (status, word) in [
            (200, "delivered"),
            (204, "delivered"),
            (301, "redirect"),
            (302, "redirect"),
            (304, "redirect"),
            (400, "status"),
            (410, "status"),
            (503, "status"),
        ] {
            let outcome = of_status(status);
            assert_eq!(outcome.word, word);
            assert_eq!(outcome.is_delivered(), word == "delivered");
            assert!(OUTCOMES.contains(&word));
        }
    }
}

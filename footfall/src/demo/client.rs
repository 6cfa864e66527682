//! An HTTP client for the program's own listener. It has no access that other clients lack.

use reqwest::{Method, StatusCode};
use runtime::program::Failure;
use serde_json::Value;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use url::Url;
use uuid::Uuid;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A client of this program.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    /// Scheme, host and port of the listener.
    pub(super) base: String,
    token: String,
}

impl Client {
    /// A client of the listener at that address. Its calls carry the token.
    pub(super) fn new(listener: SocketAddr, token: String) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // Proxy settings of the environment must not divert requests from this machine.
            .no_proxy()
            // A redirect of a short link is an answer, and its destination is not ours.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(Failure::other)?;
        // A listener on all addresses is reached on the loopback address.
        let host = match listener.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        Ok(Self {
            http,
            base: format!("http://{}", SocketAddr::new(host, listener.port())),
            token,
        })
    }

    /// Sends a request with the token.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), Failure> {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request).await.map_err(Failure::other)
    }

    /// Opens a short URL with the headers of a browser. Returns the id of the click, if the
    /// destination gets one.
    pub(super) async fn open(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Option<Uuid>, reqwest::Error> {
        let mut request = self.http.get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let location = response.headers().get("location");
        let location = location.and_then(|value| value.to_str().ok()?.parse::<Url>().ok());
        Ok(location.and_then(|location| {
            let mut pairs = location.query_pairs();
            pairs.find_map(|(name, value)| (name == "lw_cid").then(|| value.parse().ok())?)
        }))
    }

    /// Reports a conversion as a shop's server does.
    pub(super) async fn convert(&self, body: &Value) -> Result<(), reqwest::Error> {
        let url = format!("{}/conversions/s2s", self.base);
        self.http.post(url).json(body).send().await.map(|_| ())
    }

    /// Sends a beacon like a browser with that agent, behind a proxy that forwards that address.
    /// Returns `Null` if it is refused.
    pub(super) async fn beacon(
        &self,
        path: &str,
        agent: &str,
        address: Ipv4Addr,
        body: &Value,
    ) -> Result<Value, reqwest::Error> {
        let url = format!("{}/api/v1/analytics/{path}", self.base);
        let request = self
            .http
            .post(url)
            .header("user-agent", agent)
            .header("x-forwarded-for", address.to_string())
            .json(body);
        let (status, body) = answer(request).await?;
        Ok(if status.is_success() {
            body
        } else {
            Value::Null
        })
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<(StatusCode, Value), reqwest::Error> {
    let response = request.send().await?;
    let status = response.status();
    // A body that is not JSON counts as null; the status says enough.
    let body = response.bytes().await?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

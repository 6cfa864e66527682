//! Speaks HTTP to the program's own listener, as anybody would.

use reqwest::{Method, StatusCode};
use runtime::program::Failure;
use serde_json::Value;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A client of this program.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    /// Where it listens: scheme, host and port.
    pub(super) base: String,
    token: String,
}

impl Client {
    /// A client of the listener at that address, which calls with that token where one is asked for.
    pub(super) fn new(listener: SocketAddr, token: String) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // Nothing of the environment may lead away from this machine.
            .no_proxy()
            .build()
            .map_err(Failure::other)?;
        // Who listens everywhere is reached here.
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

    /// Asks with the token.
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

    /// Sends a beacon, as a browser with that agent behind a proxy that names that address.
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
    // An answer without JSON says enough by its status.
    let body = response.bytes().await?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

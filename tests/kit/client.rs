//! Sends HTTP requests to a system, like browsers, creators and dashboards.

use jiff::SignedDuration;
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{HeaderMap, USER_AGENT},
    redirect::{Action, Attempt, Policy},
};
use runtime::{Clock, jwt};
use schemas::{Keyring, PageId, tracking_token};
use serde_json::{Value, json};
use std::{str::FromStr, sync::Arc};
use uuid::Uuid;

use crate::system::SECRET;

/// The agent of a current browser.
pub const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";

/// A client of one system.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
}

/// A creator with a page and a token.
#[derive(Clone, Debug)]
pub struct Creator {
    /// Id of the creator.
    pub id: Uuid,
    /// Id of the workspace.
    pub workspace_id: Uuid,
    /// Id of the first page.
    pub page: Uuid,
    /// A token of the creator.
    pub token: String,
}

/// A response with its whole body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON; `null` if it is invalid JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The `data` of a successful response.
    ///
    /// # Panics
    /// If the response is an error.
    #[must_use]
    pub fn data(&self) -> Value {
        let body = self.json();
        assert_eq!(
            body["success"],
            json!(true),
            "{} {}",
            self.status,
            self.text
        );
        body["data"].clone()
    }

    /// Asserts that the response is a success.
    ///
    /// # Panics
    /// If it is an error.
    pub fn assert_ok(&self) {
        assert_eq!(
            self.json()["success"],
            json!(true),
            "{} {}",
            self.status,
            self.text
        );
    }

    /// The `id` in the data of a successful response.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let data = self.data();
        data["id"]
            .as_str()
            .and_then(|id| Uuid::from_str(id).ok())
            .unwrap_or_else(|| panic!("no id in {data}"))
    }

    /// Status, code and key of an error response.
    #[must_use]
    pub fn error(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |name: &str| body["error"][name].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("code"), text("i18nKey"))
    }
}

/// Follows redirects within the system. Destinations of short links are elsewhere.
fn follow_within(attempt: Attempt) -> Action {
    let before = attempt.previous().last();
    let host = before.and_then(|before| before.host_str());
    if host == attempt.url().host_str() {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

impl Client {
    /// A client of the system at an address. Its tokens use the time of the given clock.
    ///
    /// # Panics
    /// Never: the client uses no TLS.
    #[must_use]
    pub fn new(base: String, clock: Arc<dyn Clock>) -> Self {
        Self {
            base,
            http: reqwest::Client::builder()
                .redirect(Policy::custom(follow_within))
                .build()
                .unwrap(),
            clock,
        }
    }

    /// The system's address, as host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A request to a path.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .header(USER_AGENT, BROWSER)
    }

    /// Sends a request and reads the response.
    ///
    /// # Panics
    /// If the connection fails.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer {
            status,
            headers,
            text: response.text().await.unwrap(),
        }
    }

    /// Sends a POST with JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Sends a POST with JSON and a token.
    pub async fn post_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(
            self.request(Method::POST, path)
                .bearer_auth(token)
                .json(body),
        )
        .await
    }

    /// Sends a PATCH with JSON and a token.
    pub async fn patch_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(
            self.request(Method::PATCH, path)
                .bearer_auth(token)
                .json(body),
        )
        .await
    }

    /// Sends a DELETE with a token.
    pub async fn delete_as(&self, token: &str, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path).bearer_auth(token))
            .await
    }

    /// Sends a GET with a token.
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).bearer_auth(token))
            .await
    }

    /// Sends a GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// A token of a user, valid for longer than any test's clock runs.
    ///
    /// # Panics
    /// Never: the secret is text.
    #[must_use]
    pub fn token(&self, sub: &str) -> String {
        jwt::mint(
            SECRET,
            sub,
            None,
            self.clock.now(),
            SignedDuration::from_hours(24 * 400),
        )
        .unwrap()
    }

    /// Makes a creator with a page.
    pub async fn creator(&self, name: &str) -> Creator {
        let token = self.token(name);
        let answer = self
            .post_as(
                &token,
                "/api/v1/creators",
                &json!({"username": name, "displayName": name}),
            )
            .await;
        let data = answer.data();
        let id = |name: &str| {
            data[name]
                .as_str()
                .and_then(|id| id.parse().ok())
                .unwrap_or_default()
        };
        Creator {
            id: id("id"),
            workspace_id: id("workspaceId"),
            page: id("bioPageId"),
            token,
        }
    }

    /// Adds a link to a creator's first page.
    pub async fn link(&self, creator: &Creator, title: &str, url: &str) -> Uuid {
        let path = format!("/api/v1/creators/{}/links", creator.id);
        self.post_as(&creator.token, &path, &json!({"title": title, "url": url}))
            .await
            .id()
    }

    /// The page's tracking token now.
    ///
    /// # Panics
    /// Never: the secret is long enough.
    #[must_use]
    pub fn tracking_token(&self, page: Uuid) -> String {
        tracking_token::make(
            &Keyring::parse(SECRET).unwrap(),
            PageId(page),
            self.clock.now(),
        )
    }

    /// The body of a valid session beacon.
    #[must_use]
    pub fn session_body(&self, page: Uuid, visitor: &str) -> Value {
        json!({
            "visitorId": visitor,
            "consentAnalytics": "granted",
            "bioPageId": page,
            "trackingToken": self.tracking_token(page),
        })
    }

    /// Opens a session and returns its id.
    pub async fn session(&self, page: Uuid, visitor: &str) -> Uuid {
        self.post(
            "/api/v1/analytics/session",
            &self.session_body(page, visitor),
        )
        .await
        .id()
    }

    /// Records a view, or a click if a link is given, and returns its id.
    pub async fn view(&self, session: Uuid, link: Option<Uuid>) -> Uuid {
        let body = json!({"sessionId": session, "path": "/", "linkClicked": link});
        self.post("/api/v1/analytics/pageview", &body).await.id()
    }

    /// Sends a heartbeat.
    pub async fn heartbeat(&self, session: Uuid) -> Answer {
        self.post(
            &format!("/api/v1/analytics/session/{session}/heartbeat"),
            &json!({}),
        )
        .await
    }

    /// Leaves a view.
    pub async fn leave(&self, view: Uuid, seconds: f64) -> Answer {
        self.post(
            &format!("/api/v1/analytics/pageview/{view}/leave"),
            &json!({"duration": seconds}),
        )
        .await
    }

    /// A report's data.
    pub async fn report(&self, creator: &Creator, path: &str) -> Value {
        self.get_as(
            &creator.token,
            &format!("/api/v1/creators/analytics/{path}"),
        )
        .await
        .data()
    }
}

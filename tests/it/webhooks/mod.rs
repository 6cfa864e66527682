//! Webhooks in a whole system: from an event to the requests that its targets get.

mod deleted;
mod failures;
mod history;
mod sending;
mod tls;

use crate::clicks::{open, until_known};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    serve::Listener,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use jiff::SignedDuration;
use kit::{Answer, Creator, System, SystemBuilder, system::PATIENCE};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

const HOST: &str = "footfall.test";
const LIST: &str = "/api/webhooks";

/// A request that a target got.
#[derive(Debug)]
struct Received {
    path: String,
    headers: HeaderMap,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Which of these secrets have signed it.
    fn signed_by<'s>(&self, secrets: &[&'s str]) -> Vec<&'s str> {
        let content = format!(
            "{}.{}.{}",
            self.header("webhook-id"),
            self.header("webhook-timestamp"),
            self.body
        );
        let has = |secret: &&str| {
            let key = STANDARD
                .decode(secret.trim_start_matches("whsec_"))
                .unwrap();
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(content.as_bytes());
            let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
            let mut given = self.header("webhook-signature").split(' ');
            given.any(|given| given == expected)
        };
        secrets.iter().copied().filter(has).collect()
    }
}

/// How a target answers: these statuses in turn, then 200. Zero means never.
type Answers = Arc<Mutex<VecDeque<u16>>>;

/// A target of webhooks in this process.
struct Target {
    url: String,
    answers: Answers,
    received: tokio::sync::Mutex<UnboundedReceiver<Received>>,
}

async fn answer(
    State((answers, sender)): State<(Answers, UnboundedSender<Received>)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let received = Received {
        path: uri.path().to_owned(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    // The test may have ended.
    let _ = sender.send(received);
    let status = answers.lock().unwrap().pop_front().unwrap_or(200);
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("location", "/elsewhere")], "not read").into_response()
}

impl Target {
    async fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        Self::serve(listener, url, answers)
    }

    fn serve(listener: impl Listener<Addr = SocketAddr>, url: String, answers: &[u16]) -> Self {
        let answers: Answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
        let (sender, receiver) = unbounded_channel();
        let router = Router::new()
            .fallback(answer)
            .with_state((Arc::clone(&answers), sender));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            answers,
            received: tokio::sync::Mutex::new(receiver),
        }
    }

    /// The next request.
    async fn next(&self) -> Received {
        let mut received = self.received.lock().await;
        let next = timeout(PATIENCE, received.recv()).await;
        next.expect("the target got nothing").unwrap()
    }

    /// Asserts that nothing came besides what was read.
    async fn assert_quiet(&self) {
        let next = self.received.lock().await.try_recv();
        assert!(next.is_err(), "{next:?}");
    }

    fn then(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }
}

/// A workspace with links and webhooks.
struct Shop {
    system: System,
    ada: Creator,
}

impl Shop {
    async fn open() -> Self {
        Self::of(builder().start().await).await
    }

    async fn of(system: System) -> Self {
        let ada = system.client.creator("ada").await;
        Self { system, ada }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.system
            .client
            .post_as(&self.ada.token, path, body)
            .await
    }

    async fn get(&self, path: &str) -> Value {
        self.system
            .client
            .get_as(&self.ada.token, path)
            .await
            .data()
    }

    /// Adds a webhook: its id and its secret.
    async fn webhook(&self, target: &Target, events: &[&str], more: Value) -> (Uuid, String) {
        let mut body = json!({ "url": target.url, "events": events });
        let members = body.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        let made = self.post(LIST, &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let secret = made.data()["secret"].as_str().unwrap().to_owned();
        (made.id(), secret)
    }

    /// Adds a link, and waits until it can be clicked.
    async fn link(&self, code: &str, more: Value) -> Uuid {
        let mut body = json!({ "destinationUrl": "https://shop.example/", "shortCode": code });
        let members = body.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        let made = self.post("/api/links", &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        until_known(&self.system, code).await;
        made.id()
    }

    /// Opens a path as a person. Nothing about them is recorded, so each of these clicks counts.
    async fn click(&self, path: &str) -> Answer {
        let answer = open(&self.system.client, HOST, path, &[("sec-gpc", "1")]).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        answer
    }

    fn advance(&self, by: SignedDuration) {
        self.system.clock.advance(by);
    }

    async fn deliveries(&self, webhook: Uuid) -> Vec<Value> {
        let path = format!("{LIST}/{webhook}/deliveries?limit=100");
        self.get(&path).await.as_array().unwrap().clone()
    }

    /// Waits until every delivery of a webhook is as expected. The table sends no notification.
    async fn until(&self, webhook: Uuid, expected: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let deliveries = self.deliveries(webhook).await;
            if expected(&deliveries) {
                return deliveries;
            }
            assert!(begun.elapsed() < PATIENCE, "{deliveries:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn finish(self) {
        self.system.finish().await;
    }
}

fn builder() -> SystemBuilder {
    SystemBuilder::default().set("WEBHOOK_PRIVATE_TARGETS", "on")
}

fn all(state: &str) -> impl Fn(&[Value]) -> bool + '_ {
    move |deliveries| {
        !deliveries.is_empty() && deliveries.iter().all(|delivery| delivery["state"] == state)
    }
}

/// Whether so many attempts of the only delivery have ended.
fn attempts(count: i64) -> impl Fn(&[Value]) -> bool {
    move |deliveries| deliveries.len() == 1 && deliveries[0]["attempts"] == count
}

//! Builds an instance of ingest for a test: fixed secrets, clock and ids, and a sink that records
//! events.

use crate::{
    accept::{Acceptor, Rules},
    config::MAX_EVENT_DATA_BYTES,
    directory::Directory,
    enrich::{Enricher, GeoDatabase, VisitorHasher},
    intake::{Intake, Parts},
    limits,
    outcome::Outcomes,
    redirect::{self, Redirects},
    routes,
    sink::{NotDurable, Outgoing, Sink},
};
use axum::{
    Router,
    body::Body,
    http::{Request, Response},
    middleware::from_fn_with_state,
};
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use runtime::{
    Clock, IdSource, ManualClock, SeededIds, Settings,
    http::{Peer, TrustedProxies, finish},
    jwt::{self, Verifier},
    throttle::Throttles,
};
use schemas::{
    IdMaker, Keyring, PageId, PageviewId, SessionId, WorkspaceId, WorkspaceNo,
    directory::{Entry, Page},
    routed::Payload,
    tracking_token,
};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tower::ServiceExt;
use uuid::Uuid;

pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const PAGE: PageId = PageId(Uuid::from_u128(0x5f0c_3f0e_6c5e_4b6a_9d0a_0f6c_1c5b_7a11));
/// A page that is not in the directory at the start of a test.
pub const LATE_PAGE: PageId = PageId(Uuid::from_u128(0x5f0c_3f0e_6c5e_4b6a_9d0a_0f6c_1c5b_7a22));
pub const WORKSPACE_NO: WorkspaceNo = WorkspaceNo(42);
pub const LATE_WORKSPACE_NO: WorkspaceNo = WorkspaceNo(43);
pub const WORKSPACE: WorkspaceId =
    WorkspaceId(Uuid::from_u128(0x7d6f_0f8a_3d0c_4a57_9a8e_2f4d_6f1f_0b01));
/// The host of short URLs.
pub const HOST: &str = "go.example";
pub const BROWSER: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 \
                           (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";
/// A user whose id must never be published.
pub const USER: &str = "user-7f3a-of-the-platform";

pub fn start_time() -> Timestamp {
    "2026-02-20T10:30:00.123Z".parse().unwrap()
}

/// How the sink treats events.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// Stores them.
    #[default]
    Keep,
    /// Fails.
    Fail,
    /// Stores them after a notification.
    Hold(Arc<Notify>),
}

/// A sink that records events.
#[derive(Debug, Default)]
pub struct RecordingSink {
    mode: Mutex<Mode>,
    kept: Mutex<Vec<Outgoing>>,
    calls: Mutex<Vec<usize>>,
    pub entered: Notify,
}

impl RecordingSink {
    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    pub fn take(&self) -> Vec<Outgoing> {
        std::mem::take(&mut *self.kept.lock().unwrap())
    }

    /// The number of events in each call.
    pub fn calls(&self) -> Vec<usize> {
        self.calls.lock().unwrap().clone()
    }

    pub fn take_json(&self) -> Vec<Value> {
        let json = |event: &Outgoing| serde_json::from_slice(&event.payload).unwrap();
        self.take().iter().map(json).collect()
    }
}

impl Sink for RecordingSink {
    fn publish<'a>(&'a self, events: &'a [Outgoing]) -> BoxFuture<'a, Vec<Result<(), NotDurable>>> {
        Box::pin(async move {
            self.calls.lock().unwrap().push(events.len());
            self.entered.notify_one();
            let mode = self.mode.lock().unwrap().clone();
            match mode {
                Mode::Fail => {
                    return vec![Err(NotDurable("the log is unavailable".into())); events.len()];
                }
                Mode::Keep => {}
                Mode::Hold(go) => go.notified().await,
            }
            self.kept.lock().unwrap().extend_from_slice(events);
            vec![Ok(()); events.len()]
        })
    }
}

/// An instance and its environment.
pub struct Instance {
    pub intake: Arc<Intake>,
    pub redirects: Arc<Redirects>,
    pub sink: Arc<RecordingSink>,
    pub clock: Arc<ManualClock>,
    router: Router,
}

/// The answer of an instance.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub body: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Instance {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// An instance with these settings in addition to the defaults.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self::seeded(settings, 1)
    }

    pub fn seeded(pairs: &[(&str, &str)], seed: u64) -> Self {
        let manual = Arc::new(ManualClock::new(start_time()));
        let clock: Arc<dyn Clock> = manual.clone();
        let mut settings = Settings::from_pairs(pairs.iter().copied());
        let geo = GeoDatabase::bundled().unwrap();
        let hasher = VisitorHasher::new(ring()).unwrap();
        let enricher = Enricher::new(geo, hasher).unwrap();
        let rules = Rules {
            tracking_enabled: settings
                .text("TRACKING_ENABLED")
                .is_none_or(|text| text == "true"),
            max_event_data_bytes: settings.parse(&MAX_EVENT_DATA_BYTES, "bytes"),
        };
        let sink = Arc::new(RecordingSink::default());
        let directory = Arc::new(Directory::serving(HOST));
        directory.apply(page(PAGE, WORKSPACE_NO, WORKSPACE));
        let ids: Arc<dyn IdSource> = Arc::new(SeededIds::new(seed));
        let intake = Arc::new(Intake::new(Parts {
            acceptor: Acceptor::new(ring(), ids_of_ours(), enricher, rules),
            directory,
            sink: sink.clone(),
            throttles: Throttles::read(&mut settings, limits::PUBLISHED, &clock),
            jwt: Verifier::hs256(SECRET),
            proxies: TrustedProxies::read(&mut settings),
            clock: Arc::clone(&clock),
            ids,
        }));
        settings.finish().unwrap();
        let finisher = finish::Finisher {
            clock,
            ids: Arc::new(SeededIds::new(1_000_000)),
            surfaces: dialects::spoken(),
        };
        let redirects = Redirects::of(Arc::clone(&intake));
        let router = redirect::around(routes::router(Arc::clone(&intake)), &redirects);
        let router = router.layer(from_fn_with_state(finisher, finish::finish));
        Self {
            intake,
            redirects,
            sink,
            clock: manual,
            router,
        }
    }

    pub fn outcomes(&self) -> &Outcomes {
        self.intake.outcomes()
    }

    pub fn counts(&self) -> Vec<(String, u64)> {
        self.outcomes().counts().collect()
    }

    pub fn call(&self, request: Request<Body>) -> impl Future<Output = Answered> + use<> {
        let router = self.router.clone();
        async move {
            let response: Response<Body> = router.oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            Answered {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: String::from_utf8(bytes.to_vec()).unwrap(),
            }
        }
    }

    /// Sends a POST with JSON from a browser at a public address.
    pub async fn post(&self, path: &str, body: &Value) -> Answered {
        self.call(post(path, body.to_string())).await
    }
}

/// A POST from a browser at a public address.
pub fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    request("POST", path)
        .header("content-type", "application/json")
        .header("user-agent", BROWSER)
        .header("authorization", format!("Bearer {}", bearer()))
        .body(body.into())
        .unwrap()
}

pub fn request(method: &str, path: &str) -> axum::http::request::Builder {
    let peer = Peer("81.2.69.142:4711".parse().unwrap());
    Request::builder()
        .method(method)
        .uri(format!("/api/v1/analytics{path}"))
        .extension(peer)
}

pub fn ring() -> Keyring {
    Keyring::parse(SECRET).unwrap()
}

pub fn ids_of_ours() -> IdMaker {
    IdMaker::new(ring())
}

pub fn page(page_id: PageId, workspace_no: WorkspaceNo, workspace_id: WorkspaceId) -> Entry {
    Entry::Page(Page {
        page_id,
        workspace_no,
        workspace_id,
        row_version: 1,
    })
}

pub fn late_page() -> Entry {
    page(
        LATE_PAGE,
        LATE_WORKSPACE_NO,
        WorkspaceId(Uuid::from_u128(43)),
    )
}

pub fn session_of(workspace_no: WorkspaceNo) -> SessionId {
    ids_of_ours().session(workspace_no, Payload::Random([5; 16]))
}

pub fn pageview_of(workspace_no: WorkspaceNo) -> PageviewId {
    ids_of_ours().pageview(workspace_no, Payload::Random([6; 16]))
}

pub fn token_at(page: PageId, at: Timestamp) -> String {
    tracking_token::make(&ring(), page, at)
}

pub fn token(page: PageId) -> String {
    token_at(page, start_time())
}

pub fn bearer() -> String {
    jwt::mint(
        SECRET,
        USER,
        None,
        start_time(),
        SignedDuration::from_hours(1),
    )
    .unwrap()
}

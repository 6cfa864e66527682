//! The three services of one test, in this process, behind one address.

use crate::{
    client::Client,
    log::TestLog,
    noon,
    postgres::{self, Databases},
};
use axum::Router;
use footfall::services::Services;
use projector::consumer::Assignment;
use runtime::{
    Clock, Context, IdSource, Lifecycle, ManualClock, Readiness, SeededIds, Settings,
    http::{Options, serve},
};
use schemas::topics::{EVENTS, EVENTS_PARTITIONS_EMBEDDED};
use sqlx::PgPool;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

/// The longest time for any step of a test; after it the test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Secrets of every test system.
pub const SECRET: &str = "a-secret-for-tests-only-0123456789abcdef";

/// Options for a system.
pub struct SystemBuilder {
    settings: BTreeMap<String, String>,
    log: Option<TestLog>,
    databases: Option<Databases>,
    projector: bool,
    ids: Arc<dyn IdSource>,
}

impl Default for SystemBuilder {
    fn default() -> Self {
        let secrets = [
            "JWT_SECRET",
            "TRACKING_HMAC_SECRET",
            "ID_SECRET",
            "VISITOR_HASH_SECRET",
        ];
        let mut settings: BTreeMap<String, String> = secrets
            .into_iter()
            .map(|name| (name.to_owned(), SECRET.to_owned()))
            .collect();
        settings.insert("PUBLIC_URL".to_owned(), "http://footfall.test".to_owned());
        settings.insert("RATE_LIMITS".to_owned(), "off".to_owned());
        Self {
            settings,
            log: None,
            databases: None,
            projector: true,
            ids: Arc::new(SeededIds::new(1)),
        }
    }
}

impl SystemBuilder {
    /// Adds a setting.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// Uses an existing log.
    #[must_use]
    pub fn log(mut self, log: TestLog) -> Self {
        self.log = Some(log);
        self
    }

    /// Uses existing databases.
    #[must_use]
    pub fn databases(mut self, databases: Databases) -> Self {
        self.databases = Some(databases);
        self
    }

    /// Leaves the projector out; the test runs its own.
    #[must_use]
    pub const fn without_projector(mut self) -> Self {
        self.projector = false;
        self
    }

    /// The first generated id, so that two systems on one log make different ones.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.ids(Arc::new(SeededIds::new(seed)))
    }

    /// Another source of ids.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Starts the system and waits until it is ready.
    ///
    /// # Panics
    /// If it cannot be started.
    pub async fn start(self) -> System {
        let log = match self.log {
            Some(log) => log,
            None => TestLog::start().await,
        };
        let databases = match self.databases {
            Some(databases) => databases,
            None => postgres::databases().await,
        };
        let mut settings = self.settings;
        settings.extend(log.variables());
        let databases_by_role = databases.settings();
        settings.extend(databases_by_role.map(|(name, url)| (name.to_owned(), url)));
        let clock = Arc::new(ManualClock::new(noon()));
        let context = Context {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ids: self.ids,
            lifecycle: Lifecycle::default(),
            readiness: Readiness::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let services = Services {
            projector: self.projector.then_some(Assignment::All {
                partitions: EVENTS_PARTITIONS_EMBEDDED,
            }),
            accept_new_secrets: false,
        };
        let started = services
            .start(Settings::from_pairs(settings.clone()), &context)
            .await;
        let started = started.unwrap_or_else(|failure| panic!("{failure:?}"));
        let paths = paths(&started.router);
        let options = Options::read(&mut Settings::from_pairs(settings.clone()));
        serve::spawn(
            listener,
            started.router,
            dialects::spoken(),
            options,
            &context,
        );
        tokio::select! {
            () = context.readiness.wait() => {}
            ended = context.lifecycle.run_to_end() => panic!("the system ended: {ended:?}"),
            () = tokio::time::sleep(PATIENCE) => panic!("not ready: {:?}", context.readiness.parts()),
        }
        System {
            guard: Guard(context.lifecycle.clone()),
            client: Client::new(
                format!("http://{address}"),
                Arc::clone(&clock) as Arc<dyn Clock>,
            ),
            clock,
            log,
            main: PgPool::connect(&databases.main).await.unwrap(),
            analytics: PgPool::connect(&databases.analytics).await.unwrap(),
            databases,
            outcomes: started.outcomes,
            context,
            settings,
            paths,
        }
    }
}

/// The paths of a router's routes. Routers list them only in their debug output. If that format ever
/// changes, the list is empty and the tests that compare it fail.
fn paths(router: &Router) -> BTreeSet<String> {
    let text = format!("{router:?}");
    // The rest is for unknown paths.
    let before = text.split("fallback_router").next().unwrap_or_default();
    let paths = before.split("RouteId(").filter_map(|entry| {
        let (_, path) = entry.split_once("): \"")?;
        path.split('"').next()
    });
    let paths = paths.map(str::to_owned);
    // Short URLs are behind all routes and no route themselves.
    paths.chain([ingest::redirect::PATH.to_owned()]).collect()
}

/// A running system.
pub struct System {
    /// Stops the services when the test fails; otherwise their threads would delay its end.
    guard: Guard,
    /// A client of this system.
    pub client: Client,
    /// Its clock, which moves only when a test moves it.
    pub clock: Arc<ManualClock>,
    /// Its log.
    pub log: TestLog,
    /// Its main database.
    pub main: PgPool,
    /// Its analytics database.
    pub analytics: PgPool,
    /// Their URLs.
    pub databases: Databases,
    /// The outcomes of its beacons.
    pub outcomes: Arc<ingest::Outcomes>,
    /// Its lifecycle and readiness.
    pub context: Context,
    /// The settings of its start.
    pub settings: BTreeMap<String, String>,
    /// The paths of its routers.
    pub paths: BTreeSet<String>,
}

impl System {
    /// A second instance beside this one, without a projector, on the same log and databases. It must end
    /// before this one.
    ///
    /// # Panics
    /// If it cannot be started.
    pub async fn beside(&self) -> Self {
        let builder = SystemBuilder::default()
            .log(self.log.shared())
            .databases(self.databases.clone())
            .without_projector();
        builder.seed(1 << 32).start().await
    }

    /// Starts a system on an existing log and databases, and waits until the tables have the whole log.
    ///
    /// # Panics
    /// If it cannot be started, or the tables do not catch up.
    pub async fn over(log: TestLog, databases: Databases) -> Self {
        let builder = SystemBuilder::default().log(log).databases(databases);
        let system = builder.start().await;
        system.settle().await;
        system
    }

    /// A system with default options.
    pub async fn start() -> Self {
        SystemBuilder::default().start().await
    }

    /// Waits until the tables have everything that is in the log now.
    ///
    /// # Panics
    /// If that takes too long.
    pub async fn settle(&self) {
        let ends = self.log.ends().await;
        self.settle_at(&ends).await;
    }

    /// Waits until the tables have everything before the given offsets.
    ///
    /// # Panics
    /// If that takes too long.
    pub async fn settle_at(&self, ends: &[(i32, i64)]) {
        let store = projector::Store::new(self.analytics.clone());
        let folded = async {
            loop {
                let progress: BTreeMap<i32, i64> =
                    store.progress(EVENTS).await.unwrap().into_iter().collect();
                let behind = |(partition, end): &(i32, i64)| {
                    progress.get(partition).copied().unwrap_or(0) < *end
                };
                if !ends.iter().any(behind) {
                    return;
                }
                // The tables send no notification of changes.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, folded)
            .await
            .expect("the projector did not catch up");
    }

    /// Stops the services and returns the log and databases.
    ///
    /// # Panics
    /// If a part has failed or does not stop.
    pub async fn stop(self) -> (TestLog, Databases) {
        let _guard = self.guard;
        self.context.lifecycle.finish().await.unwrap();
        self.main.close().await;
        self.analytics.close().await;
        (self.log, self.databases)
    }

    /// Stops everything and removes the log.
    pub async fn finish(self) {
        let (log, _) = self.stop().await;
        log.finish().await;
    }
}

struct Guard(Lifecycle);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

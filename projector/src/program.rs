//! Runs the projector as a service: its settings, its parts, and the `run` of its binary.

use crate::{
    MIGRATIONS, Store,
    consumer::{self, Assignment, Parts},
    expiry,
};
use axum::Router;
use runtime::{
    Context, Producer, Settings,
    database::{self, PoolSettings},
    http::{Options, listen, serve},
    kafka::KafkaSettings,
    metrics,
    openapi::Document,
    program::Failure,
    service::{
        self, health,
        home::{self, Home},
    },
    settings::Setting,
    topics,
};
use schemas::directory::Log;
use sqlx::migrate::MigrateError;
use std::{fmt, sync::Arc, time::Duration};
use tracing::warn;

const HOME: Home = Home {
    program: "Footfall projector",
    about: "Folds the event log into the tables behind the reports.",
    has_docs: false,
};

/// The address the projector listens on.
pub const LISTEN: Setting = Setting::new(
    "PROJECTOR_LISTEN",
    "127.0.0.1:8082",
    "address the projector listens on (health and metrics)",
);
pub(crate) const ANALYTICS: Setting = Setting::new(
    "ANALYTICS_DATABASE_URL",
    "<name>_analytics on the server of DATABASE_URL",
    "analytics database",
)
.secret()
.required();
/// Connections of the projector: for writers and claims, gauges, an analysis, checks of locks, and
/// expiry.
const POOL_SIZE: u32 = consumer::WRITERS + 4;

/// A statement takes milliseconds, or some seconds for a large batch on a busy server. A wait for a
/// lock keeps a turn from other partitions, so it is short: the worker then waits without a
/// connection.
const SESSIONS: PoolSettings = PoolSettings {
    statement_timeout: Duration::from_mins(1),
    lock_timeout: Duration::from_secs(2),
    parameters: &PARAMETERS,
    ..PoolSettings::new("footfall-projector", POOL_SIZE)
};

/// Server settings for connections to the analytics database that look up many keys.
///
/// Every statement of the projector looks up keys by an index. On tables that have grown since
/// their last analysis, the planner would otherwise choose full scans: seconds instead of
/// milliseconds per batch. Plans do not depend on the keys, so each statement is planned once: to
/// plan a look-up in tables of many months takes longer than the look-ups of a small batch.
pub const PLANNER: [(&str, &str); 4] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// Server settings of the sessions that fold.
///
/// A commit does not wait for the server's disk: rows and offset are one transaction, so a commit
/// that a crash of the server takes back is folded again from the log.
pub(crate) const PARAMETERS: [(&str, &str); 5] = {
    let [seqscan, hashjoin, mergejoin, plans] = PLANNER;
    [
        seqscan,
        hashjoin,
        mergejoin,
        plans,
        ("synchronous_commit", "off"),
    ]
};

/// The error for tables that this version cannot continue.
const FORMER: &str = "the tables of the analytics database are from another version; stop all projectors and run `footfall rebuild` to rebuild them from the log";

/// The configuration of a projector.
#[derive(Clone)]
pub struct Config {
    /// The cluster.
    pub kafka: KafkaSettings,
    /// The analytics database.
    pub analytics_database_url: String,
    /// The partitions that it takes.
    pub assignment: Assignment,
}

/// Hides the URL, which may have the database's password.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("kafka", &self.kafka)
            .field("assignment", &self.assignment)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Reads the settings and records problems in them.
    pub fn read(settings: &mut Settings) -> Self {
        Self {
            kafka: KafkaSettings::read(settings),
            analytics_database_url: database::read_url(settings, &ANALYTICS),
            assignment: Assignment::Group,
        }
    }
}

/// Starts folding. Its readiness parts are `analytics database` and `projector`.
///
/// # Errors
/// When a setting is unusable. An unavailable server is not an error; the projector waits for it.
pub fn start(config: Config, context: &Context) -> Result<(), Failure> {
    let pool = database::pool(&config.analytics_database_url, &SESSIONS)
        .map_err(|error| Failure::Other(format!("{}: {error}", ANALYTICS.name)))?;
    let producer = Arc::new(Producer::new(&config.kafka).map_err(Failure::other)?);
    context
        .readiness
        .missing("analytics database", "not migrated yet");
    context.readiness.missing("projector", "starting");
    let (life, context) = (context.lifecycle.clone(), context.clone());
    life.spawn_worker("projector", async move {
        let (readiness, lifecycle) = (&context.readiness, &context.lifecycle);
        match database::migrate(
            &pool,
            &MIGRATIONS,
            "analytics database",
            readiness,
            lifecycle,
        )
        .await
        {
            Err(database::DatabaseError::Stopped) => return Ok(()),
            // The tables are those of the first two migrations, which this version cannot read.
            Err(database::DatabaseError::Migrate(MigrateError::VersionMissing(_))) => {
                return Err(FORMER.to_owned());
            }
            migrated => migrated.map_err(|error| format!("the analytics database: {error}"))?,
        }
        let Some(log) = wait_for_topics(&config.kafka, &context).await? else {
            return Ok(());
        };
        let store = Store::new(pool);
        let (kafka, partitions) = (config.kafka.clone(), log.events_partitions);
        let expiring = expiry::run(store.clone(), kafka, partitions, context.clone());
        lifecycle.spawn_until_stop("expiry", expiring);
        let parts = Parts {
            kafka: config.kafka,
            store,
            producer: Arc::clone(&producer),
            assignment: config.assignment,
        };
        let handle = tokio::runtime::Handle::current();
        let thread = tokio::task::spawn_blocking(move || consumer::run(parts, &context, &handle));
        let ended = thread.await.map_err(|error| error.to_string())?;
        producer.flush(Duration::from_secs(5)).await;
        ended.map_err(|error| error.to_string())
    });
    Ok(())
}

/// Waits until the topics exist and are configured as required; `None` when the program stops
/// first.
async fn wait_for_topics(kafka: &KafkaSettings, context: &Context) -> Result<Option<Log>, String> {
    loop {
        match topics::ready(kafka).await {
            Ok(log) => return Ok(Some(log)),
            Err(error @ topics::TopicError::Wrong { .. }) => return Err(error.to_string()),
            Err(error) => {
                context.readiness.missing("projector", error.to_string());
                warn!("waiting for the log: {error}");
            }
        }
        tokio::select! {
            () = context.lifecycle.servers_stopping() => return Ok(None),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

/// Runs the binary: serves health routes on `PROJECTOR_LISTEN` and folds until a signal.
///
/// # Errors
/// [`Failure`] with the exit code.
pub async fn run(mut settings: Settings, context: Context) -> Result<(), Failure> {
    let config = Config::read(&mut settings);
    let listen = listen::read(&mut settings, &LISTEN);
    let options = Options::read(&mut settings);
    settings.finish()?;
    let listener = serve::bind(&listen).await.map_err(Failure::Other)?;
    start(config, &context)?;
    let mut document = Document::new(dialects::described());
    service::describe(&mut document);
    metrics::zero_routes(&document.finish());
    let health: Router = health::router(context.readiness.clone(), metrics::install());
    let router = health.merge(home::router(HOME));
    serve::spawn(listener, router, dialects::spoken(), options, &context);
    context.lifecycle.run_to_end().await.map_err(Failure::other)
}

//! Putting an instance together and starting its workers.
//!
//! Owns which workers there are and in what order they end. The one rule: a worker that fails stops the
//! program, one that only waits for the broker says so in the readiness.

use crate::{
    accept::{Acceptor, Rules},
    config::Config,
    directory::{Directory, feed::Feed},
    enrich::{Enricher, GeoDatabase, VisitorHasher},
    outcome::Outcomes,
    routes,
    service::{Parts, Service},
    sink::KafkaSink,
    workers,
};
use axum::Router;
use runtime::{Context, Producer, Settings, http, metrics, program::Failure, secrets::Secrets};
use schemas::IdMaker;
use std::{path::Path, sync::Arc};
use tokio::sync::watch;
use tracing::info;

/// Part of the readiness: the topics are there and what they must be.
pub const LOG_PART: &str = "log";
/// Part of the readiness: the directory is read, and the secrets are the log's.
pub const DIRECTORY_PART: &str = "directory";

/// A started instance.
#[derive(Debug)]
pub struct Ingest {
    /// Its routes, without those of health.
    pub router: Router,
    /// What became of its beacons.
    pub outcomes: Arc<Outcomes>,
    /// The instance itself.
    pub service: Arc<Service>,
}

/// Starts an instance on the context's lifecycle. Returns at once: what it waits for is told by the
/// readiness's parts [`LOG_PART`] and [`DIRECTORY_PART`].
///
/// # Errors
/// [`Failure`] when the `GeoIP` database, the bundled data or the Kafka settings cannot be used.
pub fn start(config: Config, context: &Context) -> Result<Ingest, Failure> {
    let lifecycle = &context.lifecycle;
    let readiness = &context.readiness;
    readiness.missing(LOG_PART, "the broker has not been asked yet");
    readiness.missing(DIRECTORY_PART, "the directory has not been read yet");

    let producer = Arc::new(Producer::new(config.kafka.clone()).map_err(Failure::other)?);
    let directory = Arc::new(Directory::default());
    let service = Arc::new(Service::new(Parts {
        acceptor: acceptor(&config.secrets, config.geoip.as_deref(), config.rules)?,
        directory: Arc::clone(&directory),
        sink: Arc::new(KafkaSink::new(Arc::clone(&producer))),
        throttles: config.throttles,
        jwt: config.jwt,
        proxies: config.proxies,
        clock: Arc::clone(&context.clock),
        ids: Arc::clone(&context.ids),
    }));

    lifecycle.spawn_worker(
        "ingest log check",
        workers::check_log(config.kafka.clone(), readiness.clone(), lifecycle.clone()),
    );
    let (complete, completed) = watch::channel(false);
    let feed = Feed::new(
        config.kafka,
        Arc::clone(&directory),
        Arc::clone(&context.clock),
        lifecycle.clone(),
        complete,
    );
    lifecycle.spawn_worker("ingest directory", feed.run());
    let guard = workers::SecretGuard {
        directory,
        given: config.secrets.fingerprints(),
        accept_new: config.accept_new_secrets,
        producer: Arc::clone(&producer),
        readiness: readiness.clone(),
    };
    let stopping = lifecycle.clone();
    lifecycle.spawn_worker("ingest secrets", async move {
        tokio::select! {
            ended = guard.run(completed) => ended,
            () = stopping.workers_stopping() => Ok(()),
        }
    });
    if let Some(path) = config.geoip {
        let worker = workers::watch_geo(path, Arc::clone(&service));
        workers::spawn_until_stop(lifecycle, "ingest geoip", worker);
    }
    let worker = workers::forget_idle(Arc::clone(&service));
    workers::spawn_until_stop(lifecycle, "ingest throttles", worker);
    lifecycle.spawn_worker(
        "ingest refusals",
        workers::publish_refusals(
            Arc::clone(&service),
            producer,
            Arc::clone(&context.clock),
            lifecycle.clone(),
        ),
    );
    Ok(Ingest {
        router: routes::router(Arc::clone(&service)),
        outcomes: Arc::clone(service.outcomes()),
        service,
    })
}

/// Runs ingest alone: its own listener with the routes of health, until the end.
///
/// # Errors
/// [`Failure`] when settings are wrong, the address is taken or a part failed.
pub async fn run(mut settings: Settings, context: Context) -> Result<(), Failure> {
    let listen = settings
        .text("INGEST_LISTEN")
        .unwrap_or_else(|| "127.0.0.1:8081".to_owned());
    let config = Config::read(&mut settings, &context);
    settings.finish()?;
    // Without a problem noted there is a config.
    let config = config.ok_or_else(|| Failure::other("the settings are incomplete"))?;
    for line in settings.redacted() {
        info!("setting {line}");
    }
    let listener = http::serve::bind(&listen).await.map_err(Failure::other)?;
    let address = listener.local_addr().map_err(Failure::other)?;
    let ingest = start(config, &context)?;
    let health = http::health::router(context.readiness.clone(), metrics::install());
    http::serve::spawn(listener, ingest.router.merge(health), &context);
    info!("ingest listens on http://{address}");
    context.lifecycle.run_to_end().await.map_err(Failure::other)
}

/// An acceptor under these secrets, with the bundled `GeoIP` database or that file's.
///
/// # Errors
/// [`Failure`] when the `GeoIP` database, the bundled data or the secret of visitors cannot be used.
pub fn acceptor(
    secrets: &Secrets,
    geoip: Option<&Path>,
    rules: Rules,
) -> Result<Acceptor, Failure> {
    let geo = match geoip {
        Some(path) => GeoDatabase::open(path),
        None => GeoDatabase::bundled(),
    };
    let hasher = VisitorHasher::new(secrets.visitor.clone()).map_err(Failure::other)?;
    let enricher = Enricher::new(geo.map_err(Failure::other)?, hasher).map_err(Failure::other)?;
    let ids = IdMaker::new(secrets.id.clone());
    Ok(Acceptor::new(
        secrets.tracking.clone(),
        ids,
        enricher,
        rules,
    ))
}

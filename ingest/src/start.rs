//! Builds an instance of ingest and starts its workers.
//!
//! Owns the list of workers and the order in which they end. The one rule: a worker that fails
//! stops the program; a worker that waits for the broker only reports not ready.

use crate::{
    accept::{Acceptor, Rules},
    config::{Config, LISTEN},
    directory::{Directory, feed::Feed},
    enrich::{Enricher, GeoDatabase, VisitorHasher},
    geo_file::GeoFile,
    intake::{Intake, Parts},
    limits,
    network_file::NetworkFile,
    openapi::describe,
    outcome::Outcomes,
    redirect::{self, Redirects},
    routes,
    secrets::Secrets,
    sink::{
        DurableSink, LogSink, Sink,
        spool::{Spool, SpoolOptions},
    },
    tracker,
    workers::{self, DIRECTORY_PART, LOG_PART},
};
use axum::Router;
use runtime::{
    Context, Producer, Settings,
    http::{Options, listen, serve},
    metrics,
    openapi::Document,
    program::Failure,
    service::{
        self, docs, health,
        home::{self, Home},
    },
    throttle::{self, Scope},
};
use schemas::IdMaker;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::watch;
use tracing::info;

const HOME: Home = Home {
    program: "Footfall ingest",
    about: "Receives beacons of bio pages and publishes events.",
    has_docs: true,
};

/// A started instance.
#[derive(Debug)]
pub struct Ingest {
    /// Its routes, without the health routes.
    pub router: Router,
    /// The outcomes of its beacons.
    pub outcomes: Arc<Outcomes>,
    /// The instance itself.
    pub intake: Arc<Intake>,
    /// Its short links, for [`redirect::around`].
    pub redirects: Arc<Redirects>,
}

/// Starts an instance on the context's lifecycle. Returns at once; the readiness parts [`LOG_PART`]
/// and [`DIRECTORY_PART`] report when it can take beacons.
///
/// # Errors
/// [`Failure`] when the bundled data or the Kafka settings are unusable.
pub fn start(config: Config, context: &Context) -> Result<Ingest, Failure> {
    let lifecycle = &context.lifecycle;
    let readiness = &context.readiness;
    readiness.missing(LOG_PART, "waiting for the first answer of the broker");
    readiness.missing(DIRECTORY_PART, "the directory is not read yet");

    let producer = Arc::new(Producer::new(&config.kafka).map_err(Failure::other)?);
    let spool = match &config.spool {
        Some(options) => Some(open_spool(options, &config, context)?),
        None => None,
    };
    let sink: Arc<dyn Sink> = match &spool {
        Some(spool) => Arc::new(DurableSink::new(Arc::clone(&producer), Arc::clone(spool))),
        None => Arc::new(LogSink::new(Arc::clone(&producer))),
    };
    let directory = Arc::new(match &config.host {
        Some(host) => Directory::serving(host),
        None => Directory::default(),
    });
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
        directory: Arc::clone(&directory),
        given: config.secrets.fingerprints(),
        accept_new: config.accept_new_secrets,
        producer: Arc::clone(&producer),
        readiness: readiness.clone(),
    };
    // The guard never ends by itself, so the stop must cancel it.
    let stopping = lifecycle.clone();
    lifecycle.spawn_worker("ingest secrets", async move {
        tokio::select! {
            ended = guard.run(completed) => ended,
            () = stopping.workers_stopping() => Ok(()),
        }
    });
    // The first call takes half a second to load data. The workers above already connect to the log
    // and read the directory meanwhile.
    let intake = Arc::new(Intake::new(Parts {
        acceptor: acceptor(
            &config.secrets,
            (config.geoip.as_ref(), config.networks.as_ref()),
            config.rules,
        )?,
        directory,
        sink,
        throttles: config.throttles,
        jwt: config.jwt.clone(),
        proxies: config.proxies,
        clock: Arc::clone(&context.clock),
        ids: Arc::clone(&context.ids),
    }));

    if let Some(follower) = config.jwt.follow() {
        lifecycle.spawn_until_stop("ingest token keys", follower.run());
    }
    if let Some(geoip) = config.geoip {
        let follower = geoip.follow(Arc::clone(&intake));
        lifecycle.spawn_until_stop("ingest geoip", follower.run());
    }
    if let Some(networks) = config.networks {
        let follower = networks.follow(Arc::clone(&intake));
        lifecycle.spawn_until_stop("ingest networks", follower.run());
    }
    let forgetting = workers::forget_idle(Arc::clone(&intake));
    lifecycle.spawn_until_stop("ingest throttles", forgetting);
    lifecycle.spawn_worker(
        "ingest refusals",
        workers::publish_refusals(
            Arc::clone(&intake),
            producer,
            spool,
            Arc::clone(&context.clock),
            lifecycle.clone(),
        ),
    );
    Ok(Ingest {
        router: routes::router(Arc::clone(&intake)).merge(tracker::router()),
        outcomes: Arc::clone(intake.outcomes()),
        redirects: Redirects::of(Arc::clone(&intake)),
        intake,
    })
}

/// Opens the spool and starts its drain.
fn open_spool(
    options: &SpoolOptions,
    config: &Config,
    context: &Context,
) -> Result<Arc<Spool>, Failure> {
    let (clock, readiness) = (Arc::clone(&context.clock), context.readiness.clone());
    let spool = Spool::open(options, clock, readiness).map_err(Failure::other)?;
    let spool = Arc::new(spool);
    let drain = Arc::clone(&spool).drain(config.kafka.clone());
    context.lifecycle.spawn_until_stop("ingest spool", drain);
    Ok(spool)
}

/// Runs ingest as a program of its own, with its listener and the health routes, until it stops.
///
/// # Errors
/// [`Failure`] when settings are invalid, the address is in use or a part fails.
pub async fn run(mut settings: Settings, context: Context) -> Result<(), Failure> {
    let listen = listen::read(&mut settings, &LISTEN);
    let options = Options::read(&mut settings);
    let config = Config::read(&mut settings, &context);
    throttle::check_names(&mut settings, limits::PUBLISHED, Scope::Service);
    settings.finish()?;
    // `finish` has succeeded, so the config is present.
    let config = config.ok_or_else(|| Failure::other("the settings are incomplete"))?;
    for line in settings.redacted() {
        info!("setting {line}");
    }
    let listener = serve::bind(&listen).await.map_err(Failure::other)?;
    let address = listener.local_addr().map_err(Failure::other)?;
    let ingest = start(config, &context)?;
    let health = health::router(context.readiness.clone(), metrics::install());
    metrics::zero_routes(&document());
    let docs = docs::router(document, format!("http://{address}"));
    let home = home::router(HOME);
    let router = ingest.router.merge(health).merge(home).merge(docs);
    let router = redirect::around(router, &ingest.redirects);
    serve::spawn(listener, router, dialects::spoken(), options, &context);
    info!("ingest listens on http://{address}");
    context.lifecycle.run_to_end().await.map_err(Failure::other)
}

/// The OpenAPI document of the binary.
fn document() -> Value {
    let mut document = Document::new(dialects::described());
    describe(&mut document);
    service::describe(&mut document);
    document.finish()
}

/// Makes an acceptor with these secrets, with the database of `geoip` or the bundled one, and with the
/// list of `networks` if there is one.
///
/// # Errors
/// [`Failure`] when the bundled data or the visitor secret is unusable.
pub fn acceptor(
    secrets: &Secrets,
    (geoip, networks): (Option<&GeoFile>, Option<&NetworkFile>),
    rules: Rules,
) -> Result<Acceptor, Failure> {
    let geo = match geoip {
        Some(file) => file.database().clone(),
        None => GeoDatabase::bundled().map_err(Failure::other)?,
    };
    let hasher = VisitorHasher::new(secrets.visitor.clone()).map_err(Failure::other)?;
    let mut enricher = Enricher::new(geo, hasher).map_err(Failure::other)?;
    if let Some(file) = networks {
        enricher = enricher.with_networks(file.networks().clone());
    }
    let ids = IdMaker::new(secrets.id.clone());
    Ok(Acceptor::new(
        secrets.tracking.clone(),
        ids,
        enricher,
        rules,
    ))
}

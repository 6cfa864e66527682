//! `footfall up`: everything on one listener.
//!
//! The order matters twice: settings are checked before anything is started, and at the end the
//! services finish before the log and the database under them stop.

use crate::{
    broker::EmbeddedBroker,
    data_dir::DataDir,
    databases,
    demo::{self, Demo},
    openapi,
    postgres::EmbeddedPostgres,
    run_file::RunFile,
    secrets,
};
use axum::Router;
use projector::consumer::Assignment;
use runtime::{
    Context, Settings,
    http::{health, listen, serve},
    kafka::KafkaSettings,
    lifecycle::signalled,
    metrics,
    program::Failure,
    topics,
};
use schemas::topics::{EVENTS_PARTITIONS, EVENTS_PARTITIONS_EMBEDDED};
use std::{sync::Arc, time::Instant};
use tokio::net::TcpListener;
use tracing::{info, warn};

/// Where the one listener listens when nothing is said.
const LISTEN: &str = "127.0.0.1:8080";

/// What a start may ask for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether secrets may differ from those the log was made with.
    pub accept_new_secrets: bool,
    /// A demo, with so many visits of history.
    pub demo: Option<u32>,
}

/// Starts everything, serves until a signal, stops everything.
///
/// # Errors
/// [`Failure`] with the exit code.
pub async fn run(
    mut settings: Settings,
    context: Context,
    options: Options,
) -> Result<(), Failure> {
    let begun = Instant::now();
    if options.demo.is_some() {
        demo::prepare(&mut settings);
    }
    let programs = databases::read_programs(&mut settings);
    check(&settings, &context)?;
    let data_dir = DataDir::open(&settings)?;
    let lock = data_dir.lock()?;
    RunFile::remove(&data_dir);
    secrets::complete(&mut settings, &data_dir, &*context.ids)?;
    let listen = listen::read(&mut settings, "FOOTFALL_LISTEN", LISTEN);
    let listener = serve::bind(&listen).await.map_err(Failure::Other)?;
    let address = listener.local_addr().map_err(Failure::other)?.to_string();
    settings.set_default("PUBLIC_URL", format!("http://{address}"));

    let mut parts = tokio::select! {
        started = Parts::start(&mut settings, &data_dir, programs, &context) => started?,
        // What has been started is told to stop when it is dropped.
        () = signalled() => return Ok(()),
    };
    let served = serve_until_stopped(
        settings, &context, listener, &data_dir, &mut parts, options, begun,
    )
    .await;
    if served.is_err() {
        // Services that were started before something failed must not outlive what they stand on.
        let _ = context.lifecycle.finish().await;
    }
    RunFile::remove(&data_dir);
    let stopped = parts.stop().await;
    drop(lock);
    served.and(stopped)
}

/// Finds what is wrong with the settings while nothing has been started yet.
pub(crate) fn check(settings: &Settings, context: &Context) -> Result<(), Failure> {
    let mut trial = settings.clone();
    for (name, value) in [
        ("KAFKA_BROKERS", "127.0.0.1:9"),
        ("DATABASE_URL", "postgres://127.0.0.1:9/footfall"),
        (
            "ANALYTICS_DATABASE_URL",
            "postgres://127.0.0.1:9/footfall_analytics",
        ),
        ("PUBLIC_URL", "http://127.0.0.1:8080"),
    ] {
        trial.set_default(name, value);
    }
    for name in secrets::needed(settings) {
        trial.set_default(name, "made-at-the-first-start-if-not-given");
    }
    listen::read(&mut trial, "FOOTFALL_LISTEN", LISTEN);
    let _ = ingest::Config::read(&mut trial, context);
    let _ = projector::Config::read(&mut trial);
    let _ = api::Config::read(&mut trial, context);
    Ok(trial.finish()?)
}

/// The log and the database under the services.
pub(crate) struct Parts {
    broker: Option<EmbeddedBroker>,
    postgres: Option<EmbeddedPostgres>,
    pub(crate) kafka: KafkaSettings,
}

impl Parts {
    /// Starts what is not given, and names it in the settings.
    pub(crate) async fn start(
        settings: &mut Settings,
        data_dir: &DataDir,
        programs: crate::postgres::Programs,
        context: &Context,
    ) -> Result<Self, Failure> {
        let given = settings.text("KAFKA_BROKERS").is_some();
        let broker = if given {
            None
        } else {
            info!(
                "starting the embedded broker in {}",
                data_dir.log().display()
            );
            Some(
                EmbeddedBroker::start(&data_dir.log(), None)
                    .await
                    .map_err(Failure::other)?,
            )
        };
        if let Some(broker) = &broker {
            settings.set_default("KAFKA_BROKERS", broker.brokers());
        }
        let kafka = KafkaSettings::read(settings);
        let mut parts = Self {
            broker,
            postgres: None,
            kafka,
        };
        let partitions = if given {
            EVENTS_PARTITIONS
        } else {
            EVENTS_PARTITIONS_EMBEDDED
        };
        let topics = topics::ensure(&parts.kafka, partitions, &*context.ids, context.clock.now());
        let databases = databases::provide(settings, data_dir, programs);
        let failure = match tokio::join!(topics, databases) {
            (Ok(_), Ok(postgres)) => {
                parts.postgres = postgres;
                return Ok(parts);
            }
            (Err(error), Ok(postgres)) => {
                parts.postgres = postgres;
                Failure::other(error)
            }
            (_, Err(failure)) => failure,
        };
        // What has been started must not outlive a start that failed.
        if parts.stop().await.is_err() {
            warn!("the embedded parts could not be stopped cleanly");
        }
        Err(failure)
    }

    /// Completes when a part is gone that nobody stopped; the services cannot go on without it.
    async fn ended(&mut self) -> Failure {
        match &mut self.postgres {
            Some(postgres) => Failure::other(postgres.ended().await),
            None => std::future::pending().await,
        }
    }

    /// Which partitions a projector on this log takes.
    pub(crate) const fn assignment(&self) -> Assignment {
        match self.broker {
            Some(_) => Assignment::All {
                partitions: EVENTS_PARTITIONS_EMBEDDED,
            },
            None => Assignment::Group,
        }
    }

    /// Stops what was started.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let postgres = match self.postgres {
            Some(postgres) => postgres.stop().await.map_err(Failure::other),
            None => Ok(()),
        };
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
        postgres
    }
}

async fn serve_until_stopped(
    settings: Settings,
    context: &Context,
    listener: TcpListener,
    data_dir: &DataDir,
    parts: &mut Parts,
    options: Options,
    begun: Instant,
) -> Result<(), Failure> {
    let address = listener.local_addr().map_err(Failure::other)?;
    let services = Services {
        projector: Some(parts.assignment()),
        accept_new_secrets: options.accept_new_secrets,
    };
    let started = services.start(settings.clone(), context).await?;
    serve::spawn(listener, started.router, context);
    let ended = context.lifecycle.run_to_end();
    tokio::pin!(ended);
    tokio::select! {
        ended = &mut ended => return ended.map_err(Failure::other),
        failure = parts.ended() => return Err(failure),
        () = context.readiness.wait() => {}
    }
    let run_file = RunFile {
        pid: std::process::id(),
        listen: address.to_string(),
        kafka: parts.kafka.brokers().to_owned(),
        database_url: settings.text("DATABASE_URL").unwrap_or_default(),
        analytics_database_url: settings.text("ANALYTICS_DATABASE_URL").unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: context.clock.now().to_string(),
    };
    run_file
        .write(data_dir)
        .map_err(|error| Failure::Other(format!("run.json cannot be written: {error}")))?;
    info!(
        "ready after {:.1} s on http://{address}; the log is at {}",
        begun.elapsed().as_secs_f64(),
        parts.kafka.brokers()
    );
    if let Some(visits) = options.demo {
        let demo = Demo {
            settings,
            kafka: parts.kafka.clone(),
            listener: address,
            visits,
        };
        let running = demo.run(context.clone());
        context.lifecycle.spawn_server("demo", running);
    }
    tokio::select! {
        ended = &mut ended => ended.map_err(Failure::other),
        failure = parts.ended() => Err(failure),
    }
}

/// The three services, put together.
#[derive(Clone, Copy, Debug)]
pub struct Services {
    /// Which partitions the projector takes; `None` leaves it out.
    pub projector: Option<Assignment>,
    /// Whether secrets may differ from those the log was made with.
    pub accept_new_secrets: bool,
}

/// What started services offer.
pub struct Started {
    /// Every route, health routes included.
    pub router: Router,
    /// What became of this process's beacons.
    pub outcomes: Arc<ingest::Outcomes>,
}

impl Services {
    /// Starts them on a log and databases that the settings name.
    ///
    /// # Errors
    /// When a setting cannot be used; what is merely away is waited for.
    pub async fn start(
        self,
        mut settings: Settings,
        context: &Context,
    ) -> Result<Started, Failure> {
        let settings = &mut settings;
        let ingest = ingest::Config::read(settings, context);
        let api = api::Config::read(settings, context);
        let projector = projector::Config::read(settings);
        settings.finish()?;
        // Reading notes a problem whenever it gives nothing.
        let ingest = ingest
            .ok_or_else(|| Failure::Other("the settings of ingest are incomplete".to_owned()))?;
        let ingest = ingest::Config {
            accept_new_secrets: self.accept_new_secrets,
            ..ingest
        };
        if let Some(assignment) = self.projector {
            projector::start(
                projector::Config {
                    assignment,
                    ..projector
                },
                context,
            )?;
        }
        let ingest = ingest::start(ingest, context)?;
        let public_url = api.public_url.clone();
        let api = api::start(api, context).await?;
        let health = health::router(context.readiness.clone(), metrics::install());
        let docs = runtime::openapi::router(openapi::document, public_url);
        let router = Router::new()
            .merge(ingest.router)
            .merge(api)
            .merge(health)
            .merge(docs);
        Ok(Started {
            router,
            outcomes: ingest.outcomes,
        })
    }
}

//! Runs `footfall up`: starts everything, serves on one listener, stops everything.
//!
//! The rule to keep: check the settings before anything starts, and finish the services before the
//! log and the database under them stop.

use crate::{
    commands::rebuild,
    data_dir::DataDir,
    databases,
    demo::{self, Demo},
    parts::Parts,
    run_file::RunFile,
    secrets,
    services::{self, LISTEN, Services},
};
use runtime::{
    Context, Settings,
    http::{Options as HttpOptions, listen, serve},
    lifecycle::signalled,
    program::Failure,
};
use std::time::Instant;
use tokio::net::TcpListener;
use tracing::info;

/// Options of a start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether secrets may differ from those the log was made with.
    pub accept_new_secrets: bool,
    /// Number of visits in the demo's history; `None` runs no demo.
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
    services::check(&settings, &context)?;
    ingest::enrich::load_early();
    let data_dir = DataDir::open(&settings)?;
    let lock = data_dir.lock()?;
    // The lock is ours, so a run file is from a crash and names servers that no longer run.
    RunFile::remove(&data_dir);
    secrets::complete(&mut settings, &data_dir, &*context.ids)?;
    let listen = listen::read(&mut settings, &LISTEN);
    // Binds before the parts start, so that an address in use is reported at once.
    let listener = serve::bind(&listen).await.map_err(Failure::Other)?;
    let address = listener.local_addr().map_err(Failure::other)?.to_string();
    settings.set_default("SPOOL_DIR", data_dir.spool().display().to_string());
    settings.set_default("PUBLIC_URL", format!("http://{address}"));

    let mut parts = tokio::select! {
        started = Parts::start(&mut settings, &data_dir, programs, &context) => started?,
        // Dropping the started parts asks them to stop.
        () = signalled() => return Ok(()),
    };
    let served = serve_until_stopped(
        settings, &context, listener, &data_dir, &mut parts, options, begun,
    )
    .await;
    if served.is_err() {
        // Services that started before the failure must end before the log and the database that
        // they use.
        let _ = context.lifecycle.finish().await;
    }
    RunFile::remove(&data_dir);
    let stopped = parts.stop().await;
    drop(lock);
    served.and(stopped)
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
    rebuild::bring_over(&settings, context).await?;
    let started = services.start(settings.clone(), context).await?;
    // `services::check` has already reported the problems of these settings.
    let http = HttpOptions::read(&mut settings.clone());
    serve::spawn(listener, started.router, dialects::spoken(), http, context);
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
        database_url: parts.main_url.clone(),
        analytics_database_url: parts.analytics_url.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        kafka_config: data_dir.kafka_properties().display().to_string(),
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

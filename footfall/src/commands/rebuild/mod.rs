//! `footfall rebuild`: makes the tables from the log again.

use crate::{
    commands::{
        progress::Progress,
        reach::{find_with_log, lock},
    },
    databases,
    output::print_json,
    parts::Parts,
    run_file::RunFile,
    services,
};
use clap::Args;
use projector::rebuild::{self, Rebuilt};
use runtime::{Context, Settings, lifecycle::signalled, program::Failure};
use tracing::{info, warn};

fn help() -> &'static str {
    "Every table of the analytics database follows from the log. This command folds the log from its first record into \
new tables, and then replaces the existing tables with them in one step. Until then the existing tables do not change.

Use it when a new version reports that the tables are from an earlier version (`footfall up` then does it automatically \
at its start), or when the tables are damaged. Stop `footfall up` and all projectors first. Meanwhile, reports read the \
existing tables, and an ingest that runs separately takes beacons.

You can stop or kill it at any moment; the next call continues. If the tables hold events that the log has lost, nothing \
changes; --accept-loss drops those events.

It works on KAFKA_BROKERS and DATABASE_URL (or ANALYTICS_DATABASE_URL) if both are given, else on the embedded parts of \
the data directory, which it starts and stops. It needs free disk space for a second set of tables.

Examples:
  footfall rebuild
  footfall rebuild --json | jq .events"
}

/// Flags of `rebuild`.
#[derive(Clone, Copy, Debug, Args)]
#[command(after_long_help = help())]
pub struct Arguments {
    /// Print the result as JSON on standard output
    #[arg(long)]
    json: bool,
    /// Swap even if the tables hold events that the log has lost
    #[arg(long)]
    accept_loss: bool,
}

/// Rebuilds the tables and prints a summary.
///
/// # Errors
/// When a projector runs, the log or the database cannot be used, or events would be lost.
pub async fn run(
    mut settings: Settings,
    context: Context,
    arguments: Arguments,
) -> Result<(), Failure> {
    settings.finish()?;
    let given = settings.text("KAFKA_BROKERS").is_some();
    // If only one of the two is configured, the other is embedded and must be started.
    let rebuilt = if given && databases::given_analytics(&settings)?.is_some() {
        let analytics = databases::given_analytics(&settings)?.unwrap_or_default();
        settings.set_default("ANALYTICS_DATABASE_URL", analytics);
        interruptible(rebuild_tables(
            &mut settings,
            &context,
            arguments.accept_loss,
        ))
        .await?
    } else {
        on_own_parts(settings, &context, arguments.accept_loss).await?
    };
    let Rebuilt {
        records,
        events,
        lost,
    } = rebuilt;
    eprintln!("{records} records folded; the tables hold {events} events");
    if lost > 0 {
        eprintln!("dropped {lost} events that the log has lost");
    }
    if arguments.json {
        print_json(&rebuilt)?;
    }
    Ok(())
}

/// Rebuilds the tables that the settings name, with a progress bar.
///
/// # Errors
/// As [`run`].
pub(crate) async fn rebuild_tables(
    settings: &mut Settings,
    context: &Context,
    accept_loss: bool,
) -> Result<Rebuilt, Failure> {
    let config = services::read_projector(settings);
    settings.finish()?;
    let mut progress = Progress::new("rebuilding the tables from the log");
    let rebuilt = rebuild::run(&config, accept_loss, context, |so_far| {
        progress.show(so_far.folded.unsigned_abs(), so_far.records.unsigned_abs());
    })
    .await;
    progress.clear();
    rebuilt.map_err(Failure::other)
}

/// Rebuilds tables of an earlier version, so that the services can start. Leaves other tables
/// alone.
///
/// # Errors
/// As [`run`]. An unavailable database is not an error here: the projector waits for it.
pub(crate) async fn bring_over(settings: &Settings, context: &Context) -> Result<(), Failure> {
    let mut settings = settings.clone();
    let config = services::read_projector(&mut settings);
    if matches!(
        rebuild::is_needed(&config.analytics_database_url).await,
        Ok(true)
    ) {
        info!("the tables are from an earlier version; rebuilding them from the log");
        let rebuilt = interruptible(rebuild_tables(&mut settings, context, false)).await?;
        info!("the tables hold {} events", rebuilt.events);
    }
    Ok(())
}

async fn interruptible<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        worked = work => worked,
        () = signalled() => Err(Failure::other(
            "stopped; the tables are unchanged, and the same command continues",
        )),
    }
}

/// Starts the embedded parts, rebuilds, and stops them.
async fn on_own_parts(
    mut settings: Settings,
    context: &Context,
    accept_loss: bool,
) -> Result<Rebuilt, Failure> {
    let programs = databases::read_programs(&mut settings);
    let data_dir = find_with_log(&settings)?;
    if RunFile::read_running(&data_dir).is_some() {
        return Err(Failure::Other(format!(
            "the program of {} is running; stop it and start the rebuild again",
            data_dir.path().display()
        )));
    }
    let lock = lock(&data_dir)?;
    // A file that a crash left behind names servers that no longer run.
    RunFile::remove(&data_dir);
    let parts = Parts::start(&mut settings, &data_dir, programs, context);
    let parts = interruptible(parts).await?;
    let rebuilt = interruptible(rebuild_tables(&mut settings, context, accept_loss)).await;
    if parts.stop().await.is_err() {
        warn!("the embedded parts could not be stopped cleanly");
    }
    drop(lock);
    rebuilt
}

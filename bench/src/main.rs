//! The measurements, one command each. Absolute times depend on the machine; compare ratios from
//! one run.

#![expect(
    clippy::indexing_slicing,
    reason = "a measurement reads its own numbers"
)]

mod changes;
mod cost;
mod events;
mod half_load;
mod history;
mod latency;
mod load;
mod redirect;
mod sender;
mod target;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measures Footfall.
#[derive(Parser)]
#[command(name = "footfall-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Send beacons to the running program of a data directory, then compare its reports with
    /// plain SQL. May be repeated, and the program may be killed meanwhile: the same beacons count
    /// once
    Load(load::Load),
    /// Time from an acknowledged beacon to its count in a report
    Latency(latency::Latency),
    /// Write a file of plausible visits over many days, for `footfall import`
    History(history::History),
    /// Durable beacons per CPU-second of the ingest process, next to a handler that only parses
    Cost(cost::Cost),
    /// Redirects of short links, next to a bare redirect; memory of a link
    Redirect(redirect::Redirect),
    /// Time from a change of a link to its first redirect to the new destination, on all instances
    Changes(changes::Changes),
    /// Pages and exports of the events API over many clicks, in a fresh system in this process
    Events(events::Events),
    /// The handlers for comparison (started by `cost` and `redirect`)
    #[command(hide = true)]
    Bare,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Load(load) => load.run().await,
            Command::Latency(latency) => latency.run().await,
            Command::History(history) => history.run().await,
            Command::Cost(cost) => cost.run().await,
            Command::Redirect(redirect) => redirect.run().await,
            Command::Changes(changes) => changes.run().await,
            Command::Events(events) => events.run().await,
            Command::Bare => cost::serve_bare().await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(reason: &str) -> ExitCode {
    eprintln!("error: {reason}");
    ExitCode::FAILURE
}

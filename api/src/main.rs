//! The api's binary.

use clap::Parser;
use runtime::{health_check, program, settings::Defaults};
use std::process::ExitCode;

/// The api for creators: bio pages, their links, and reports.
///
/// Owns the main database and migrates it; reads the analytics database that the projector writes.
/// Changes of pages and links are published to the log's directory by one api at a time.
#[derive(Parser)]
#[command(name = "api", version, after_help = api::declared().help(Defaults::Required, &api::published_limits()))]
struct Arguments {
    #[arg(
        long,
        value_name = "ADDRESS",
        help = "Address for the routes, /health, /ready and /metrics [API_LISTEN]"
    )]
    listen: Option<String>,
    #[arg(
        long,
        help = "Exit with 0 if the api that runs here is ready (health check for containers)"
    )]
    health_check: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let flags = [(api::LISTEN.name, arguments.listen)];
    if arguments.health_check {
        return health_check::run(api::declared(), &flags, &api::LISTEN);
    }
    program::run(api::declared(), &flags, api::run)
}

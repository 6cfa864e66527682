//! The program `projector`: folds the event log into the analytics database.

use clap::Parser;
use runtime::{health_check, program, settings::Defaults};
use std::process::ExitCode;

/// Folds the event log into the analytics database: every event exactly once, in any order.
///
/// Several projectors share the partitions of a log. When one stops or crashes, the others take
/// over. No event is lost, and none counts twice.
#[derive(Parser)]
#[command(name = "projector", version, after_help = projector::declared().help(Defaults::Required, &[]))]
struct Arguments {
    #[arg(
        long,
        value_name = "ADDRESS",
        help = "Address for /health, /ready and /metrics [PROJECTOR_LISTEN]"
    )]
    listen: Option<String>,
    #[arg(
        long,
        help = "Exit with 0 if the projector that runs here is ready (health check for containers)"
    )]
    health_check: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let flags = [(projector::LISTEN.name, arguments.listen)];
    if arguments.health_check {
        return health_check::run(projector::declared(), &flags, &projector::LISTEN);
    }
    program::run(projector::declared(), &flags, projector::run)
}

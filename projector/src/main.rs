//! The projector's binary.

use clap::Parser;
use runtime::{program, settings_list};
use std::process::ExitCode;

/// Folds the event log into the analytics database: every event exactly once, in any order.
///
/// Several projectors share the partitions of one log. One that stops or dies is replaced by the
/// others; no event is lost and none counts twice.
#[derive(Parser)]
#[command(name = "projector", version, after_help = settings_list::help(settings_list::Program::Projector))]
struct Arguments {
    #[arg(
        long,
        value_name = "ADDRESS",
        help = "Address for /health, /ready and /metrics [PROJECTOR_LISTEN]"
    )]
    listen: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::run(&[("PROJECTOR_LISTEN", arguments.listen)], projector::run)
}

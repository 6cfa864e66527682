//! The program `ingest`: receives beacons and publishes events.

use clap::Parser;
use runtime::{health_check, program, settings::Defaults};
use std::process::ExitCode;

/// Receives beacons and publishes events. Needs only a Kafka cluster.
#[derive(Parser)]
#[command(version, after_help = ingest::declared().help(Defaults::Required, ingest::limits::PUBLISHED))]
struct Arguments {
    #[arg(
        long,
        value_name = "ADDRESS",
        help = "Address to listen on [INGEST_LISTEN]"
    )]
    listen: Option<String>,
    /// Start even if the log was made with other secrets.
    #[arg(long)]
    accept_new_secrets: bool,
    /// Exit with 0 if the ingest that runs here is ready (health check for containers).
    #[arg(long)]
    health_check: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let accept = arguments.accept_new_secrets.then(|| "true".to_owned());
    let flags = [
        (ingest::LISTEN.name, arguments.listen),
        (ingest::config::ACCEPT_NEW_SECRETS.name, accept),
    ];
    if arguments.health_check {
        return health_check::run(ingest::declared(), &flags, &ingest::LISTEN);
    }
    program::run(ingest::declared(), &flags, ingest::run)
}

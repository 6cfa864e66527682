//! The program `ingest`: receives beacons and publishes events.

use clap::Parser;
use runtime::{health_check, program, settings::Defaults};
use std::process::ExitCode;

/// Takes beacons and publishes events. Needs a Kafka cluster and nothing else.
#[derive(Parser)]
#[command(version, after_help = ingest::declared().help(Defaults::Required, ingest::limits::PUBLISHED))]
struct Arguments {
    /// Address to listen on, in place of `INGEST_LISTEN`.
    #[arg(long)]
    listen: Option<String>,
    /// Start although the log was made with other secrets.
    #[arg(long)]
    accept_new_secrets: bool,
    /// Ask the ingest that runs here whether it is ready, and end with 0 if it is: for containers.
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

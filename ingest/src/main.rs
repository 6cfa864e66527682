//! The program `ingest`: beacons in, events out.

use clap::Parser;
use runtime::{health_check, program, settings_list};
use std::process::ExitCode;

/// Takes beacons and publishes events. Needs a Kafka cluster and nothing else.
#[derive(Parser)]
#[command(version, after_help = settings_list::help(settings_list::Program::Ingest, ingest::limits::PUBLISHED))]
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
        ("INGEST_LISTEN", arguments.listen),
        (ingest::config::ACCEPT_NEW_SECRETS, accept),
    ];
    if arguments.health_check {
        return health_check::run(&flags, "INGEST_LISTEN", ingest::LISTEN);
    }
    program::run(&flags, ingest::run)
}

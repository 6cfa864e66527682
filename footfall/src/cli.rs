//! The command line: what can be asked for, and which file answers.

use crate::{
    commands::{self, import, replay::Selection},
    demo, up,
};
use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;
use runtime::{program, settings_list};
use schemas::PageId;
use std::process::ExitCode;
use uuid::Uuid;

/// Analytics for bio pages and short links: beacons in, reports out, nothing lost, nothing counted twice.
///
/// Without a command, `footfall` starts everything on this machine and serves on one address. What is
/// not given by settings (a Kafka cluster, a PostgreSQL server, secrets) it brings along and keeps in
/// the data directory.
#[derive(Debug, Parser)]
#[command(
    name = "footfall",
    version,
    after_help = settings_list::help(settings_list::Program::Footfall)
)]
pub struct Arguments {
    #[arg(
        long,
        value_name = "FOLDER",
        global = true,
        help = "Folder of everything the embedded parts keep [FOOTFALL_DATA_DIR, default ./data]"
    )]
    data_dir: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: UpArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on one listener (what `footfall` alone does)
    Up(UpArguments),
    /// Take history from another system, or what `replay` printed, into the log
    Import(import::Arguments),
    /// Print records of the log as JSON lines on standard output
    Replay(Selection),
    /// Create the log's topics where they are missing, and check their settings
    Topics,
    /// Print a token for development: `curl -H "Authorization: Bearer $(footfall token --sub ada)" …`
    Token {
        /// Who the token is for
        #[arg(long)]
        sub: String,
        /// How long it is valid, for example 15m, 1h, 720h
        #[arg(long, default_value = "1h")]
        ttl: SignedDuration,
        /// Workspace meant, where a user has several
        #[arg(long)]
        workspace: Option<Uuid>,
    },
    /// Print a bio page's current tracking token, as a page rendered elsewhere carries it
    TrackingToken {
        /// The bio page
        bio_page_id: Uuid,
    },
}

/// Flags of `up`.
#[derive(Clone, Debug, Default, Args)]
pub struct UpArguments {
    #[arg(
        long,
        value_name = "ADDRESS",
        help = "Address of the one listener [FOOTFALL_LISTEN, default 127.0.0.1:8080]"
    )]
    listen: Option<String>,
    /// Bring a creator with history and live visits along, and print where to look
    ///
    /// Its live visits come from this machine and say that they come from everywhere: unless `TRUSTED_PROXIES`
    /// is set, what this machine forwards is believed.
    #[arg(long)]
    demo: bool,
    /// How many visits the history of the demo has
    #[arg(long, value_name = "COUNT", requires = "demo")]
    demo_visits: Option<u32>,
    /// Go on with other secrets than the log was made with: old ids and visitors become strangers
    #[arg(long)]
    accept_new_secrets: bool,
}

impl UpArguments {
    fn options(&self) -> up::Options {
        up::Options {
            accept_new_secrets: self.accept_new_secrets,
            demo: self.demo.then(|| self.demo_visits.unwrap_or(demo::VISITS)),
        }
    }
}

/// Runs what was asked for.
#[must_use]
pub fn dispatch(arguments: Arguments) -> ExitCode {
    let data_dir = ("FOOTFALL_DATA_DIR", arguments.data_dir);
    let up = |up: UpArguments| {
        let options = up.options();
        let flags = [data_dir.clone(), ("FOOTFALL_LISTEN", up.listen)];
        program::run(&flags, |settings, context| {
            up::run(settings, context, options)
        })
    };
    match arguments.command {
        None => up(arguments.up),
        // The same flags may stand before and behind the command.
        Some(Command::Up(given)) => up(UpArguments {
            listen: given.listen.or(arguments.up.listen),
            demo: given.demo || arguments.up.demo,
            demo_visits: given.demo_visits.or(arguments.up.demo_visits),
            accept_new_secrets: given.accept_new_secrets || arguments.up.accept_new_secrets,
        }),
        Some(Command::Import(arguments)) => program::run(&[data_dir], |settings, context| {
            import::run(settings, context, arguments)
        }),
        Some(Command::Replay(selection)) => program::run(&[data_dir], |settings, _| {
            commands::replay::run(settings, selection)
        }),
        Some(Command::Topics) => program::run(&[data_dir], commands::topics::run),
        Some(Command::Token {
            sub,
            ttl,
            workspace,
        }) => program::run(&[data_dir], |settings, context| async move {
            commands::token::run(settings, &context, &sub, ttl, workspace)
        }),
        Some(Command::TrackingToken { bio_page_id }) => {
            program::run(&[data_dir], |settings, context| async move {
                commands::tracking_token::run(settings, &context, PageId(bio_page_id))
            })
        }
    }
}

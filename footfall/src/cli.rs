//! The command line: parses commands and flags, and calls the function that runs each command.

use crate::{
    commands::{self, import, rebuild, replay, token},
    data_dir,
    declared::declared,
    demo,
    services::{self, check_families, limits},
    up,
};
use clap::{
    Args, CommandFactory, Parser, Subcommand, builder::NonEmptyStringValueParser, error::ErrorKind,
};
use jiff::SignedDuration;
use runtime::{
    Context, Settings,
    program::{self, Failure},
    settings::Defaults,
};
use schemas::PageId;
use std::process::ExitCode;
use uuid::Uuid;

/// Analytics for bio pages and short links: receives beacons and serves reports. No acknowledged
/// beacon is lost, and none counts twice.
///
/// Without a command, `footfall` starts everything on this machine and serves on one address. It
/// provides what the settings do not name (a Kafka cluster, a PostgreSQL server, secrets) and keeps
/// it in the data directory.
#[derive(Debug, Parser)]
#[command(
    name = "footfall",
    version,
    after_help = declared().help(Defaults::BroughtAlong, &limits())
)]
pub struct Arguments {
    #[arg(
        long,
        value_name = "FOLDER",
        value_parser = NonEmptyStringValueParser::new(),
        global = true,
        help = "Folder for the data of the embedded parts [FOOTFALL_DATA_DIR, default ./data]"
    )]
    data_dir: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: UpArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on one listener (the default command)
    Up(UpArguments),
    /// Import history from another system, or lines that `replay` printed
    Import(import::Arguments),
    /// Print records of the log as JSON lines, or write them as Parquet files
    Replay(replay::Arguments),
    /// Rebuild the tables behind the reports from the log
    Rebuild(rebuild::Arguments),
    /// Create missing topics of the log, and check the settings of all
    Topics,
    /// Print a token for development: `curl -H "Authorization: Bearer $(footfall token --sub ada)" …`
    ///
    /// Signed with `JWT_SECRET`, or with the secret that `footfall up` keeps in its data directory. Creates no secret.
    Token {
        /// User of the token
        #[arg(long)]
        sub: String,
        /// How long it is valid, for example 15m, 1h, 720h; at most a year
        #[arg(long, default_value = "1h", value_parser = token::read_ttl)]
        ttl: SignedDuration,
        /// Workspace, if the user has several
        #[arg(long)]
        workspace: Option<Uuid>,
    },
    /// Print the current tracking token of a bio page, for a page that another program renders
    ///
    /// Made with `TRACKING_HMAC_SECRET`, or with the secret that `footfall up` keeps in its data directory. Creates
    /// no secret.
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
        value_parser = NonEmptyStringValueParser::new(),
        help = "Address of the one listener [FOOTFALL_LISTEN, default 127.0.0.1:8080]"
    )]
    listen: Option<String>,
    /// Create a demo creator with history and live visits, and print where to look
    ///
    /// The live visits come from this machine and claim other addresses. So forwarded addresses
    /// from this machine are trusted, unless `TRUSTED_PROXIES` is set.
    #[arg(long)]
    demo: bool,
    /// Number of visits in the demo's history
    #[arg(long, value_name = "COUNT")]
    demo_visits: Option<u32>,
    /// Accept secrets that differ from those the log was made with: existing ids become invalid,
    /// and known visitors count as new
    #[arg(long)]
    accept_new_secrets: bool,
}

impl UpArguments {
    /// Merges these flags, given after `up`, with those before it. A value after it wins.
    fn or(self, before: Self) -> Self {
        Self {
            listen: self.listen.or(before.listen),
            demo: self.demo || before.demo,
            demo_visits: self.demo_visits.or(before.demo_visits),
            accept_new_secrets: self.accept_new_secrets || before.accept_new_secrets,
        }
    }

    /// Returns the first flag that is set, so that an error can name it.
    const fn first(&self) -> Option<&'static str> {
        match self {
            Self {
                listen: Some(_), ..
            } => Some("--listen"),
            Self { demo: true, .. } => Some("--demo"),
            Self {
                demo_visits: Some(_),
                ..
            } => Some("--demo-visits"),
            Self {
                accept_new_secrets: true,
                ..
            } => Some("--accept-new-secrets"),
            _ => None,
        }
    }

    fn options(&self) -> up::Options {
        up::Options {
            accept_new_secrets: self.accept_new_secrets,
            demo: self.demo.then(|| self.demo_visits.unwrap_or(demo::VISITS)),
        }
    }
}

/// Runs the command.
#[must_use]
pub fn dispatch(arguments: Arguments) -> ExitCode {
    let Arguments {
        data_dir,
        command,
        up: before,
    } = arguments;
    let data_dir = (data_dir::FOLDER.name, data_dir);
    // The flags of `up` may come before and after it. Before another command they would be lost.
    let command = match (command, before.first()) {
        (None, _) => Command::Up(before),
        (Some(Command::Up(given)), _) => Command::Up(given.or(before)),
        (Some(command), None) => command,
        (Some(_), Some(flag)) => {
            return wrong_usage(&format!("{flag} works only with `up`"));
        }
    };
    match command {
        Command::Up(up) if up.demo_visits.is_some() && !up.demo => {
            wrong_usage("--demo-visits needs --demo")
        }
        Command::Up(up) => {
            let options = up.options();
            let flags = [data_dir, (services::LISTEN.name, up.listen)];
            program::run(declared(), &flags, |settings, context| {
                up::run(settings, context, options)
            })
        }
        Command::Import(arguments) => run(data_dir, |settings, context| {
            import::run(settings, context, arguments)
        }),
        Command::Replay(arguments) => match arguments.wrong() {
            Some(why) => wrong_usage(why),
            None => run(data_dir, |settings, context| {
                replay::run(settings, context, arguments)
            }),
        },
        Command::Rebuild(arguments) => run(data_dir, |settings, context| {
            rebuild::run(settings, context, arguments)
        }),
        Command::Topics => run(data_dir, commands::topics::run),
        Command::Token {
            sub,
            ttl,
            workspace,
        } => run(data_dir, |settings, context| async move {
            token::run(settings, &context, &sub, ttl, workspace)
        }),
        Command::TrackingToken { bio_page_id } => run(data_dir, |settings, context| async move {
            commands::tracking_token::run(settings, &context, PageId(bio_page_id))
        }),
    }
}

/// Runs a command other than `up`. These commands do not read every setting, so the names of
/// setting families are checked here.
fn run<F>(
    data_dir: (&str, Option<String>),
    command: impl FnOnce(Settings, Context) -> F,
) -> ExitCode
where
    F: Future<Output = Result<(), Failure>>,
{
    program::run(declared(), &[data_dir], |mut settings, context| {
        check_families(&mut settings);
        command(settings, context)
    })
}

/// Prints a usage error in clap's format and returns the exit code for wrong usage.
fn wrong_usage(what: &str) -> ExitCode {
    let error = Arguments::command().error(ErrorKind::ArgumentConflict, what);
    // If standard error is closed, the exit code still reports the error.
    let _ = error.print();
    ExitCode::from(program::WRONG_USAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_up_are_accepted_before_and_after_it() {
        let parse = |words: &[&str]| Arguments::try_parse_from(words).unwrap();
        let words = [
            "footfall",
            "--data-dir",
            "x",
            "--demo",
            "up",
            "--demo-visits",
            "7",
        ];
        let Arguments {
            data_dir,
            command: Some(Command::Up(given)),
            up: before,
        } = parse(&words)
        else {
            panic!("not the command `up`");
        };
        assert_eq!(data_dir.as_deref(), Some("x"));
        let up = given.or(before);
        assert_eq!((up.demo, up.demo_visits), (true, Some(7)));
        let data_dir = parse(&["footfall", "--data-dir", "x", "up", "--data-dir", "y"]).data_dir;
        assert_eq!(data_dir.as_deref(), Some("y"));
        for empty in ["--data-dir=", "--listen="] {
            assert!(
                Arguments::try_parse_from(["footfall", empty]).is_err(),
                "{empty}"
            );
        }
    }

    #[test]
    fn flags_of_up_before_another_command_are_refused() {
        for flags in [
            &["--listen", "127.0.0.1:1", "topics"][..],
            &["--demo", "topics"],
            &["--demo-visits", "7", "topics"],
            &["--accept-new-secrets", "topics"],
            &["--demo-visits", "7"],
        ] {
            let words = ["footfall"].iter().chain(flags);
            let arguments = Arguments::try_parse_from(words).unwrap();
            let wrong = ExitCode::from(program::WRONG_USAGE);
            assert_eq!(dispatch(arguments), wrong, "{flags:?}");
        }
    }

    #[test]
    fn help_names_every_limit() {
        let help = Arguments::command().render_long_help().to_string();
        for limit in limits() {
            let name = runtime::throttle::setting_name(limit.route);
            assert_eq!(help.matches(&format!("  {name} [")).count(), 1, "{name}");
        }
    }
}

//! Runs the broker alone, for tests that kill it and for measurements against other brokers.

use std::{
    collections::VecDeque,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use footfall_log::{Broker, Credentials, Durability, Options};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
usage: footfall-log DIRECTORY --credentials FILE [option...]

Keeps a log in DIRECTORY and serves it on 127.0.0.1 until SIGTERM or SIGINT. The first line on
standard output is its address, printed when clients can connect.

  --credentials FILE   client properties file with sasl.username and sasl.password
  --port PORT          the port; any free one by default
  --protect TOPIC      clients cannot delete or reconfigure this topic; may be repeated
  --process            acknowledged records survive a crash of the process, but not a power loss
  --end-with-input     also stop at the end of standard input, so that no test leaves a broker behind
";

struct Arguments {
    directory: PathBuf,
    credentials: PathBuf,
    port: Option<u16>,
    protected: Vec<String>,
    durability: Durability,
    end_with_input: bool,
}

fn main() -> ExitCode {
    let Some(arguments) = read_arguments(std::env::args().skip(1).collect()) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let served = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| {
            let served = runtime.block_on(serve(arguments));
            // The thread that reads standard input cannot be woken, so do not wait for it.
            runtime.shutdown_background();
            served
        });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("footfall-log: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), String> {
    let options = Options {
        port: arguments.port,
        protected_topics: arguments.protected,
        durability: arguments.durability,
        ..Options::new(read_credentials(&arguments.credentials)?)
    };
    let broker = Broker::start(&arguments.directory, options)
        .await
        .map_err(|error| error.to_string())?;
    let mut out = io::stdout();
    writeln!(out, "{}", broker.bootstrap_servers())
        .and_then(|()| out.flush())
        .map_err(|error| format!("cannot print the address: {error}"))?;

    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = end_of_input(), if arguments.end_with_input => {}
    }
    broker.stop().await;
    Ok(())
}

/// Resolves at the end of standard input.
async fn end_of_input() {
    // The content does not matter, and an error also means that the input has ended.
    let read = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    let _ended = read.await;
}

fn read_credentials(file: &Path) -> Result<Credentials, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let value = |name: &str| {
        let mut settings = text.lines().filter_map(|line| line.split_once('='));
        let found = settings.find(|(key, _)| key.trim() == name);
        found
            .map(|(_, value)| value.trim().to_owned())
            .ok_or_else(|| format!("{} has no {name}", file.display()))
    };
    Ok(Credentials {
        username: value("sasl.username")?,
        password: value("sasl.password")?,
    })
}

/// `None`: wrong usage.
fn read_arguments(mut given: VecDeque<String>) -> Option<Arguments> {
    let mut directory = None;
    let mut credentials = None;
    let mut port = None;
    let mut protected = Vec::new();
    let mut durability = Durability::Fsync;
    let mut end_with_input = false;
    while let Some(word) = given.pop_front() {
        match word.as_str() {
            "--credentials" => credentials = Some(given.pop_front()?.into()),
            "--port" => port = Some(given.pop_front()?.parse().ok()?),
            "--protect" => protected.push(given.pop_front()?),
            "--process" => durability = Durability::Process,
            "--end-with-input" => end_with_input = true,
            path if directory.is_none() && !path.starts_with("--") => {
                directory = Some(path.into());
            }
            _ => return None,
        }
    }
    Some(Arguments {
        directory: directory?,
        credentials: credentials?,
        port,
        protected,
        durability,
        end_with_input,
    })
}

//! The frame around each binary's `run`: logging, startup problems, exit codes.

use crate::{
    Context, Settings, metrics, open_files,
    settings::{Declared, Problems},
    telemetry,
};
use std::{
    fmt::{self, Display},
    process::ExitCode,
};

/// Exit code of wrong usage: flags or settings.
pub const WRONG_USAGE: u8 = 2;

/// Why a program ends early.
#[derive(Debug)]
pub enum Failure {
    /// Settings that cannot be used; exit code 2.
    Settings(Problems),
    /// Anything else; exit code 1.
    Other(String),
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Settings(problems)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(problems) => problems.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl Failure {
    /// Any error, as its text.
    pub fn other(error: impl Display) -> Self {
        Self::Other(error.to_string())
    }

    /// Prints it on standard error and returns the exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        match self {
            Self::Settings(problems) => {
                eprintln!("{problems}");
                ExitCode::from(WRONG_USAGE)
            }
            Self::Other(text) => {
                eprintln!("error: {text}");
                ExitCode::FAILURE
            }
        }
    }
}

/// Starts metrics and logging for a program that declares these settings and metrics, then runs
/// `main`.
pub fn run<F>(
    declared: Declared,
    flags: &[(&str, Option<String>)],
    main: impl FnOnce(Settings, Context) -> F,
) -> ExitCode
where
    F: Future<Output = Result<(), Failure>>,
{
    metrics::start(declared.metrics());
    let mut settings = Settings::load(declared, flags);
    telemetry::start(&mut settings);
    open_files::raise_limit();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::other(error).report(),
    };
    let ended = runtime.block_on(main(settings, Context::system()));
    // Threads that still block on an unavailable broker must not delay the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

//! Programs as separate processes, for tests that kill them.
//!
//! The child process runs this same test binary, which then acts as the program. So a test needs no
//! separately built binary.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
};

/// The variable that makes a test process act as a program.
const PROGRAM: &str = "FOOTFALL_TEST_PROGRAM";
/// The test that acts as the program.
const TEST: &str = "child_program";

/// The results of a finished program.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its standard output, without the lines of the test harness.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Ended {
    /// The JSON lines of its standard output.
    pub fn json_lines(&self) -> impl Iterator<Item = &str> {
        self.out.lines().filter(|line| line.starts_with('{'))
    }
}

/// A child process. Dropping it kills the process at once, without a clean stop.
pub struct Program(Child);

impl Program {
    /// Starts a program (`footfall`, `projector`) with arguments and an environment.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(program, arguments, environment);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Like [`Self::start`], with its standard output in a file.
    ///
    /// # Panics
    /// If it cannot be started, or the file cannot be made.
    #[must_use]
    pub fn start_writing(
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        output: &Path,
    ) -> Self {
        let mut command = command(program, arguments, environment);
        let output = File::create(output).unwrap();
        command.stdin(Stdio::null()).stdout(output);
        Self(command.spawn().unwrap())
    }

    /// Runs a program to its end, with the given standard input.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn run(
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        input: &[u8],
    ) -> Ended {
        let mut command = command(program, arguments, environment);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A program may exit before it has read everything.
        let writing = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        let _ = writing.join();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it at once, like `kill -9`, and waits until it is gone.
    ///
    /// # Panics
    /// If it cannot be killed.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Sends a signal by name (`TERM`, `INT`).
    ///
    /// # Panics
    /// If there is no `kill` program.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for its end and returns its exit code.
    ///
    /// # Panics
    /// If waiting fails.
    #[must_use]
    pub fn wait(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", TEST, "--nocapture", "--quiet"])
        .env(
            PROGRAM,
            format!("{program}\u{1f}{}", arguments.join("\u{1f}")),
        )
        .envs(environment.iter().copied());
    command
}

/// The program and arguments for this process, if it is to act as a program.
#[must_use]
pub fn asked_to_be() -> Option<Vec<String>> {
    let asked = std::env::var(PROGRAM).ok()?;
    Some(
        asked
            .split('\u{1f}')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

/// Settings in the form that [`Program`] takes.
#[must_use]
pub fn pairs(settings: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    let pairs = settings.iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

//! Programs as processes of their own, for tests that kill them.
//!
//! The child is this very test binary, asked to be a program: so a test needs no binary that somebody
//! must have built before.

use std::process::{Child, Command, Stdio};

/// Name of the variable that asks a test process to be a program.
const PROGRAM: &str = "FOOTFALL_TEST_PROGRAM";
/// Name of the test that becomes the program.
const TEST: &str = "child_program";

/// A child that is killed, without a chance to clean up, when the test drops it.
pub struct Program(Child);

impl Program {
    /// Starts a program (`footfall`, `projector`) with those arguments and environment.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", TEST, "--nocapture", "--quiet"])
            .env(
                PROGRAM,
                format!("{program}\u{1f}{}", arguments.join("\u{1f}")),
            )
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it at once, as `kill -9` does, and waits until it is gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Sends a signal by name (`TERM`, `INT`).
    ///
    /// # Panics
    /// When there is no `kill` program.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for its end and gives its exit code.
    ///
    /// # Panics
    /// When it cannot be waited for.
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

/// The program and arguments this process was asked to be, if it was.
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

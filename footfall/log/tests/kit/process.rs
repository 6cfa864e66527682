//! Runs the broker as a process, which a test can kill before it cleans up.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A running broker. It ends with the test's process, which closes its standard input.
#[derive(Debug)]
pub struct BrokerProcess {
    /// The process, or its wrapper.
    pub child: Child,
    /// `host:port`.
    pub bootstrap: String,
}

impl BrokerProcess {
    /// Starts the broker and waits until it accepts connections.
    ///
    /// `wrapper` is a program with arguments that runs the broker, such as a tracer; it may be empty.
    ///
    /// # Errors
    /// If the broker ends instead, its output.
    pub fn start(
        directory: &Path,
        credentials: &Path,
        options: &[&str],
        wrapper: &[OsString],
    ) -> Result<Self, String> {
        let mut child = spawn(directory, credentials, options, wrapper)?;
        let out = child.stdout.take().ok_or("the broker has no output")?;
        let mut line = String::new();
        let read = BufReader::new(out).read_line(&mut line);
        if !matches!(read, Ok(1..)) {
            let status = child.wait().map_err(|error| error.to_string())?;
            return Err(format!("the broker did not start: {status}"));
        }
        let bootstrap = line.trim_end().to_owned();
        Ok(Self { child, bootstrap })
    }
}

impl Drop for BrokerProcess {
    fn drop(&mut self) {
        // It may have ended already, which the caller notices by other means.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Runs a broker, with the wrapper's arguments before it if there are any.
pub fn spawn(
    directory: &Path,
    credentials: &Path,
    options: &[&str],
    wrapper: &[OsString],
) -> Result<Child, String> {
    let broker = OsString::from(env!("CARGO_BIN_EXE_footfall-log"));
    let mut words = wrapper.iter().chain([&broker]);
    let mut command = Command::new(words.next().unwrap_or(&broker));
    command
        .args(words)
        .arg(directory)
        .arg("--credentials")
        .arg(credentials)
        .arg("--end-with-input")
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command.spawn().map_err(|error| error.to_string())
}

//! Runs external tools, and finds their files.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::target::PATIENCE;

/// The result of a tool.
#[derive(Debug)]
pub struct Ended {
    /// Whether it reported success.
    pub success: bool,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Ended {
    /// Returns its standard output. Panics if it failed.
    #[track_caller]
    pub fn output(self) -> String {
        assert!(self.success, "the tool failed: {self:?}");
        self.out
    }

    /// Returns all of its output. Panics if it succeeded.
    #[track_caller]
    pub fn failure(self) -> String {
        assert!(!self.success, "the tool should have failed: {self:?}");
        format!("{}{}", self.out, self.err)
    }
}

/// Runs a command to its end, with `input` on its standard input.
///
/// # Panics
/// If it does not end in time.
pub fn run(command: &mut Command, input: &str) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let input = input.to_owned();
    // Use threads, because a tool that writes much before it reads its input would wait forever.
    let feed = thread::spawn(move || {
        // The tool may end without reading everything.
        let _written = stdin.write_all(input.as_bytes());
    });
    let out = thread::spawn(move || read_text(&mut stdout));
    let err = thread::spawn(move || read_text(&mut stderr));
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            let words = (out.join().unwrap(), err.join().unwrap());
            panic!("{command:?} does not end: {words:?}");
        }
        // The standard library cannot wait for a process with a timeout.
        thread::sleep(Duration::from_millis(5));
    };
    feed.join().unwrap();
    Ended {
        success: status.success(),
        out: out.join().unwrap(),
        err: err.join().unwrap(),
    }
}

fn read_text(from: &mut impl io::Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder for cargo's output and for downloads of scripts.
pub fn target_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

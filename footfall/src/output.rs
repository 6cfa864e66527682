//! Writes the output of commands to standard output.

use runtime::program::Failure;
use serde::Serialize;
use std::io::{BufWriter, ErrorKind, Write};

/// Prints one line on standard output. A closed pipe is not an error.
///
/// # Errors
/// When standard output cannot be written for any other reason.
pub fn print_line(line: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::other(error)),
        _ => Ok(()),
    }
}

/// Prints a value as one line of JSON. Writes while it serializes, because the value may be larger
/// than memory. A closed pipe is not an error.
///
/// # Errors
/// When the value cannot be serialized, or standard output cannot be written for any other reason.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let written = serde_json::to_writer(&mut out, value)
        .map_err(std::io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::other(error)),
        _ => Ok(()),
    }
}

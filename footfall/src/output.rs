//! Standard output, as commands write it.

use runtime::program::Failure;

/// Prints one line on standard output. A reader that is gone is no failure.
///
/// # Errors
/// When standard output cannot be written for any other reason.
pub fn print_line(line: &str) -> Result<(), Failure> {
    use std::io::{ErrorKind, Write};
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::other(error)),
        _ => Ok(()),
    }
}

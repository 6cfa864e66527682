//! Checks for the external tools that a test needs. A missing tool is reported, not hidden.

use std::io::{self, Write as _};

/// Reports a skipped test. Bypasses the test harness, which would hide the message.
///
/// # Panics
/// With `REQUIRE_TOOLS=1`.
pub fn skip(test: &str, reason: &str) {
    let required = std::env::var("REQUIRE_TOOLS").is_ok_and(|value| value == "1");
    assert!(!required, "{test} cannot run: {reason}");
    let _written = writeln!(io::stderr(), "SKIPPED {test}: {reason}");
}

/// Whether a program is installed.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

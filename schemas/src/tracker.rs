//! The tracker: the script that pages load to send beacons.
//!
//! Owns its text and its paths. It is in this crate because two independent crates need it: ingest
//! serves it, and api refers to it in its pages. The one rule: the served text is the source
//! without indentation and comment lines, otherwise unchanged.

use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The commented source.
const SOURCE: &str = include_str!("../tracker/footfall.js");

/// Path for pages of other programs: always the newest version.
pub const PATH: &str = "/footfall.js";

/// Prefix of every path with a version.
pub const VERSIONED_PREFIX: &str = "/footfall-";

/// Digits of a version: 64 bits, so that two versions never share a path.
const VERSION_DIGITS: usize = 16;

static TEXT: LazyLock<String> = LazyLock::new(|| served(SOURCE));
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut digits = hex::encode(Sha256::digest(text()));
    digits.truncate(VERSION_DIGITS);
    digits
});
static VERSIONED_PATH: LazyLock<String> =
    LazyLock::new(|| format!("{VERSIONED_PREFIX}{}.js", version()));

/// The served script.
#[must_use]
pub fn text() -> &'static str {
    &TEXT
}

/// The version of this text: the beginning of its SHA-256, in hexadecimal.
#[must_use]
pub fn version() -> &'static str {
    &VERSION
}

/// The path of this version, which clients may cache for ever.
#[must_use]
pub fn versioned_path() -> &'static str {
    &VERSIONED_PATH
}

/// True for the file name after [`VERSIONED_PREFIX`] of any version, older or newer ones included.
#[must_use]
pub fn is_version_file(name: &str) -> bool {
    name.strip_suffix(".js").is_some_and(|digits| {
        let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        digits.len() == VERSION_DIGITS && digits.chars().all(digit)
    })
}

fn served(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    for (number, line) in source.lines().enumerate() {
        let line = line.trim();
        // The first line is kept: it explains the script to people who inspect a page's traffic.
        let kept = number == 0 || !line.starts_with("//");
        if kept && !line.is_empty() {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_comments_and_indentation_are_removed() {
        assert_eq!(
            served("// what\n\n// why\nfoo(() => {\n  // more\n  a; // b\n});\n"),
            "// what\nfoo(() => {\na; // b\n});\n"
        );
    }

    #[test]
    fn no_line_of_the_source_depends_on_removed_text() {
        // A string over several lines would lose its indentation, and lines of a block comment
        // would be served.
        for line in SOURCE.lines() {
            assert_eq!(line.matches('`').count() % 2, 0, "{line}");
            assert!(!line.contains("/*") && !line.ends_with('\\'), "{line}");
        }
        assert!(SOURCE.is_ascii(), "read the same in every encoding");
    }

    #[test]
    fn the_versioned_path_names_the_text() {
        let name = versioned_path().strip_prefix(VERSIONED_PREFIX).unwrap();
        assert!(is_version_file(name));
        assert_eq!(name, format!("{}.js", version()));
        for name in [
            "",
            ".js",
            "0123456789abcdeg.js",
            "0123456789ABCDEF.js",
            "0123456789abcdef",
            "0123456789abcdef0.js",
        ] {
            assert!(!is_version_file(name), "{name}");
        }
    }
}

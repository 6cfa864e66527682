//! The names of settings, for programs that share an environment or a settings file: what one of them does not read
//! may be another's, or a typing mistake.

/// The name of each setting of every program, one a line. Written by `UPDATE_SETTINGS=1 cargo test --workspace --lib names_of_all`.
pub const NAMES: &str = include_str!("../settings.txt");

/// First words of our settings that programs of others use as well. With them only a typing mistake counts as ours.
pub const SHARED_WORDS: &[&str] = &[
    "ANALYTICS",
    "API",
    "BIO",
    "CONTENT",
    "DATABASE",
    "HTTP",
    "ID",
    "LOG",
    "MAX",
    "PUBLIC",
    "RUST",
    "TRACKING",
    "VISITOR",
];

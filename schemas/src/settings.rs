//! The names of all settings, for programs that share an environment or a settings file.
//!
//! A setting that one program does not read may belong to another, or be a typing mistake.

/// The name of each setting of every program, one per line. To write the file, run
/// `UPDATE_SETTINGS=1 cargo test --workspace --lib setting_names`.
pub const NAMES: &str = include_str!("../settings.txt");

/// First words of our settings that other programs use too. An unknown name with such a word is
/// reported only if it looks like a typing mistake.
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

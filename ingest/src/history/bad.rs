//! A line that is not taken: why, in one word for counting and in a sentence for the person who mends it.
//!
//! The one rule: a sentence names a member and the rule that it breaks, never a value. Values are people's.

use schemas::{ReadError, json_error::describe};
use serde::de::IgnoredAny;
use thiserror::Error;

/// Most bytes of a sentence: a line may break thousands of rules.
const MAX_BYTES: usize = 400;

/// What kind of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Above the longest line.
    TooLong,
    /// Not a JSON object.
    NotJson,
    /// It breaks rules of the format.
    Invalid,
    /// Its page is not known here.
    UnknownPage,
    /// Its workspace is not known here, or another one.
    UnknownWorkspace,
    /// A record that `replay` printed, and no event that this build reads.
    NotAnEvent,
}

impl Reason {
    /// Its name in summaries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotJson => "not_json",
            Self::Invalid => "invalid",
            Self::UnknownPage => "unknown_page",
            Self::UnknownWorkspace => "unknown_workspace",
            Self::NotAnEvent => "not_an_event",
        }
    }
}

/// Why a line is not taken. Says nothing of a person: values are not repeated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct BadLine {
    /// The kind of mistake.
    pub reason: Reason,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl BadLine {
    pub(super) fn new(reason: Reason, what: impl Into<String>) -> Self {
        Self {
            reason,
            what: what.into(),
        }
    }

    /// One that was not even read.
    #[must_use]
    pub fn too_long() -> Self {
        let what = format!("is longer than {} bytes", super::MAX_LINE_BYTES);
        Self::new(Reason::TooLong, what)
    }

    /// A line that does not open a JSON object.
    pub(super) fn not_an_object(line: &[u8]) -> Self {
        let what = match serde_json::from_slice::<IgnoredAny>(line) {
            Ok(_) => "not a JSON object".to_owned(),
            Err(error) => format!("not JSON: {}", describe(line, "", &error)),
        };
        Self::new(Reason::NotJson, what)
    }

    /// A line that opens an object and cannot be read as one.
    pub(super) fn unreadable(line: &[u8], error: &serde_json::Error) -> Self {
        let rule = describe(line, "", error);
        Self::new(Reason::NotJson, format!("not JSON: {rule}"))
    }

    pub(super) fn invalid(problems: &[String]) -> Self {
        let mut what = String::new();
        let mut said: Vec<&str> = Vec::new();
        for problem in problems {
            // Visit and session read the same members.
            if said.contains(&problem.as_str()) {
                continue;
            }
            if what.len() + problem.len() > MAX_BYTES && !said.is_empty() {
                what.push_str("; and more");
                break;
            }
            if !said.is_empty() {
                what.push_str("; ");
            }
            what.push_str(problem);
            said.push(problem);
        }
        Self::new(Reason::Invalid, what)
    }

    pub(super) fn unknown_page() -> Self {
        Self::new(
            Reason::UnknownPage,
            "bioPageId is not a page of this installation",
        )
    }

    pub(super) fn unknown_workspace() -> Self {
        Self::new(
            Reason::UnknownWorkspace,
            "its event's workspace is not known to this installation",
        )
    }

    pub(super) fn not_an_event(error: &ReadError) -> Self {
        let what = match error {
            ReadError::Malformed(rule) => format!("its event is malformed: {rule}"),
            ReadError::UnknownType(_) => "this build does not know its event's type".to_owned(),
            ReadError::UnknownVersion { name, newest, .. } => format!(
                "its event's version is newer than version {newest} of {name}, the newest that this build reads"
            ),
        };
        Self::new(Reason::NotAnEvent, what)
    }
}

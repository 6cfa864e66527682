//! The error of a rejected line: a reason for counting, and a sentence for the person who corrects
//! it.
//!
//! The one rule: a sentence names a member and the rule that it breaks, never a value, because
//! values are personal data.

use schemas::{ReadError, json_error::describe};
use serde::de::IgnoredAny;
use thiserror::Error;

/// Longest sentence, in bytes. A line may break thousands of rules.
const MAX_BYTES: usize = 400;

/// The kind of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Longer than the limit.
    TooLong,
    /// Not a JSON object.
    NotJson,
    /// It breaks rules of the format.
    Invalid,
    /// Its page is unknown here.
    UnknownPage,
    /// Its workspace is unknown here, or has another id.
    UnknownWorkspace,
    /// Its link is unknown here.
    UnknownLink,
    /// Its click id is not one of ours.
    UnknownClick,
    /// A record printed by `replay` that this build cannot read as an event.
    NotAnEvent,
}

impl Reason {
    /// The name in summaries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotJson => "not_json",
            Self::Invalid => "invalid",
            Self::UnknownPage => "unknown_page",
            Self::UnknownWorkspace => "unknown_workspace",
            Self::UnknownLink => "unknown_link",
            Self::UnknownClick => "unknown_click",
            Self::NotAnEvent => "not_an_event",
        }
    }
}

/// Why a line is rejected. It repeats no values, so it contains no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct BadLine {
    /// The kind of error.
    pub reason: Reason,
    /// The rule that the line breaks.
    pub what: String,
}

impl BadLine {
    pub(super) fn new(reason: Reason, what: impl Into<String>) -> Self {
        Self {
            reason,
            what: what.into(),
        }
    }

    /// The error for a line that is too long to read.
    #[must_use]
    pub fn too_long() -> Self {
        let what = format!("is longer than {} bytes", super::MAX_LINE_BYTES);
        Self::new(Reason::TooLong, what)
    }

    /// The error for a line that does not start a JSON object.
    pub(super) fn not_an_object(line: &[u8]) -> Self {
        let what = match serde_json::from_slice::<IgnoredAny>(line) {
            Ok(_) => "not a JSON object".to_owned(),
            Err(error) => format!("not JSON: {}", describe(line, "", &error)),
        };
        Self::new(Reason::NotJson, what)
    }

    /// The error for a line that starts an object but is not valid JSON.
    pub(super) fn unreadable(line: &[u8], error: &serde_json::Error) -> Self {
        let rule = describe(line, "", error);
        Self::new(Reason::NotJson, format!("not JSON: {rule}"))
    }

    pub(super) fn invalid(problems: &[String]) -> Self {
        let mut what = String::new();
        let mut said: Vec<&str> = Vec::new();
        for problem in problems {
            // The visit and its session read some of the same members.
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

    pub(super) fn unknown_link() -> Self {
        Self::new(
            Reason::UnknownLink,
            "the link is not one of this installation; create it first (POST /api/links), and check shortCode, host and linkId",
        )
    }

    pub(super) fn unknown_workspace() -> Self {
        Self::new(
            Reason::UnknownWorkspace,
            "the workspace is unknown to this installation",
        )
    }

    pub(super) fn not_an_event(error: &ReadError) -> Self {
        let what = match error {
            ReadError::Malformed(rule) => format!("the event is malformed: {rule}"),
            ReadError::UnknownType(_) => "this build does not know the event's type".to_owned(),
            ReadError::UnknownVersion { name, newest, .. } => format!(
                "the event's version is newer than version {newest} of {name}, the newest that this build reads"
            ),
        };
        Self::new(Reason::NotAnEvent, what)
    }
}

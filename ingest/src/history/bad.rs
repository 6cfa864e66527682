//! A line that is not taken: why, in one word for counting and in a sentence for whoever mends it.

use schemas::{PageId, ReadError, WorkspaceNo};
use thiserror::Error;

/// Most bytes of a sentence: a line may break thousands of rules.
const MAX_BYTES: usize = 400;

/// What kind of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Above the longest line.
    TooLong,
    /// No JSON object.
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

    pub(super) fn no_json(error: &serde_json::Error) -> Self {
        // A line of the reader's own count would mislead: the file's is told beside it.
        let text = error.to_string();
        let text = text.replace(" at line 1 column ", " at character ");
        Self::new(Reason::NotJson, format!("is not JSON: {text}"))
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

    pub(super) fn unknown_page(page: PageId) -> Self {
        Self::new(
            Reason::UnknownPage,
            format!("bioPageId {page} is no page of this installation"),
        )
    }

    pub(super) fn unknown_workspace(no: WorkspaceNo) -> Self {
        Self::new(
            Reason::UnknownWorkspace,
            format!("workspace {no} is not known to this installation"),
        )
    }

    pub(super) fn no_event(error: &ReadError) -> Self {
        Self::new(Reason::NotAnEvent, error.to_string())
    }
}

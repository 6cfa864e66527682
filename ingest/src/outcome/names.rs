//! What a beacon can be and what can become of it, by name.
//!
//! Owns the two lists; counting is [`super::Outcomes`]'. The one rule: the order of a list is the order of
//! its enum, for cells are found by it.

/// What was sent, as far as it could be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BeaconType {
    /// A visit's beginning.
    Session,
    /// A visit's sign of life.
    Heartbeat,
    /// A visit's user.
    Identify,
    /// A view or a click.
    Pageview,
    /// A view's end.
    Leave,
    /// A site's own event.
    Track,
    /// A batch that was turned away whole, before its members were looked at.
    Batch,
    /// A member of a batch that does not say what it is.
    Unknown,
}

impl BeaconType {
    /// Every type, in the order of [`Outcomes`]' cells.
    pub const ALL: [Self; 8] = [
        Self::Session,
        Self::Heartbeat,
        Self::Identify,
        Self::Pageview,
        Self::Leave,
        Self::Track,
        Self::Batch,
        Self::Unknown,
    ];

    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Heartbeat => "heartbeat",
            Self::Identify => "identify",
            Self::Pageview => "pageview",
            Self::Leave => "leave",
            Self::Track => "track",
            Self::Batch => "batch",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of a beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// In the log.
    Accepted,
    /// Answered and not counted, for one of [`RefusalReason`].
    Refused,
    /// Named an id that we did not make.
    Forged,
    /// Broke a rule of the contract.
    Invalid,
    /// One too many.
    Throttled,
    /// Without a valid token where one is needed.
    Unauthorized,
    /// Not taken, because the log did not take it in time; the client is asked to try again.
    Overloaded,
    /// Not taken, because the directory does not know the page or workspace that it proves; the client is
    /// asked to try again.
    UnknownPage,
}

impl Outcome {
    /// Every outcome, in the order of [`Outcomes`]' cells.
    pub const ALL: [Self; 8] = [
        Self::Accepted,
        Self::Refused,
        Self::Forged,
        Self::Invalid,
        Self::Throttled,
        Self::Unauthorized,
        Self::Overloaded,
        Self::UnknownPage,
    ];

    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Forged => "forged",
            Self::Invalid => "invalid",
            Self::Throttled => "throttled",
            Self::Unauthorized => "unauthorized",
            Self::Overloaded => "overloaded",
            Self::UnknownPage => "unknown_page",
        }
    }
}

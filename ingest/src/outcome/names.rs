//! The types and outcomes of beacons, with their names in metrics.
//!
//! Owns the two lists; [`super::Outcomes`] counts. The one rule: each list has the order of its
//! enum, because the position is the index of the counter.

/// The type of a beacon, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BeaconType {
    /// The start of a visit.
    Session,
    /// A sign that a visit is still in view.
    Heartbeat,
    /// The user of a visit.
    Identify,
    /// A view or a click.
    Pageview,
    /// The end of a view.
    Leave,
    /// A site's own event.
    Track,
    /// A batch that was rejected before its members were read.
    Batch,
    /// A member of a batch without a known type.
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

/// The outcome of a beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// In the log.
    Accepted,
    /// Answered but not counted, for a [`RefusalReason`].
    Refused,
    /// Has an id that was not made by us.
    Forged,
    /// Breaks a rule of the contract.
    Invalid,
    /// Exceeds a rate limit.
    Throttled,
    /// Has no valid token although it needs one.
    Unauthorized,
    /// Not accepted, because the log did not acknowledge it in time. The client is asked to retry.
    Overloaded,
    /// Not accepted, because the directory does not have the page or workspace that the beacon
    /// proves. The client is asked to retry.
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

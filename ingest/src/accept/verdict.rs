//! The results of judging a beacon: its origin, its verdict and the answer.

use super::beacon::BeaconKind;
use crate::directory::Tenant;
use schemas::{Event, PageId, PageviewId, RefusalReason, SessionId, WorkspaceNo};
use serde::Serialize;
use uuid::Uuid;

/// The origin of a beacon, as far as its ids prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It starts a visit itself.
    Opening,
    /// It belongs to this visit, in this workspace.
    Session(WorkspaceNo, SessionId),
    /// It belongs to this view, in this workspace.
    Pageview(WorkspaceNo, PageviewId),
    /// It names no visit and needs none.
    Nowhere,
    /// Its id was not made by us.
    Forged,
    /// It names a visit or view of an unknown page.
    Unknown(PageId),
}

/// The verdict on a beacon.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Accepted: publish this event, then send this answer.
    Accept(Box<Event>, Answer),
    /// Refused: answered but not counted.
    Refuse(Refusal),
    /// Not counted, because its id was not made by us.
    Forged(Answer),
    /// Undecided: the directory does not have the page or workspace yet.
    Unknown(Missing),
}

/// A beacon that is answered but not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub reason: RefusalReason,
    /// The page of the beacon, when it is known.
    pub page: Option<KnownPage>,
    /// The answer.
    pub answer: Answer,
}

/// A page of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownPage {
    /// The page.
    pub page_id: PageId,
    /// Its tenant.
    pub tenant: Tenant,
}

/// What the directory must learn before a beacon can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A page, proven by a tracking token.
    Page(PageId),
    /// A workspace, proven by an id's tag.
    Workspace(WorkspaceNo),
}

/// The `data` of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// `{"id": …}`: the id of a visit or view, or `null`.
    Id {
        /// The id.
        id: Option<Uuid>,
    },
    /// `{"ok": true}`
    Ok {
        /// Always true.
        ok: bool,
    },
    /// `{"tracked": true}`
    Tracked {
        /// Always true.
        tracked: bool,
    },
}

impl Answer {
    /// `{"id": null}`
    pub const NO_ID: Self = Self::Id { id: None };
    /// `{"ok": true}`
    pub const OK: Self = Self::Ok { ok: true };
    /// `{"tracked": true}`
    pub const TRACKED: Self = Self::Tracked { tracked: true };

    /// The answer to a beacon of this kind that is not recorded.
    #[must_use]
    pub const fn unseen(kind: BeaconKind) -> Self {
        match kind {
            BeaconKind::Session | BeaconKind::Pageview => Self::NO_ID,
            BeaconKind::Heartbeat | BeaconKind::Identify | BeaconKind::Leave => Self::OK,
            BeaconKind::Track => Self::TRACKED,
        }
    }

    /// The id in the answer, if any.
    #[must_use]
    pub const fn id(self) -> Option<Uuid> {
        match self {
            Self::Id { id } => id,
            Self::Ok { .. } | Self::Tracked { .. } => None,
        }
    }
}

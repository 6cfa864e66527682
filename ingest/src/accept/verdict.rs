//! What can be said of a beacon: whose it is, what becomes of it, what is answered.

use super::beacon::BeaconKind;
use crate::directory::Tenant;
use schemas::{Event, PageId, PageviewId, RefusalReason, SessionId, WorkspaceNo};
use serde::Serialize;
use uuid::Uuid;

/// Whose a beacon is, as far as its ids prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It opens a visit itself.
    Opening,
    /// It belongs to that visit, in that workspace.
    Session(WorkspaceNo, SessionId),
    /// It belongs to that view, in that workspace.
    Pageview(WorkspaceNo, PageviewId),
    /// It names no visit, and need not.
    Nowhere,
    /// It names an id that we did not make.
    Forged,
    /// It names a visit or view of a page that is not known.
    Unknown(PageId),
}

/// What becomes of a beacon.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// This event, once it is in the log; then this answer.
    Accept(Box<Event>, Answer),
    /// Nothing, and this answer.
    Refuse(Refusal),
    /// Nothing: it names an id that we did not make.
    Forged(Answer),
    /// Nothing yet: the directory does not know what it names.
    Unknown(Missing),
}

/// A beacon that is answered and not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: RefusalReason,
    /// The page it was for, when that is known.
    pub page: Option<KnownPage>,
    /// What is answered.
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
    /// `{"id": …}`: of a visit or a view, `null` when there is none.
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

    /// The answer to a beacon of that kind that leaves no record.
    #[must_use]
    pub const fn unseen(kind: BeaconKind) -> Self {
        match kind {
            BeaconKind::Session | BeaconKind::Pageview => Self::NO_ID,
            BeaconKind::Heartbeat | BeaconKind::Identify | BeaconKind::Leave => Self::OK,
            BeaconKind::Track => Self::TRACKED,
        }
    }

    /// The id in it, if it has one.
    #[must_use]
    pub const fn id(self) -> Option<Uuid> {
        match self {
            Self::Id { id } => id,
            Self::Ok { .. } | Self::Tracked { .. } => None,
        }
    }
}

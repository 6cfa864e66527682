//! The caller of a request.
//!
//! A token names a user, a key a workspace. Without a credential the caller is anonymous, which only
//! public routes accept. Tracking tokens identify a page to ingest and give no access here.

use super::Tenant;
use runtime::throttle::{Standing, Throttles};
use std::{net::IpAddr, sync::Arc};
use uuid::Uuid;

/// The caller of a request.
#[derive(Clone, Debug)]
pub(crate) enum Principal {
    /// A user: the subject of the request's token.
    User(Arc<str>),
    /// A user or a key in a workspace.
    Member(Arc<Tenant>),
    /// An anonymous client, identified by the neighbourhood of its address.
    Anonymous(IpAddr),
}

/// Those whose requests share turns at the main database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sharer {
    /// A user, by the subject of the token.
    User(Arc<str>),
    /// All members and keys of a workspace, by its id.
    Workspace(Uuid),
}

impl Principal {
    /// With whom its requests share turns. Anonymous clients read single rows, and wait for no turn.
    pub(super) fn sharer(&self) -> Option<Sharer> {
        match self {
            Self::User(sub) => Some(Sharer::User(Arc::clone(sub))),
            Self::Member(tenant) => Some(Sharer::Workspace(tenant.workspace.id)),
            Self::Anonymous(_) => None,
        }
    }

    /// The name of the limit that a request to that route spends.
    pub(super) fn limit_name(&self, route: &'static str) -> &'static str {
        match self {
            Self::Member(tenant) => tenant.workspace.plan().rate().route,
            Self::User(_) | Self::Anonymous(_) => route,
        }
    }

    /// Spends one of a limit. It counts per user, per workspace for members, and per address for
    /// anonymous clients.
    pub(super) fn spend(
        &self,
        throttles: &Throttles,
        limit: &str,
    ) -> Result<Option<Standing>, Standing> {
        match self {
            Self::User(sub) => throttles.spend(limit, sub),
            Self::Member(tenant) => throttles.spend(limit, tenant.workspace.id),
            Self::Anonymous(address) => throttles.spend(limit, address),
        }
    }
}

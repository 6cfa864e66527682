//! The caller of a request.
//!
//! A token names a user. Without one, the caller is anonymous, which only public routes accept. API
//! keys, once they exist, will be checked before the token, because a key names its workspace by
//! itself. Tracking tokens identify a page to ingest and give no access here.

use super::Plan;
use runtime::throttle::{Standing, Throttles};
use std::{net::IpAddr, sync::Arc};

/// The caller of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// A user: the subject of the request's token.
    User(Arc<str>),
    /// An anonymous client, identified by the neighbourhood of its address.
    Anonymous(IpAddr),
}

impl Principal {
    /// The plan whose limits apply. There is one plan until workspaces can have others.
    pub(crate) const fn plan(&self) -> Plan {
        match self {
            Self::User(_) | Self::Anonymous(_) => Plan::Standard,
        }
    }

    /// Spends one of a limit, which counts per user, or per address for anonymous clients.
    pub(super) fn spend(
        &self,
        throttles: &Throttles,
        limit: &str,
    ) -> Result<Option<Standing>, Standing> {
        match self {
            Self::User(sub) => throttles.spend(limit, sub),
            Self::Anonymous(address) => throttles.spend(limit, address),
        }
    }
}

//! Who a request comes from.
//!
//! A request is looked at in this order: its token names a user; without one it is anonymous, which
//! only public routes accept. An API key, once there are some, comes before the token, since it names
//! its workspace by itself. Tracking tokens prove a page to ingest and open nothing here.

use super::Plan;
use runtime::throttle::{Standing, Throttles};
use std::{net::IpAddr, sync::Arc};

/// Who a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// The user whose token came with the request: its subject.
    User(Arc<str>),
    /// An anonymous client, known by the neighbourhood of its address.
    Anonymous(IpAddr),
}

impl Principal {
    /// The plan whose limits hold. There is one plan until workspaces can have others.
    pub(crate) const fn plan(&self) -> Plan {
        match self {
            Self::User(_) | Self::Anonymous(_) => Plan::Standard,
        }
    }

    /// Spends one of a limit, which counts by user, or by address where there is none.
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

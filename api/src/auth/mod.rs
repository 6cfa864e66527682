//! Who calls, what they may do, and how often: decided in one place for every route of the api.
//!
//! [`guarded`] finds the [`Principal`] of a request and spends its limit. The routes of workspaces
//! have their [`Tenant`] from it, and callers without the permission get no further. On the routes of
//! creators, the handler asks its [`Access`] for the creator after it has read the request, because
//! there an invalid request is 400 for every caller. The one rule: a handler reaches a tenant's data
//! only through its access.

mod access;
mod credentials;
mod guard;
mod permission;
mod plan;
mod principal;
mod tenant;

pub(crate) use access::Access;
pub(crate) use credentials::{KEY_CHARS, KEY_START, hash};
pub(crate) use guard::{Callers, CommandTurn, Routes, Terms, guarded, turn};
pub use permission::Permission;
pub(crate) use permission::Role;
pub(crate) use plan::Allowance;
pub(crate) use plan::PLANS;
pub use plan::Plan;
pub(crate) use principal::{Principal, Sharer};
pub(crate) use tenant::Tenant;

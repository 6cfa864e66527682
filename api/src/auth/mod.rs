//! Who calls, what they may do, and how often: decided in one place for every route of the api.
//!
//! [`guarded`] finds the [`Principal`] of a request and spends its limit by [`Plan`]. The handler
//! takes the [`Access`] and asks it for the workspace, after it has read the request, because an
//! invalid request is 400 for every caller. The one rule: a handler reaches a tenant's data only
//! through its access.

mod access;
mod guard;
mod permission;
mod plan;
mod principal;

pub(crate) use access::Access;
pub(crate) use guard::{Routes, Terms, guarded};
pub use permission::Permission;
pub(crate) use permission::Role;
pub(crate) use plan::{Allowance, Plan};
pub(crate) use principal::Principal;

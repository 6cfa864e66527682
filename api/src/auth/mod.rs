//! Who asks, what they may do, and how often: decided in one place for every route of the api.
//!
//! The way: [`guarded`] finds the [`Principal`] of a request and spends its limit by [`Plan`]; the
//! handler takes the [`Access`] and asks it for the workspace, once the request itself is known to be
//! valid. The one rule: a handler reaches a tenant's things only through its access.

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

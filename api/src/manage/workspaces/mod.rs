//! Workspaces: the commands that create and list a user's.

mod create;
mod members;
mod settings;
mod wire;

use super::links::short_code;
use crate::{command::Family, refusals, store::broken_constraint};
use runtime::{IdSource, http::ApiError};

/// The commands of workspaces.
pub(crate) const FAMILY: Family = Family {
    tag: "Workspaces",
    about: "Tenants of the link surface. Every creator has one; other users create theirs.",
    commands: &[
        create::CREATE_WORKSPACE,
        create::LIST_WORKSPACES,
        settings::GET_WORKSPACE,
        settings::UPDATE_WORKSPACE,
    ],
};

/// A slug for a workspace whose creator names none.
pub(crate) fn random_slug(ids: &dyn IdSource) -> String {
    format!("w-{}", short_code(ids.random_16()).to_ascii_lowercase())
}

/// The error for a slug that is taken.
fn refusal(error: sqlx::Error) -> ApiError {
    match broken_constraint(&error) {
        Some("workspaces_slug_key") => refusals::workspace_slug_taken(),
        _ => error.into(),
    }
}

//! Workspaces: the commands that create, list, change and delete a user's.

mod create;
mod delete;
mod errors;
mod members;
mod settings;
mod wire;

use super::short_links::short_code::generated;
use crate::{
    command::{Family, Object},
    refusals,
    store::broken_constraint,
};
use runtime::{IdSource, http::ApiError};

/// A workspace in a path.
const ID: Object = Object {
    id: "workspaceId",
    about: "Your workspace.",
};

/// The commands of workspaces.
pub(crate) const FAMILY: Family = Family {
    tag: "Workspaces",
    about: "Tenants of the link surface. Every creator has one; other users create theirs.",
    commands: &[
        create::CREATE_WORKSPACE,
        create::LIST_WORKSPACES,
        settings::GET_WORKSPACE,
        settings::UPDATE_WORKSPACE,
        delete::DELETE_WORKSPACE,
    ],
};

/// A slug for a workspace whose creator names none.
pub(crate) fn random_slug(ids: &dyn IdSource) -> String {
    format!("w-{}", generated(ids.random_16()))
}

/// The error for a slug that is taken.
fn refusal(error: sqlx::Error) -> ApiError {
    match broken_constraint(&error) {
        Some("workspaces_slug_key") => refusals::workspace_slug_taken(),
        _ => error.into(),
    }
}

//! The errors of workspaces.

use crate::auth::Plan;
use runtime::http::ApiError;
use serde_json::json;

/// 409 for the deletion of a creator's workspace.
pub(super) fn workspace_of_creator() -> ApiError {
    ApiError::conflict(
        "workspaces.of_creator",
        "A creator's bio pages are in this workspace, so it cannot be deleted.",
    )
}

/// 403 for a plan that owners may not choose here.
pub(super) fn plan_not_offered(offered: &[Plan]) -> ApiError {
    let offered: Vec<&str> = offered.iter().map(|plan| plan.name()).collect();
    ApiError::forbidden(
        "workspaces.plan_not_offered",
        "Owners cannot choose this plan here. Ask the operator of this installation for it.",
    )
    .with_vars(json!({ "offered": offered }))
}

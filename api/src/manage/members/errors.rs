//! The errors of members.

use runtime::http::ApiError;

/// 404 for a member of another workspace.
pub(super) fn not_found() -> ApiError {
    ApiError::not_found("members.not_found", "Member not found.")
}

/// 409 for a user who is a member already.
pub(super) fn member_exists() -> ApiError {
    ApiError::conflict("members.exists", "This user is a member already.")
}

/// 403 for a change of owners by another member.
pub(super) fn only_owners() -> ApiError {
    ApiError::forbidden(
        "members.only_owners",
        "Only an owner can make, change or remove owners.",
    )
}

/// 409 for a change that would leave the workspace without an owner.
pub(super) fn last_owner() -> ApiError {
    ApiError::conflict(
        "members.last_owner",
        "A workspace needs an owner; make another member one first.",
    )
}

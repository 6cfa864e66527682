//! The errors of domains.

use runtime::http::ApiError;

/// 404 for a domain of another workspace.
pub(super) fn not_found() -> ApiError {
    ApiError::not_found("domains.not_found", "Domain not found.")
}

/// 409 for a domain that the workspace has already.
pub(super) fn domain_exists() -> ApiError {
    ApiError::conflict("domains.exists", "This workspace has this domain already.")
}

/// 409 for the host of `PUBLIC_URL`.
pub(super) fn built_in_domain() -> ApiError {
    ApiError::conflict(
        "domains.built_in",
        "This domain is built in: it serves every workspace already.",
    )
}

/// 409 for a domain whose TXT record is missing or has another value.
pub(super) fn proof_missing() -> ApiError {
    ApiError::conflict(
        "domains.proof_missing",
        "The TXT record of this domain was not found. New records may take some minutes.",
    )
}

/// 409 for a default that is not proven.
pub(super) fn domain_pending() -> ApiError {
    ApiError::conflict("domains.pending", "Verify this domain first.")
}

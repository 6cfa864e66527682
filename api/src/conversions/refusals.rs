//! The errors of conversions and customers.

use runtime::http::ApiError;

/// 400 for a click id that no redirect made.
pub(crate) fn invalid_click() -> ApiError {
    ApiError::bad_request(
        "conversions.invalid_click",
        "The click id is not one of ours. Send the value of lw_cid as it arrived.",
    )
}

/// 400 for a click that is too old for the conversion, or younger.
pub(crate) fn click_expired() -> ApiError {
    ApiError::bad_request(
        "conversions.click_expired",
        "A conversion must happen within 30 days after its click.",
    )
}

/// 400 for a text that a network should have replaced.
pub(crate) fn placeholder() -> ApiError {
    ApiError::bad_request(
        "conversions.placeholder",
        "A value is a placeholder that was not replaced, such as {click_id} or undefined.",
    )
}

/// 400 for a conversion that names neither a click nor a customer with one.
pub(crate) fn no_click() -> ApiError {
    ApiError::bad_request(
        "conversions.no_click",
        "Name the click, or a customer who has one.",
    )
}

/// 400 for a click with the maximum of conversions.
pub(crate) fn too_many() -> ApiError {
    ApiError::bad_request(
        "conversions.limit_reached",
        "This click has 100 conversions, which is the limit.",
    )
}

/// 403 for a postback without the workspace's token.
pub(crate) fn wrong_token() -> ApiError {
    ApiError::forbidden(
        "conversions.token",
        "This workspace requires its token in postbacks.",
    )
}

/// 404 for a conversion of no workspace of the caller.
pub(crate) fn not_found() -> ApiError {
    ApiError::not_found("conversions.not_found", "Conversion not found.")
}

/// 400 for a refund of more than is left.
pub(crate) fn refund_too_large() -> ApiError {
    ApiError::bad_request(
        "conversions.refund_too_large",
        "All refunds together must not exceed the amount of the conversion.",
    )
}

/// 400 for a conversion that cannot be refunded.
pub(crate) fn nothing_to_refund() -> ApiError {
    ApiError::bad_request(
        "conversions.nothing_to_refund",
        "Nothing of this conversion is left to refund.",
    )
}

/// 403 for a plan without customers.
pub(crate) fn feature_not_available() -> ApiError {
    ApiError::forbidden(
        "plan.feature_not_available",
        "The plan of this workspace does not include this.",
    )
}

/// 404 for a customer of no workspace of the caller.
pub(crate) fn customer_not_found() -> ApiError {
    ApiError::not_found("customers.not_found", "Customer not found.")
}

/// 409 for an external id that another customer has.
pub(crate) fn customer_exists() -> ApiError {
    ApiError::conflict(
        "customers.exists",
        "Another customer of this workspace has this externalId.",
    )
}

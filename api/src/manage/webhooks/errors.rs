//! The errors of webhooks and their deliveries.

use runtime::http::ApiError;

/// 404 for a webhook that is not the workspace's.
pub(super) fn not_found() -> ApiError {
    ApiError::not_found("webhooks.not_found", "Webhook not found.")
}

/// 404 for a delivery that is not the webhook's, or was removed.
pub(super) fn delivery_not_found() -> ApiError {
    ApiError::not_found("webhooks.delivery_not_found", "Delivery not found.")
}

/// 409 for sending to a webhook that is switched off.
pub(super) fn disabled() -> ApiError {
    ApiError::conflict(
        "webhooks.disabled",
        "The webhook is switched off: switch it on first.",
    )
}

/// 409 for sending a delivery that waits already.
pub(super) fn delivery_waiting() -> ApiError {
    ApiError::conflict(
        "webhooks.delivery_waiting",
        "The delivery waits to be sent already.",
    )
}

/// 409 for a delivery to a webhook for which too many wait.
pub(super) fn queue_full() -> ApiError {
    ApiError::conflict(
        "webhooks.queue_full",
        "Too many deliveries of this webhook wait: try again later.",
    )
}

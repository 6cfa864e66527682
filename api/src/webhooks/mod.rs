//! Webhooks: events of a workspace, sent to addresses of its owner.

mod address;
mod client;
mod follow;
mod holder;
mod payload;
mod retry;
mod roots;
mod secret;
mod send;
mod sign;
mod target;

pub(crate) use client::OUTCOMES;
pub(crate) use follow::{FOLLOWER, Follower};
pub(crate) use payload::{TEST, message_id, test as test_delivery};
pub(crate) use roots::{CA_FILE, Roots};
pub(crate) use secret::{Secret, Vault};
pub(crate) use send::{SENDER, Sender};
pub(crate) use target::{MAX_URL_CHARS, PRIVATE_TARGETS, Targets};

use runtime::{IdSource, http::ApiError};
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

/// The types of events that a webhook may ask for.
pub(crate) const TYPES: [&str; 5] = ["click", "qr_scan", "lead", "sale", "custom"];
/// In a request: all of [`CONVERSIONS`].
pub(crate) const CONVERSION: &str = "conversion";
/// Most deliveries of a webhook that wait. Beyond, it reads no further events.
pub(crate) const MAX_WAITING: i64 = 1_000;

/// The types of conversions.
pub(crate) const CONVERSIONS: [&str; 3] = ["lead", "sale", "custom"];

/// What the routes of webhooks need.
#[derive(Clone, Debug)]
pub(crate) struct Webhooks {
    /// Encrypts secrets.
    pub(crate) vault: Vault,
    /// Which addresses are allowed.
    pub(crate) targets: Targets,
    /// Wakes the sender.
    pub(crate) waiting: Arc<Notify>,
}

impl Webhooks {
    /// A webhook's secret as it is stored.
    pub(crate) fn seal(
        &self,
        secret: &Secret,
        webhook: Uuid,
        ids: &dyn IdSource,
    ) -> Result<Vec<u8>, ApiError> {
        let sealed = self.vault.seal(secret, webhook, ids);
        sealed.ok_or_else(|| ApiError::internal("a secret could not be encrypted"))
    }
}

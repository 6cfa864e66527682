//! `/api/webhooks`: where a workspace wants its events sent.
//!
//! The one rule: the secret of a webhook is in the answer that makes or rotates it, and in no other.

mod change;
mod deliveries;
mod edit;
mod errors;
mod members;
mod read;
mod rotate;
mod wire;

use crate::command::{Family, Object};

/// A webhook in a path.
const WEBHOOK: Object = Object {
    id: "webhookId",
    about: "The webhook.",
};

/// Most webhooks of a workspace. Each reads every event.
const MAX_WEBHOOKS: u32 = 20;

/// The commands of webhooks.
pub(crate) const FAMILY: Family = Family {
    tag: "Webhooks",
    about: "Addresses to which the events of a workspace are sent. Only admins and owners see them.",
    commands: &[
        read::LIST_WEBHOOKS,
        change::CREATE_WEBHOOK,
        read::GET_WEBHOOK,
        change::UPDATE_WEBHOOK,
        change::DELETE_WEBHOOK,
        rotate::ROTATE_WEBHOOK_SECRET,
        deliveries::TEST_WEBHOOK,
        deliveries::LIST_WEBHOOK_DELIVERIES,
        deliveries::REDELIVER,
    ],
};

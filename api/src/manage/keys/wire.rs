//! An API key in the answers of routes.

use super::secret::Secret;
use crate::{instant::iso_micros, store::keys::Key};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// An API key, without its secret.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ApiKey", description = "An API key, without its secret.")]
pub(crate) struct WireKey {
    id: Uuid,
    name: String,
    /// The beginning of the key.
    prefix: String,
    scopes: Vec<String>,
    /// The member who made it.
    created_by: String,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// When it was last used, to the minute.
    #[schemars(extend("format" = "date-time"))]
    last_used_at: Option<String>,
    /// From then on it is invalid.
    #[schemars(extend("format" = "date-time"))]
    expires_at: Option<String>,
    /// Since then it is invalid.
    #[schemars(extend("format" = "date-time"))]
    revoked_at: Option<String>,
}

/// A new API key. Not `Debug`, so that no log line can contain one.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "NewApiKey", description = "A new API key.")]
pub(super) struct WireNewKey {
    #[serde(flatten)]
    key: WireKey,
    /// The key itself, which no other answer shows.
    #[serde(rename = "key")]
    secret: String,
}

impl WireNewKey {
    pub(super) fn new(key: Key, secret: Secret) -> Self {
        Self {
            key: key.into(),
            secret: secret.reveal(),
        }
    }
}

impl From<Key> for WireKey {
    fn from(key: Key) -> Self {
        let iso = |at: jiff_sqlx::Timestamp| iso_micros(at.to_jiff());
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes,
            created_by: key.created_by,
            created_at: iso(key.created_at),
            last_used_at: key.last_used_at.map(iso),
            expires_at: key.expires_at.map(iso),
            revoked_at: key.revoked_at.map(iso),
        }
    }
}

//! Hosts of short URLs, and mobile apps that open links.

use crate::ids::{AppId, WorkspaceNo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A host of short URLs. The host of `PUBLIC_URL` needs no entry: it serves every workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Domain {
    /// The host: lower case, punycode, without a port and a final dot.
    pub host: String,
    /// The tenant whose links it serves.
    pub workspace_no: WorkspaceNo,
    /// True once the tenant has proven that the host is its own. An unproven one serves nothing.
    pub verified: bool,
    /// True after its removal.
    pub deleted: bool,
    /// Version of the row. Another tenant that adds the host later has a higher one.
    pub row_version: i64,
}

/// An app of a workspace. Its hosts tell the phone that the app may open their links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct App {
    /// The app.
    pub app_id: AppId,
    /// Its tenant.
    pub workspace_no: WorkspaceNo,
    /// Its platform.
    pub platform: Platform,
    /// The bundle id (iOS) or package name (Android); empty for a web app.
    pub package: String,
    /// Apple's team id, for iOS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// SHA-256 fingerprints of the signing certificates, as `AA:BB:...`, for Android.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprints: Vec<String>,
    /// Where a device without it gets it; the address of a web app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_url: Option<String>,
    /// True after its removal.
    pub deleted: bool,
    /// Version of the row.
    pub row_version: i64,
}

/// A platform of apps and deep links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// iPhone and iPad.
    Ios,
    /// Android.
    Android,
    /// A browser on a device of neither.
    Web,
}

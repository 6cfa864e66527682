//! An app in answers, and what its owner should know about it.

use crate::{instant::iso_micros, store::mobile_apps::MobileApp};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// An app.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "MobileApp", description = "An app in which links open.")]
pub(crate) struct WireMobileApp {
    /// The `mobileAppId` of links.
    id: Uuid,
    #[schemars(extend("enum" = ["ios", "android", "web"]))]
    platform: String,
    /// The bundle id (iOS) or package name (Android); `null` for a web app.
    package_id: Option<String>,
    name: String,
    /// For iOS only.
    team_id: Option<String>,
    /// SHA-256 fingerprints of certificates, for Android only.
    fingerprints: Vec<String>,
    /// Its address in a store, or the address of a web app.
    store_url: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    /// What may surprise its owner.
    warnings: Vec<String>,
}

impl From<MobileApp> for WireMobileApp {
    fn from(app: MobileApp) -> Self {
        let mut warnings = Vec::new();
        if app.platform == "ios" && app.team_id.is_none() {
            warnings.push(
                "Without teamId, no domain names this app in apple-app-site-association."
                    .to_owned(),
            );
        }
        if app.platform == "android" && app.fingerprints.is_empty() {
            warnings.push(
                "Without fingerprints, no domain names this app in assetlinks.json.".to_owned(),
            );
        }
        Self {
            id: app.id,
            platform: app.platform,
            package_id: app.package,
            name: app.name,
            team_id: app.team_id,
            fingerprints: app.fingerprints,
            store_url: app.store_url,
            created_at: iso_micros(app.created_at.to_jiff()),
            updated_at: iso_micros(app.updated_at.to_jiff()),
            warnings,
        }
    }
}

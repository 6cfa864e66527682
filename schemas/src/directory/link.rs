//! Links as ingest knows them: where they lead, and on which conditions.
//!
//! Everything beyond the destination has a default, which is absent on the wire. So a link of a bio
//! page stays a short record, and an older log reads as before.

use super::{Platform, is_false};
use crate::ids::{AppId, CampaignId, LinkId, QrId, RuleId, WorkspaceNo};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A link. Deleted links stay as entries, so that a later version is not mistaken for the first
/// one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// The link.
    pub link_id: LinkId,
    /// Its tenant.
    pub workspace_no: WorkspaceNo,
    /// The destination URL.
    pub destination: String,
    /// The code of its short URL.
    pub short_code: String,
    /// The host of its short URL; the host of `PUBLIC_URL` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// How it redirects.
    #[serde(default, skip_serializing_if = "LinkSettings::is_default")]
    pub settings: LinkSettings,
    /// True after its deletion.
    pub deleted: bool,
    /// Version of the row.
    pub row_version: i64,
}

/// How a link redirects, beyond its destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LinkSettings {
    /// The owner's title, for the page of a link that is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// True when the owner switched the link off.
    #[serde(skip_serializing_if = "is_false")]
    pub disabled: bool,
    /// True when the owner archived the link.
    #[serde(skip_serializing_if = "is_false")]
    pub archived: bool,
    /// The campaign that its clicks belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<CampaignId>,
    /// Which of rules and destination apply.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: RedirectMode,
    /// The status of a redirect.
    #[serde(skip_serializing_if = "is_default")]
    pub status: RedirectStatus,
    /// From this instant on the link is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How many counted clicks it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clicks_limit: Option<u32>,
    /// How many counted clicks it had when the entry was written.
    #[serde(skip_serializing_if = "is_default")]
    pub clicks_used: u32,
    /// The hash of its password, in the PHC string format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// Which parameters of the short URL go on to the destination.
    #[serde(skip_serializing_if = "is_default")]
    pub forward: Forward,
    /// How long a page is shown before the redirect, in milliseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub redirect_delay_ms: u16,
    /// The campaign parameters that it adds, as `utm_*` names and values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub utm: Vec<(String, String)>,
    /// Where apps open it. The first that can be used on a platform applies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deep_links: Vec<DeepLink>,
    /// What previews show instead of the destination's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
    /// True when the destination learns the click id, as `lw_cid`.
    #[serde(skip_serializing_if = "is_false")]
    pub conversion_tracking: bool,
    /// Its enabled rules, in the order of their evaluation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Its QR codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub qr_codes: Vec<QrCode>,
}

/// Which of rules and destination apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedirectMode {
    /// The first rule that matches, else the destination.
    #[default]
    Auto,
    /// The destination; rules are ignored.
    Always,
    /// The first rule that matches, else 404.
    RuleOnly,
    /// Nowhere (204); the click is recorded.
    Never,
}

/// Which parameters of the short URL go on to the destination. Our own never do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forward {
    /// None.
    #[default]
    Nothing,
    /// Those named `utm_*`.
    Utms,
    /// All.
    Everything,
}

/// The status of a redirect. Every one is sent with `no-store`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RedirectStatus {
    /// 301
    #[serde(rename = "301")]
    MovedPermanently,
    /// 302
    #[default]
    #[serde(rename = "302")]
    Found,
    /// 307
    #[serde(rename = "307")]
    TemporaryRedirect,
    /// 308
    #[serde(rename = "308")]
    PermanentRedirect,
}

/// Where an app opens a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeepLink {
    /// The platform.
    pub platform: Platform,
    /// The address in the app: a scheme of its own, or https.
    pub url: String,
    /// Where a device without the app goes: a page, or the app's store. The link's destination when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// The package name of the app, for Android.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The workspace's app that opens it. Its entry has the package, and the store as a further
    /// fallback. Without that entry, or with the entry of a deleted app, this one opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
}

/// What previews show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The address of its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
}

/// A QR code of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QrCode {
    /// The QR code.
    pub qr_id: QrId,
    /// Its value of the parameter `qr`.
    pub code: String,
}

/// A rule: visitors who pass its test go to its destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// The rule.
    pub rule_id: RuleId,
    /// Its name, recorded with each click that it decides.
    pub name: String,
    /// Who goes there.
    pub test: Test,
    /// Where they go.
    pub destination: String,
    /// Overrides the link's `forward`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Forward>,
    /// Overrides the link's `redirect_delay_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_delay_ms: Option<u16>,
    /// Where apps open it, instead of the link's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deep_links: Vec<DeepLink>,
}

/// Who passes: a condition, or several combined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Every one of these; an empty list lets every visitor pass.
    All(Vec<Self>),
    /// At least one of these; an empty list lets no visitor pass.
    Any(Vec<Self>),
    /// One condition, as the owner wrote it.
    Is {
        /// What is compared, such as `country`.
        field: String,
        /// How, such as `equals`.
        operator: String,
        /// With what.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        value: Value,
    },
}

impl LinkSettings {
    /// True for a link that only has a destination.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A link as earlier versions wrote it.
    fn plain() -> Value {
        json!({
            "link_id": "018f2d5a-7b3c-7def-8a1b-2c3d4e5f6071",
            "workspace_no": 7,
            "destination": "https://shop.example/x",
            "short_code": "promo",
            "deleted": false,
            "row_version": 3,
        })
    }

    #[test]
    fn a_link_without_settings_is_written_as_before() {
        let link: Link = serde_json::from_value(plain()).unwrap();
        assert!(link.settings.is_default() && link.host.is_none());
        assert_eq!(serde_json::to_value(link).unwrap(), plain());
    }

    #[test]
    fn absent_settings_have_their_defaults() {
        let mut written = plain();
        let rule = json!({
            "rule_id": "018f2d5a-7b3c-7def-8a1b-2c3d4e5f6072",
            "name": "Germany",
            "test": {"all": [{"is": {"field": "country", "operator": "equals", "value": "DE"}}]},
            "destination": "https://shop.example/de",
        });
        let settings = json!({"status": "308", "mode": "rule_only", "rules": [rule]});
        written["settings"] = settings;
        let link: Link = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(link.settings.status, RedirectStatus::PermanentRedirect);
        assert_eq!(link.settings.mode, RedirectMode::RuleOnly);
        assert_eq!(link.settings.clicks_limit, None);
        assert_eq!(serde_json::to_value(link).unwrap(), written);
    }
}

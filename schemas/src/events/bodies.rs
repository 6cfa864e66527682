//! The bodies of the event types: the members besides the envelope.

use crate::{
    context::{SourceClass, Utm},
    ids::{LinkId, PageId, PageviewId, SessionId},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A visit to a bio page began. The event's `visitor` has the person, place and device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionStarted {
    /// The visit.
    pub session_id: SessionId,
    /// The bio page visited.
    pub page_id: PageId,
    /// The referring URL without credentials and fragment, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// The referrer's host without its first `www.`, or `direct`.
    pub referrer_domain: String,
    /// The class of the source.
    pub source_class: SourceClass,
    /// Path of the landing URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing_path: Option<String>,
    /// Campaign parameters of the landing URL.
    #[serde(default, skip_serializing_if = "Utm::is_empty")]
    pub utm: Utm,
    /// The reasons to suspect a machine, as bits of the bot rules; 0 means none.
    #[serde(default)]
    pub bot_signals: u32,
}

/// A visit was still in view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionHeartbeat {
    /// The visit.
    pub session_id: SessionId,
}

/// A visit was bound to the user in the event's `visitor.user_hash`; the latest binding counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionIdentified {
    /// The visit.
    pub session_id: SessionId,
}

/// A page was viewed; its page and dimensions are those of its visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PageViewed {
    /// The view.
    pub pageview_id: PageviewId,
    /// The visit it belongs to.
    pub session_id: SessionId,
    /// The link that was clicked; recorded as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_id: Option<LinkId>,
    /// Path of the page as the client sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Title of the page as the client sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Referrer of the view as the client sent it, without credentials and fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
}

/// A viewed page was left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PageLeft {
    /// The view that ended.
    pub pageview_id: PageviewId,
    /// How long it was in view, 0..=3600.
    pub duration_seconds: f64,
    /// How far down the page was scrolled, 0..=100 percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scroll_depth_percent: Option<f64>,
}

/// A site's own event within a visit; the user is the event's `visitor.user_hash`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomTracked {
    /// The visit.
    pub session_id: SessionId,
    /// The name that the site gave the event.
    pub name: String,
    /// Properties as the site sent them.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub properties: serde_json::Map<String, serde_json::Value>,
}

/// The number of beacons for a page that were refused within a minute. Contains no personal data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BeaconRefused {
    /// The page they were sent for.
    pub page_id: PageId,
    /// Why they were not counted.
    pub reason: RefusalReason,
    /// Start of the minute.
    pub minute: Timestamp,
    /// How many.
    pub count: u32,
}

/// Why a beacon was answered but not counted.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The agent is a crawler, a preview or a monitor.
    Bot,
    /// `consentAnalytics` was not exactly `granted`.
    Consent,
    /// The tracking token was missing, wrong or too old.
    Token,
    /// No page was named.
    NoPage,
    /// No session was named.
    NoSession,
    /// Tracking is switched off.
    TrackingDisabled,
    /// One address began too many sessions of one page within a minute.
    Flood,
    /// The session has reached its maximum of views, heartbeats or time.
    SessionOver,
}

impl RefusalReason {
    /// The name on the wire, in tables, answers and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Consent => "consent",
            Self::Token => "token",
            Self::NoPage => "no_page",
            Self::NoSession => "no_session",
            Self::TrackingDisabled => "tracking_disabled",
            Self::Flood => "flood",
            Self::SessionOver => "session_over",
        }
    }
}

//! The body of a click on a short link, with its trigger and its verdict on machines.

use crate::{
    context::{SourceClass, Utm},
    ids::{CampaignId, ClickId, LinkId, QrId, RuleId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A short link was opened. Who, where and on what is the event's `visitor`, which is absent when
/// the browser asked not to be tracked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkClicked {
    /// The click, for conversions. Absent when nothing was opened (`head`, `prefetch`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click_id: Option<ClickId>,
    /// The link.
    pub link_id: LinkId,
    /// Its code, as the owner typed it.
    pub short_code: String,
    /// The host of the short URL, in lower case and without a port.
    pub host: String,
    /// How the link was opened.
    pub trigger: Trigger,
    /// Where the redirect led.
    pub destination: String,
    /// The referring URL without credentials and fragment, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// Its host by the seeds' rule, or `direct`.
    pub referrer_domain: String,
    /// What kind of place that is.
    pub source_class: SourceClass,
    /// Campaign parameters of the short URL as opened, else of the destination.
    #[serde(default, skip_serializing_if = "Utm::is_empty")]
    pub utm: Utm,
    /// Why the click does not count; absent for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_reason: Option<BotReason>,
    /// Time from the request's head to the answer, in microseconds.
    pub redirect_micros: u32,
    /// The campaign that the link belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<CampaignId>,
    /// The rule that chose the destination; absent for the link's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<RuleId>,
    /// Its name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_name: Option<String>,
    /// The QR code that was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qr_id: Option<QrId>,
}

/// How a link was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// By its short URL.
    Link,
    /// By its QR code.
    Qr,
    /// In an app.
    Deeplink,
    /// By a server's call.
    Api,
}

/// The trigger of a click on a bio page's link, which is a `page.viewed`.
pub const BIO_TRIGGER: &str = "bio";

/// The names of all triggers in tables and answers.
pub const TRIGGERS: [&str; Trigger::ALL.len() + 1] = {
    let [link, qr, deeplink, api] = Trigger::ALL;
    [
        link.name(),
        qr.name(),
        deeplink.name(),
        api.name(),
        BIO_TRIGGER,
    ]
};

impl Trigger {
    /// Every trigger of a click on a short link.
    pub const ALL: [Self; 4] = [Self::Link, Self::Qr, Self::Deeplink, Self::Api];

    /// The name on the wire, in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Qr => "qr",
            Self::Deeplink => "deeplink",
            Self::Api => "api",
        }
    }
}

/// Why a click does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BotReason {
    /// Only the head of the answer was asked for.
    Head,
    /// A browser fetched ahead of a click.
    Prefetch,
    /// A program made a preview of the link.
    Preview,
    /// The agent is a machine's.
    Agent,
    /// There was no agent.
    NoAgent,
    /// The address belongs to a network of machines.
    Network,
    /// The parameter `bot` said so.
    Parameter,
}

impl BotReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Head,
        Self::Prefetch,
        Self::Preview,
        Self::Agent,
        Self::NoAgent,
        Self::Network,
        Self::Parameter,
    ];

    /// The name on the wire, in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Prefetch => "prefetch",
            Self::Preview => "preview",
            Self::Agent => "agent",
            Self::NoAgent => "no_agent",
            Self::Network => "network",
            Self::Parameter => "parameter",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_on_the_wire() {
        let wire = |value: serde_json::Value| value.as_str().map(str::to_owned);
        for trigger in Trigger::ALL {
            let written = wire(serde_json::to_value(trigger).unwrap());
            assert_eq!(written.as_deref(), Some(trigger.name()));
        }
        for reason in BotReason::ALL {
            let written = wire(serde_json::to_value(reason).unwrap());
            assert_eq!(written.as_deref(), Some(reason.name()));
        }
        assert_eq!(TRIGGERS, ["link", "qr", "deeplink", "api", "bio"]);
    }
}

//! The enriched context of a visit: visitor, place, agent and source.
//!
//! Everything about a person is in [`Visitor`], so an erasure drops one member. None of these types
//! contains addresses or raw visitor ids.

use crate::ids::{UserHash, VisitorHash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything about the person behind an event; absent after their erasure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Visitor {
    /// Hash of the visitor, within this workspace; absent on events that carry only a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<VisitorHash>,
    /// The signed-in user, within this workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_hash: Option<UserHash>,
    /// The place of the address, as far as the GeoIP database knows.
    #[serde(default, skip_serializing_if = "Place::is_empty")]
    pub place: Place,
    /// The visitor's browser and device.
    #[serde(default, skip_serializing_if = "Agent::is_empty")]
    pub agent: Agent,
    /// BCP 47 tag as the client sent it (`tr-TR`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// IANA zone as the client sent it (`Europe/Istanbul`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The screen the client reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<Screen>,
}

/// A place, as fine as the GeoIP database is. Every member is absent when unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// English short name ("Turkey", "United States").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_code: Option<String>,
    /// English name of the first subdivision ("California").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// English name of the city.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Two letters: AF, AN, AS, EU, NA, OC, SA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continent: Option<String>,
}

impl Place {
    /// True when nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Data from the `User-Agent`, or from the client if the header has none. Absent members are
/// unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// Kind of device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// Browser family ("Mobile Safari").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// Browser version, dotted, as far as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser_version: Option<String>,
    /// Operating system family ("iOS").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Operating system version, dotted, as far as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// Maker of the device ("Apple").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Model of the device ("iPhone").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Agent {
    /// True when nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Kind of device, as the creator's reports name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// A phone.
    Mobile,
    /// A tablet, iPads and Android without "Mobile" included.
    Tablet,
    /// Everything else that browses.
    Desktop,
}

impl Device {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Mobile, Self::Tablet, Self::Desktop];

    /// The name in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Tablet => "tablet",
            Self::Desktop => "desktop",
        }
    }

    /// The kind with this [`Self::name`], in exactly that spelling.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|device| device.name() == name)
    }
}

/// A screen in CSS pixels, each side 0..=100000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Screen {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
}

/// The class of a visit's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceClass {
    /// The source is unknown, or is the page's own site.
    Direct,
    /// A search engine.
    Search,
    /// A social network or messenger.
    Social,
    /// A mail client on the web.
    Email,
    /// An assistant that answers with links.
    Ai,
    /// Any other site.
    Other,
}

impl SourceClass {
    /// Every class.
    pub const ALL: [Self; 6] = [
        Self::Direct,
        Self::Search,
        Self::Social,
        Self::Email,
        Self::Ai,
        Self::Other,
    ];

    /// The name in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Search => "search",
            Self::Social => "social",
            Self::Email => "email",
            Self::Ai => "ai",
            Self::Other => "other",
        }
    }
}

/// Campaign parameters of the landing URL, decoded, without empty ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Utm {
    /// `utm_source`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `utm_medium`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// `utm_campaign`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// `utm_term`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// `utm_content`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl Utm {
    /// True when the landing URL had none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which data an event was enriched with, so that a newer release can be compared with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnrichmentVersions {
    /// GeoIP database: type and build date.
    pub geo: String,
    /// User-agent rules.
    pub agent: String,
    /// Crawler patterns.
    pub bots: String,
    /// Referrer classes.
    pub referrer: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The values of an enum's JSON Schema, which lists its variants by itself.
    fn variants<T: JsonSchema>() -> BTreeSet<String> {
        let schema = schemars::schema_for!(T).to_value();
        let values = match schema["oneOf"].as_array() {
            Some(each) => each.iter().map(|one| one["const"].clone()).collect(),
            None => schema["enum"].as_array().unwrap().clone(),
        };
        let names = values.iter().map(|value| value.as_str().unwrap());
        names.map(str::to_owned).collect()
    }

    #[test]
    fn lists_of_variants_are_complete_and_have_the_names_on_the_wire() {
        let devices = Device::ALL.map(|device| device.name().to_owned());
        assert_eq!(variants::<Device>(), devices.into());
        let classes = SourceClass::ALL.map(|class| class.name().to_owned());
        assert_eq!(variants::<SourceClass>(), classes.into());
    }
}

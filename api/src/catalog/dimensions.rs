//! What facts are broken down by, and what answers can be filtered by.

use super::facts::{Fact, PAGE_VIEWS, REFUSALS, SESSIONS};
use schemas::{Device, SourceClass, values::Spelling};

/// A column whose values become rows of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Unique name; also that of its filter.
    pub id: &'static str,
    /// What its values are, in a few words.
    pub about: &'static str,
    /// The fact that has it.
    pub fact: &'static Fact,
    /// The column, as `text`; that of a thing with a name holds its id.
    pub sql: &'static str,
    /// What it can hold.
    pub values: Values,
    /// How the log spells its values, and so how filters read what they are given.
    pub spelling: Spelling,
    /// A column that says the same in another way, which a filter may be given as well.
    pub also: Option<&'static str>,
    /// What rows without a value are called. It is a word that no value is, or one that says the same
    /// of a visit as no value does, so those that really are called so are in the same row.
    pub null_label: &'static str,
}

/// What a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Any text: as many values as visitors like.
    Any,
    /// These words, which filters take in any case.
    Words(&'static [&'static str]),
    /// Countries of [`schemas::countries`], which filters take by name or code in any case.
    Countries,
    /// A few words that the program makes itself.
    Few,
    /// Ids of things of the caller; all others count as one.
    Known,
}

impl Values {
    /// True when an answer has a bounded number of them without being cut.
    #[must_use]
    pub const fn are_bounded(self) -> bool {
        !matches!(self, Self::Any)
    }
}

/// Names of all kinds of devices.
const DEVICES: [&str; Device::ALL.len()] = {
    let [mobile, tablet, desktop] = Device::ALL;
    [mobile.name(), tablet.name(), desktop.name()]
};

/// Names of all classes of sources.
const SOURCE_CLASSES: [&str; SourceClass::ALL.len()] = {
    let [direct, search, social, email, ai, other] = SourceClass::ALL;
    [
        direct.name(),
        search.name(),
        social.name(),
        email.name(),
        ai.name(),
        other.name(),
    ]
};

const fn of_visits(
    id: &'static str,
    about: &'static str,
    sql: &'static str,
    null_label: &'static str,
) -> Dimension {
    Dimension {
        id,
        about,
        fact: &SESSIONS,
        sql,
        values: Values::Any,
        spelling: Spelling::AsGiven,
        also: None,
        null_label,
    }
}

/// The domain a visit came from.
pub static REFERRER: Dimension = Dimension {
    spelling: Spelling::Referrer,
    ..of_visits(
        "referrer",
        "the domain a visit came from",
        "referrer_domain",
        "direct",
    )
};
/// What kind of place that is.
pub static SOURCE_CLASS: Dimension = Dimension {
    values: Values::Words(&SOURCE_CLASSES),
    ..of_visits(
        "source_class",
        "what kind of place that is",
        "source_class",
        "unknown",
    )
};
/// English name of the country, or its ISO code in a filter.
pub static COUNTRY: Dimension = Dimension {
    values: Values::Countries,
    also: Some("country_code"),
    ..of_visits(
        "country",
        "English name of the visitor's country",
        "country",
        "Unknown",
    )
};
/// Region of the country.
pub static REGION: Dimension = of_visits("region", "region of the country", "region", "Unknown");
/// City.
pub static CITY: Dimension = of_visits("city", "city", "city", "Unknown");
/// Kind of device.
pub static DEVICE: Dimension = Dimension {
    values: Values::Words(&DEVICES),
    ..of_visits("device", "kind of device", "device", "unknown")
};
/// Browser, without its version.
pub static BROWSER: Dimension = Dimension {
    spelling: Spelling::Name,
    ..of_visits(
        "browser",
        "browser, without its version",
        "browser",
        "Unknown",
    )
};
/// Operating system, without its version.
pub static OS: Dimension = Dimension {
    spelling: Spelling::Name,
    ..of_visits(
        "os",
        "operating system, without its version",
        "os",
        "Unknown",
    )
};
/// Language that the browser asks for.
pub static LANGUAGE: Dimension = Dimension {
    spelling: Spelling::Language,
    ..of_visits(
        "language",
        "language that the browser asks for",
        "language",
        "Unknown",
    )
};
/// `utm_source` of the landing URL.
pub static UTM_SOURCE: Dimension = Dimension {
    spelling: Spelling::LowerCaseCampaign,
    ..of_visits(
        "utm_source",
        "`utm_source` of the landing URL",
        "utm_source",
        "(none)",
    )
};
/// `utm_medium` of the landing URL.
pub static UTM_MEDIUM: Dimension = Dimension {
    spelling: Spelling::LowerCaseCampaign,
    ..of_visits(
        "utm_medium",
        "`utm_medium` of the landing URL",
        "utm_medium",
        "(none)",
    )
};
/// `utm_campaign` of the landing URL.
pub static UTM_CAMPAIGN: Dimension = Dimension {
    spelling: Spelling::Campaign,
    ..of_visits(
        "utm_campaign",
        "`utm_campaign` of the landing URL",
        "utm_campaign",
        "(none)",
    )
};
/// Path on which a visit began.
pub static ENTRY_PAGE: Dimension = Dimension {
    spelling: Spelling::Path,
    ..of_visits(
        "entry_page",
        "path on which the visit began",
        "landing_path",
        "Unknown",
    )
};

/// The link that was clicked.
pub static LINK: Dimension = Dimension {
    id: "link",
    about: "the link that was clicked",
    fact: &PAGE_VIEWS,
    sql: "link_id",
    values: Values::Known,
    spelling: Spelling::AsGiven,
    also: None,
    null_label: "",
};

/// Why beacons were not counted.
pub static REASON: Dimension = Dimension {
    id: "reason",
    about: "why beacons were not counted",
    fact: &REFUSALS,
    sql: "refusal_reason",
    values: Values::Few,
    spelling: Spelling::AsGiven,
    also: None,
    null_label: "unknown",
};

/// What can be said about a visit, and so about each of its views.
pub static OF_VISITS: &[&Dimension] = &[
    &REFERRER,
    &SOURCE_CLASS,
    &COUNTRY,
    &REGION,
    &CITY,
    &DEVICE,
    &BROWSER,
    &OS,
    &LANGUAGE,
    &UTM_SOURCE,
    &UTM_MEDIUM,
    &UTM_CAMPAIGN,
    &ENTRY_PAGE,
];

//! Dimensions: what facts are broken down by and filtered by, and where each fact has it.

use super::facts::{Fact, PAGE_VIEWS, REFUSALS, VISITS, Visit};
use crate::{Device, SourceClass, values::Spelling};

/// A property of facts, whose values become rows of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Unique name; also that of its filter.
    pub id: &'static str,
    /// What its values are, in a few words.
    pub about: &'static str,
    /// The facts whose rows hold it, each with its column, as `text`; that of a thing with a name holds its id. Parts
    /// of such a fact have it as well, and facts that belong to a visit have what the visit has.
    pub columns: &'static [(&'static Fact, &'static str)],
    /// What it can hold.
    pub values: Values,
    /// How the log spells its values, and so how filters read what they are given.
    pub spelling: Spelling,
    /// One that says the same in other words, whose values a filter may be given as well.
    pub also: Option<&'static Self>,
    /// What rows without a value are called. It is a word that no value is, or one that says the same
    /// of a visit as no value does, so those that really are called so are in the same row.
    pub null_label: &'static str,
}

/// How a row of a fact reaches the value of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By a column of its own.
    Own(&'static str),
    /// By a column of its visit.
    Visit(&'static str),
}

impl Dimension {
    /// How rows of the fact reach it; `None` when they cannot. A column of the fact's own comes first, so a copy of
    /// what the visit has saves the way to the visit.
    #[must_use]
    pub fn on(&self, fact: &Fact) -> Option<Reach> {
        let column = |of: &Fact| {
            let mut columns = self.columns.iter();
            let found = columns.find(|(holder, _)| of.is_within(holder))?;
            Some(found.1)
        };
        if let Some(own) = column(fact) {
            return Some(Reach::Own(own));
        }
        match fact.visit {
            Visit::By(_) => column(&VISITS).map(Reach::Visit),
            Visit::Itself(_) | Visit::Without => None,
        }
    }
}

/// What a dimension can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Any text: as many values as visitors like.
    Any,
    /// These words, which filters take in any case.
    Words(&'static [&'static str]),
    /// Countries of [`crate::countries`], which filters take by name or code in any case.
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
    columns: &'static [(&'static Fact, &'static str)],
    null_label: &'static str,
) -> Dimension {
    Dimension {
        id,
        about,
        columns,
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
        &[(&VISITS, "referrer_domain")],
        "direct",
    )
};
/// What kind of place that is.
pub static SOURCE_CLASS: Dimension = Dimension {
    values: Values::Words(&SOURCE_CLASSES),
    ..of_visits(
        "source_class",
        "what kind of place that is",
        &[(&VISITS, "source_class")],
        "unknown",
    )
};
/// English name of the country, or its ISO code in a filter.
pub static COUNTRY: Dimension = Dimension {
    values: Values::Countries,
    also: Some(&COUNTRY_CODE),
    ..of_visits(
        "country",
        "English name of the visitor's country",
        &[(&VISITS, "country")],
        "Unknown",
    )
};
/// The ISO code of the country.
pub static COUNTRY_CODE: Dimension = of_visits(
    "country_code",
    "ISO code of the visitor's country",
    &[(&VISITS, "country_code")],
    "",
);
/// Region of the country.
pub static REGION: Dimension = of_visits(
    "region",
    "region of the country",
    &[(&VISITS, "region")],
    "Unknown",
);
/// City.
pub static CITY: Dimension = of_visits("city", "city", &[(&VISITS, "city")], "Unknown");
/// Kind of device.
pub static DEVICE: Dimension = Dimension {
    values: Values::Words(&DEVICES),
    ..of_visits(
        "device",
        "kind of device",
        &[(&VISITS, "device")],
        "unknown",
    )
};
/// Browser, without its version.
pub static BROWSER: Dimension = Dimension {
    spelling: Spelling::Name,
    ..of_visits(
        "browser",
        "browser, without its version",
        &[(&VISITS, "browser")],
        "Unknown",
    )
};
/// Operating system, without its version.
pub static OS: Dimension = Dimension {
    spelling: Spelling::Name,
    ..of_visits(
        "os",
        "operating system, without its version",
        &[(&VISITS, "os")],
        "Unknown",
    )
};
/// Language that the browser asks for.
pub static LANGUAGE: Dimension = Dimension {
    spelling: Spelling::Language,
    ..of_visits(
        "language",
        "language that the browser asks for",
        &[(&VISITS, "language")],
        "Unknown",
    )
};
/// `utm_source` of the landing URL.
pub static UTM_SOURCE: Dimension = Dimension {
    spelling: Spelling::LowerCaseCampaign,
    ..of_visits(
        "utm_source",
        "`utm_source` of the landing URL",
        &[(&VISITS, "utm_source")],
        "(none)",
    )
};
/// `utm_medium` of the landing URL.
pub static UTM_MEDIUM: Dimension = Dimension {
    spelling: Spelling::LowerCaseCampaign,
    ..of_visits(
        "utm_medium",
        "`utm_medium` of the landing URL",
        &[(&VISITS, "utm_medium")],
        "(none)",
    )
};
/// `utm_campaign` of the landing URL.
pub static UTM_CAMPAIGN: Dimension = Dimension {
    spelling: Spelling::Campaign,
    ..of_visits(
        "utm_campaign",
        "`utm_campaign` of the landing URL",
        &[(&VISITS, "utm_campaign")],
        "(none)",
    )
};
/// Path on which a visit began.
pub static ENTRY_PAGE: Dimension = Dimension {
    spelling: Spelling::Path,
    ..of_visits(
        "entry_page",
        "path on which the visit began",
        &[(&VISITS, "landing_path")],
        "Unknown",
    )
};

/// The link that was clicked.
pub static LINK: Dimension = Dimension {
    id: "link",
    about: "the link that was clicked",
    columns: &[(&PAGE_VIEWS, "link_id")],
    values: Values::Known,
    spelling: Spelling::AsGiven,
    also: None,
    null_label: "",
};

/// Why beacons were not counted.
pub static REASON: Dimension = Dimension {
    id: "reason",
    about: "why beacons were not counted",
    columns: &[(&REFUSALS, "refusal_reason")],
    values: Values::Few,
    spelling: Spelling::AsGiven,
    also: None,
    null_label: "unknown",
};

/// What can be said about a visit, and so about each of its views: the filters of most reports.
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

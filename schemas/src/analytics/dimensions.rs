//! Dimensions: the properties by which reports break down and filter facts, and the columns that
//! hold them.

mod of_clicks;

pub use of_clicks::*;

use super::facts::{CONVERSIONS, Fact, RECORDED_CLICKS, REFUSALS, VISITS, Visit};
use crate::{Device, SourceClass, values::Spelling};

/// A property of facts, whose values become rows of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Unique name; also the name of its filter.
    pub id: &'static str,
    /// Its meaning, in a few words.
    pub about: &'static str,
    /// The facts whose rows have it, each with its `text` column. For named objects, such as links,
    /// the column has the id. A part of a fact has the dimensions of the whole. A fact that belongs to
    /// a visit has the visit's dimensions.
    pub columns: &'static [(&'static Fact, &'static str)],
    /// Its possible values.
    pub values: Values,
    /// How its values are spelled in the log. Filters normalise their values in the same way.
    pub spelling: Spelling,
    /// Another dimension with the same meaning, whose values its filter accepts too.
    pub also: Option<&'static Self>,
    /// The label of rows without a value. If a real value equals the label, both are one row of an
    /// answer.
    pub null_label: &'static str,
}

/// How a row of a fact reaches the value of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By its own column.
    Own(&'static str),
    /// By a column of its visit.
    Visit(&'static str),
    /// By a column of its click. Such a dimension filters rows and does not group them.
    Click(&'static str),
}

impl Dimension {
    /// How rows of the fact reach the dimension; `None` when they cannot. The fact's own column
    /// comes first, so a copy of a visit's column avoids a join with the visit.
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
            Visit::ByClick { .. } => column(&RECORDED_CLICKS).map(Reach::Click),
            Visit::Itself(_) | Visit::Without => None,
        }
    }
}

/// The possible values of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Any text: visitors decide the number of values.
    Any,
    /// These words, which filters accept in any case.
    Words(&'static [&'static str]),
    /// Countries of [`crate::countries`], which filters accept by name or code in any case.
    Countries,
    /// A few words that our programs write.
    Few,
    /// Ids of the caller's own objects. Their column has the type `uuid`. In a ranking, all other
    /// ids count as one value.
    Known,
}

impl Values {
    /// True when the number of values is bounded, so that an answer needs no limit.
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

/// A dimension whose values may be any text.
const fn of_text(
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
    ..of_text(
        "referrer",
        "the domain a visit came from",
        &[
            (&VISITS, "referrer_domain"),
            (&RECORDED_CLICKS, "referrer_domain"),
            (&CONVERSIONS, "referrer_domain"),
        ],
        "direct",
    )
};
/// The class of that domain.
pub static SOURCE_CLASS: Dimension = Dimension {
    values: Values::Words(&SOURCE_CLASSES),
    ..of_text(
        "source_class",
        "the class of the source",
        &[
            (&VISITS, "source_class"),
            (&RECORDED_CLICKS, "source_class"),
            (&CONVERSIONS, "source_class"),
        ],
        "unknown",
    )
};
/// English name of the country. Filters also accept its ISO code.
pub static COUNTRY: Dimension = Dimension {
    values: Values::Countries,
    also: Some(&COUNTRY_CODE),
    ..of_text(
        "country",
        "English name of the visitor's country",
        &[
            (&VISITS, "country"),
            (&RECORDED_CLICKS, "country"),
            (&CONVERSIONS, "country"),
        ],
        "Unknown",
    )
};
/// The ISO code of the country.
pub static COUNTRY_CODE: Dimension = of_text(
    "country_code",
    "ISO code of the visitor's country",
    &[
        (&VISITS, "country_code"),
        (&RECORDED_CLICKS, "country_code"),
        (&CONVERSIONS, "country_code"),
    ],
    "",
);
/// Region of the country.
pub static REGION: Dimension = of_text(
    "region",
    "region of the country",
    &[
        (&VISITS, "region"),
        (&RECORDED_CLICKS, "region"),
        (&CONVERSIONS, "region"),
    ],
    "Unknown",
);
/// City.
pub static CITY: Dimension = of_text(
    "city",
    "city",
    &[
        (&VISITS, "city"),
        (&RECORDED_CLICKS, "city"),
        (&CONVERSIONS, "city"),
    ],
    "Unknown",
);
/// Kind of device.
pub static DEVICE: Dimension = Dimension {
    values: Values::Words(&DEVICES),
    ..of_text(
        "device",
        "kind of device",
        &[
            (&VISITS, "device"),
            (&RECORDED_CLICKS, "device"),
            (&CONVERSIONS, "device"),
        ],
        "unknown",
    )
};
/// Browser, without its version.
pub static BROWSER: Dimension = Dimension {
    spelling: Spelling::Name,
    ..of_text(
        "browser",
        "browser, without its version",
        &[
            (&VISITS, "browser"),
            (&RECORDED_CLICKS, "browser"),
            (&CONVERSIONS, "browser"),
        ],
        "Unknown",
    )
};
/// Operating system, without its version.
pub static OS: Dimension = Dimension {
    spelling: Spelling::Name,
    ..of_text(
        "os",
        "operating system, without its version",
        &[
            (&VISITS, "os"),
            (&RECORDED_CLICKS, "os"),
            (&CONVERSIONS, "os"),
        ],
        "Unknown",
    )
};
/// Language that the browser asks for.
pub static LANGUAGE: Dimension = Dimension {
    spelling: Spelling::Language,
    ..of_text(
        "language",
        "language that the browser asks for",
        &[
            (&VISITS, "language"),
            (&RECORDED_CLICKS, "language"),
            (&CONVERSIONS, "language"),
        ],
        "Unknown",
    )
};
/// `utm_source` of the landing URL.
pub static UTM_SOURCE: Dimension = Dimension {
    spelling: Spelling::LowerCaseCampaign,
    ..of_text(
        "utm_source",
        "`utm_source` of the landing URL",
        &[
            (&VISITS, "utm_source"),
            (&RECORDED_CLICKS, "utm_source"),
            (&CONVERSIONS, "utm_source"),
        ],
        "(none)",
    )
};
/// `utm_medium` of the landing URL.
pub static UTM_MEDIUM: Dimension = Dimension {
    spelling: Spelling::LowerCaseCampaign,
    ..of_text(
        "utm_medium",
        "`utm_medium` of the landing URL",
        &[
            (&VISITS, "utm_medium"),
            (&RECORDED_CLICKS, "utm_medium"),
            (&CONVERSIONS, "utm_medium"),
        ],
        "(none)",
    )
};
/// `utm_campaign` of the landing URL.
pub static UTM_CAMPAIGN: Dimension = Dimension {
    spelling: Spelling::Campaign,
    ..of_text(
        "utm_campaign",
        "`utm_campaign` of the landing URL",
        &[
            (&VISITS, "utm_campaign"),
            (&RECORDED_CLICKS, "utm_campaign"),
            (&CONVERSIONS, "utm_campaign"),
        ],
        "(none)",
    )
};
/// `utm_term` of the landing URL.
pub static UTM_TERM: Dimension = Dimension {
    spelling: Spelling::Campaign,
    ..of_text(
        "utm_term",
        "`utm_term` of the landing URL",
        &[
            (&VISITS, "utm_term"),
            (&RECORDED_CLICKS, "utm_term"),
            (&CONVERSIONS, "utm_term"),
        ],
        "(none)",
    )
};
/// `utm_content` of the landing URL.
pub static UTM_CONTENT: Dimension = Dimension {
    spelling: Spelling::Campaign,
    ..of_text(
        "utm_content",
        "`utm_content` of the landing URL",
        &[
            (&VISITS, "utm_content"),
            (&RECORDED_CLICKS, "utm_content"),
            (&CONVERSIONS, "utm_content"),
        ],
        "(none)",
    )
};
/// The continent, by its code.
pub static CONTINENT: Dimension = of_text(
    "continent",
    "code of the visitor's continent",
    &[
        (&VISITS, "continent"),
        (&RECORDED_CLICKS, "continent"),
        (&CONVERSIONS, "continent"),
    ],
    "Unknown",
);
/// Path on which a visit began.
pub static ENTRY_PAGE: Dimension = Dimension {
    spelling: Spelling::Path,
    ..of_text(
        "entry_page",
        "path on which the visit began",
        &[(&VISITS, "landing_path")],
        "Unknown",
    )
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

/// The dimensions of visits, and so of their views: the filters of most reports.
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

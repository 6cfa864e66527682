//! Dimensions of clicks on links and of conversions.

use super::{
    BROWSER, CITY, CONTINENT, COUNTRY, DEVICE, Dimension, LANGUAGE, OS, REFERRER, REGION,
    SOURCE_CLASS, UTM_CAMPAIGN, UTM_CONTENT, UTM_MEDIUM, UTM_SOURCE, UTM_TERM, Values, of_text,
};
use crate::{
    analytics::facts::{CONVERSIONS, PAGE_VIEWS, RECORDED_CLICKS},
    events::TRIGGERS,
    values::Spelling,
};

/// The link that was clicked.
pub static LINK: Dimension = Dimension {
    id: "link",
    about: "the link that was clicked",
    columns: &[
        (&PAGE_VIEWS, "link_id"),
        (&RECORDED_CLICKS, "link_id"),
        (&CONVERSIONS, "link_id"),
    ],
    values: Values::Known,
    spelling: Spelling::AsGiven,
    also: None,
    null_label: "",
};

/// How a link was opened.
pub static TRIGGER: Dimension = Dimension {
    id: "trigger",
    about: "how the link was opened",
    columns: &[(&RECORDED_CLICKS, "trigger"), (&CONVERSIONS, "trigger")],
    values: Values::Words(&TRIGGERS),
    spelling: Spelling::AsGiven,
    also: None,
    null_label: "unknown",
};

/// The campaign of the link at the time of the click.
pub static CAMPAIGN: Dimension = Dimension {
    id: "campaign",
    about: "the link's campaign when it was clicked",
    columns: &[
        (&RECORDED_CLICKS, "campaign_id"),
        (&CONVERSIONS, "campaign_id"),
    ],
    values: Values::Known,
    spelling: Spelling::AsGiven,
    also: None,
    null_label: "",
};

/// The rule that chose the destination.
pub static RULE: Dimension = Dimension {
    id: "ruleId",
    about: "id of the rule that chose the destination",
    columns: &[(&RECORDED_CLICKS, "rule_id"), (&CONVERSIONS, "rule_id")],
    values: Values::Known,
    spelling: Spelling::AsGiven,
    also: None,
    null_label: "Default",
};

/// The QR code that was scanned.
pub static QR: Dimension = Dimension {
    id: "qrId",
    about: "id of the QR code that was scanned",
    columns: &[(&RECORDED_CLICKS, "qr_id"), (&CONVERSIONS, "qr_id")],
    values: Values::Known,
    spelling: Spelling::AsGiven,
    also: None,
    null_label: "none",
};

/// The host of the short URL. A click on a bio page's link has none.
pub static DOMAIN: Dimension = Dimension {
    spelling: Spelling::Referrer,
    ..of_text(
        "domain",
        "the host of the short URL",
        &[(&RECORDED_CLICKS, "host"), (&CONVERSIONS, "host")],
        "(none)",
    )
};

/// The whole address that the visitor came from.
pub static REFERRER_URL: Dimension = of_text(
    "referrerUrl",
    "the address that the visitor came from, as it is stored",
    &[(&RECORDED_CLICKS, "referrer"), (&CONVERSIONS, "referrer")],
    "direct",
);

/// Where the short URL led. Conversions have no copy of it.
pub static DESTINATION: Dimension = of_text(
    "destination",
    "where the short URL led",
    &[(&RECORDED_CLICKS, "destination")],
    "(none)",
);

/// The dimensions of clicks on links and of conversions: the filters of reports about links.
pub static OF_CLICKS: &[&Dimension] = &[
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
    &UTM_TERM,
    &UTM_CONTENT,
    &CONTINENT,
    &TRIGGER,
    &DOMAIN,
    &REFERRER_URL,
    &DESTINATION,
    &RULE,
    &QR,
];

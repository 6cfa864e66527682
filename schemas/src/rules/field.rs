//! The fields that rules compare, and the kind of value that each has.

/// Everything that a condition can look at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Country code of the address, as ISO 3166-1 alpha-2.
    Country,
    /// Continent of the address, such as `EU`.
    Continent,
    /// English name of the first subdivision.
    Region,
    /// English name of the city.
    City,
    /// Time zone of the address.
    Timezone,
    /// Provider of the address.
    Isp,
    /// Number of the provider's network.
    Asn,
    /// Degrees north.
    Latitude,
    /// Degrees east.
    Longitude,
    /// `mobile`, `tablet` or `desktop`.
    DeviceType,
    /// Maker of the device.
    DeviceBrand,
    /// Model of the device.
    DeviceModel,
    /// Operating system.
    Os,
    /// Its version.
    OsVersion,
    /// Browser.
    Browser,
    /// Its version.
    BrowserVersion,
    /// The `Accept-Language` header. Its preferred entry is compared.
    Language,
    /// The whole `Referer`.
    Referrer,
    /// The host in it.
    ReferrerDomain,
    /// A campaign parameter of the short URL: the name after `utm_`.
    Utm(&'static str),
    /// Any parameter of the short URL, by its name.
    Query(Box<str>),
    /// `new` or `returning`.
    VisitorState,
    /// The time of day and the weekday in a zone.
    Time,
    /// The instant.
    Date,
    /// The visitor's place in 0..100, which stays the same.
    Percentage,
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Text,
    Country,
    OneOf(&'static [&'static str]),
    Number(f64, f64),
    Version,
    Language,
    Window,
    Instant,
    Share,
}

const CONTINENTS: &[&str] = &["AF", "AN", "AS", "EU", "NA", "OC", "SA"];
const DEVICES: &[&str] = &["mobile", "tablet", "desktop"];
const STATES: &[&str] = &["new", "returning"];

/// The part of a name before a parameter's own.
const QUERY: &str = "query.";

/// Longest name of a parameter.
const MAX_PARAMETER_BYTES: usize = 100;

/// Every name but those of parameters.
pub const NAMES: &[(&str, Field)] = &[
    ("country", Field::Country),
    ("continent", Field::Continent),
    ("region", Field::Region),
    ("city", Field::City),
    ("timezone", Field::Timezone),
    ("isp", Field::Isp),
    ("asn", Field::Asn),
    ("latitude", Field::Latitude),
    ("longitude", Field::Longitude),
    ("deviceType", Field::DeviceType),
    ("deviceBrand", Field::DeviceBrand),
    ("deviceModel", Field::DeviceModel),
    ("os", Field::Os),
    ("osVersion", Field::OsVersion),
    ("browser", Field::Browser),
    ("browserVersion", Field::BrowserVersion),
    ("language", Field::Language),
    ("referrer", Field::Referrer),
    ("referrerDomain", Field::ReferrerDomain),
    ("utm_source", Field::Utm("source")),
    ("utm_medium", Field::Utm("medium")),
    ("utm_campaign", Field::Utm("campaign")),
    ("utm_term", Field::Utm("term")),
    ("utm_content", Field::Utm("content")),
    ("visitorState", Field::VisitorState),
    ("time", Field::Time),
    ("date", Field::Date),
    ("percentage", Field::Percentage),
];

impl Field {
    /// The field with this name: one of [`NAMES`], or `query.` and a parameter's name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if let Some(parameter) = name.strip_prefix(QUERY) {
            let fits = (1..=MAX_PARAMETER_BYTES).contains(&parameter.len());
            return fits.then(|| Self::Query(parameter.into()));
        }
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, field)| field.clone())
    }

    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Country => Kind::Country,
            Self::Continent => Kind::OneOf(CONTINENTS),
            Self::DeviceType => Kind::OneOf(DEVICES),
            Self::VisitorState => Kind::OneOf(STATES),
            Self::Asn => Kind::Number(0.0, 4_294_967_295.0),
            Self::Latitude => Kind::Number(-90.0, 90.0),
            Self::Longitude => Kind::Number(-180.0, 180.0),
            Self::OsVersion | Self::BrowserVersion => Kind::Version,
            Self::Language => Kind::Language,
            Self::Time => Kind::Window,
            Self::Date => Kind::Instant,
            Self::Percentage => Kind::Share,
            Self::Region
            | Self::City
            | Self::Timezone
            | Self::Isp
            | Self::DeviceBrand
            | Self::DeviceModel
            | Self::Os
            | Self::Browser
            | Self::Referrer
            | Self::ReferrerDomain
            | Self::Utm(_)
            | Self::Query(_) => Kind::Text,
        }
    }

    /// Why the field may have no value, although its condition is valid.
    #[must_use]
    pub const fn caveat(&self) -> Option<&'static str> {
        match self {
            Self::Isp | Self::Asn | Self::Timezone | Self::Latitude | Self::Longitude => {
                Some("nothing here knows this about an address, so the condition is never met")
            }
            Self::Region | Self::City => Some(
                "only a City database (`GEOIP_DATABASE`) knows it; where it is unknown, the condition is not met",
            ),
            Self::VisitorState => Some(
                "a visitor is known by address and agent, for a limited time and to one instance",
            ),
            _ => None,
        }
    }
}

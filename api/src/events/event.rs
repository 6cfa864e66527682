//! One event as clients see it, and its lines in files.

use super::Codes;
use crate::query::csv;
use jiff::Timestamp;
use runtime::http::validate::parse_uuid;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

/// The version of the fields below.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// The names of the fields, in the order of a file's columns.
pub(crate) const FIELDS: [&str; 23] = [
    "eventId",
    "schemaVersion",
    "createdAt",
    "shortCode",
    "shortUrlId",
    "eventType",
    "clickSource",
    "referrer",
    "referrerDomain",
    "country",
    "countryCode",
    "city",
    "region",
    "browserName",
    "browserVersion",
    "osName",
    "osVersion",
    "deviceType",
    "deviceBrand",
    "deviceModel",
    "utmSource",
    "utmMedium",
    "utmCampaign",
];

/// The stored referring domain of a click without one.
const NO_DOMAIN: &str = "direct";

/// A click, or a scan of a QR code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event<'r> {
    #[serde(rename = "eventId")]
    id: String,
    schema_version: u32,
    created_at: String,
    short_code: &'r str,
    short_url_id: String,
    #[serde(rename = "eventType")]
    kind: &'static str,
    click_source: &'static str,
    referrer: Option<&'r str>,
    referrer_domain: Option<&'r str>,
    country: Option<&'r str>,
    country_code: Option<&'r str>,
    city: Option<&'r str>,
    region: Option<&'r str>,
    browser_name: Option<&'r str>,
    browser_version: Option<&'r str>,
    os_name: Option<&'r str>,
    os_version: Option<&'r str>,
    device_type: Option<&'static str>,
    device_brand: Option<&'r str>,
    device_model: Option<&'r str>,
    utm_source: Option<&'r str>,
    utm_medium: Option<&'r str>,
    utm_campaign: Option<&'r str>,
}

/// The id of an event as clients see it.
pub(crate) fn event_id_text(id: Uuid) -> String {
    format!("evt_{id}")
}

/// The id in a client's text; `None` when it is no id.
pub(crate) fn parse_event_id(text: &str) -> Option<Uuid> {
    text.strip_prefix("evt_").and_then(parse_uuid)
}

/// Six digits of a second always, so that the order of the texts is that of the instants.
pub(crate) fn instant_text(at: Timestamp) -> String {
    format!("{at:.6}")
}

fn click_source(trigger: &str) -> &'static str {
    match trigger {
        "qr" => "QR_CODE",
        "api" => "API",
        _ => "DIRECT",
    }
}

fn device_type(device: &str) -> Option<&'static str> {
    match device {
        "mobile" => Some("MOBILE"),
        "desktop" => Some("DESKTOP"),
        "tablet" => Some("TABLET"),
        _ => None,
    }
}

/// The link of a row, and the code that the click itself recorded.
pub(super) fn link_and_code(row: &PgRow) -> sqlx::Result<(Uuid, Option<&str>)> {
    Ok((row.try_get(2)?, row.try_get(3)?))
}

impl<'r> Event<'r> {
    /// The event of a row that has the columns of [`statements`](super::statements).
    pub(crate) fn of(row: &'r PgRow, codes: &'r Codes) -> sqlx::Result<Self> {
        // By number, because a look-up by name costs more than everything else here.
        let text = |column: usize| row.try_get::<Option<&'r str>, _>(column);
        let at: jiff_sqlx::Timestamp = row.try_get(1)?;
        let (link, code) = link_and_code(row)?;
        Ok(Self {
            id: event_id_text(row.try_get(0)?),
            schema_version: SCHEMA_VERSION,
            created_at: instant_text(at.to_jiff()),
            short_code: code.unwrap_or_else(|| codes.of(link)),
            short_url_id: format!("url_{link}"),
            kind: "CLICK",
            click_source: click_source(text(4)?.unwrap_or_default()),
            referrer: text(5)?,
            referrer_domain: text(6)?.filter(|domain| *domain != NO_DOMAIN),
            country: text(7)?,
            country_code: text(8)?,
            city: text(9)?,
            region: text(10)?,
            browser_name: text(11)?,
            browser_version: text(12)?,
            os_name: text(13)?,
            os_version: text(14)?,
            device_type: text(15)?.and_then(device_type),
            device_brand: text(16)?,
            device_model: text(17)?,
            utm_source: text(18)?,
            utm_medium: text(19)?,
            utm_campaign: text(20)?,
        })
    }

    /// Appends the event to a file of JSON objects, one on each line.
    pub(super) fn write_json(&self, file: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(&mut *file, self)?;
        file.push(b'\n');
        Ok(())
    }

    /// The cells of the event in a file of comma-separated values. A cell without a value is empty.
    pub(super) fn cells(&self) -> [std::borrow::Cow<'_, str>; FIELDS.len()] {
        let version = self.schema_version.to_string();
        let people = [
            self.referrer,
            self.referrer_domain,
            self.country,
            self.country_code,
            self.city,
            self.region,
            self.browser_name,
            self.browser_version,
            self.os_name,
            self.os_version,
            self.device_type,
            self.device_brand,
            self.device_model,
            self.utm_source,
            self.utm_medium,
            self.utm_campaign,
        ];
        let mut people = people.into_iter();
        let mut next = || csv::guarded(people.next().flatten().unwrap_or_default());
        [
            self.id.as_str().into(),
            version.into(),
            self.created_at.as_str().into(),
            csv::guarded(self.short_code),
            self.short_url_id.as_str().into(),
            self.kind.into(),
            self.click_source.into(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event<'static> {
        Event {
            id: event_id_text(Uuid::from_u128(7)),
            schema_version: SCHEMA_VERSION,
            created_at: instant_text("2026-01-15T10:30:00.5Z".parse().unwrap()),
            short_code: "-promo",
            short_url_id: "url_1".to_owned(),
            kind: "CLICK",
            click_source: "DIRECT",
            referrer: Some("https://a.example/?q=\"x\",y"),
            referrer_domain: None,
            country: None,
            country_code: None,
            city: Some("-12.50"),
            region: Some("-1+cmd|'/c calc'!A1"),
            browser_name: None,
            browser_version: None,
            os_name: None,
            os_version: None,
            device_type: None,
            device_brand: None,
            device_model: None,
            utm_source: None,
            utm_medium: None,
            utm_campaign: Some("launch"),
        }
    }

    #[test]
    fn every_field_is_there_in_its_order_and_null_when_unknown() {
        let mut line = Vec::new();
        event().write_json(&mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        let places: Vec<usize> = FIELDS
            .iter()
            .map(|field| line.find(&format!("\"{field}\":")).unwrap())
            .collect();
        assert!(places.is_sorted(), "{line}");
        assert!(line.contains(r#""country":null"#) && line.ends_with("}\n"));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value.as_object().unwrap().len(), FIELDS.len());
    }

    #[test]
    fn times_have_six_digits_and_the_order_of_their_texts() {
        let texts = ["33", "33.000001", "33.5", "33.614"]
            .map(|second| instant_text(format!("2026-01-15T10:30:{second}Z").parse().unwrap()));
        assert!(texts.is_sorted());
        assert_eq!(texts[0], "2026-01-15T10:30:33.000000Z");
        assert_eq!(texts[3], "2026-01-15T10:30:33.614000Z");
    }

    #[test]
    fn cells_are_as_many_as_columns_and_begin_no_formula() {
        let event = event();
        let cells = event.cells();
        let cell = |name: &str| {
            let at = FIELDS.iter().position(|field| *field == name).unwrap();
            cells[at].to_string()
        };
        assert_eq!(cell("city"), "-12.50");
        assert_eq!(cell("region"), "'-1+cmd|'/c calc'!A1");
        assert_eq!(cell("shortCode"), "'-promo");
        assert_eq!(cell("country"), "");
        assert_eq!(cell("utmCampaign"), "launch");
    }

    #[test]
    fn words_of_the_tables_become_those_of_clients() {
        let sources = ["link", "qr", "api", "deeplink", "bio"].map(click_source);
        assert_eq!(sources, ["DIRECT", "QR_CODE", "API", "DIRECT", "DIRECT"]);
        let devices = ["mobile", "desktop", "tablet", "tv"].map(device_type);
        let expected = [Some("MOBILE"), Some("DESKTOP"), Some("TABLET"), None];
        assert_eq!(devices, expected);
    }
}

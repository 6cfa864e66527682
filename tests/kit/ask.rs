//! A request for a report: its values, and its path and query.

use uuid::Uuid;

/// The dimensions of a visit: name, label of a missing value, and column.
pub(crate) const DIMENSIONS: [(&str, &str, &str); 13] = [
    ("referrer", "referrer_domain", "direct"),
    ("source_class", "source_class", "unknown"),
    ("country", "country", "Unknown"),
    ("region", "region", "Unknown"),
    ("city", "city", "Unknown"),
    ("device", "device", "unknown"),
    ("browser", "browser", "Unknown"),
    ("os", "os", "Unknown"),
    ("language", "language", "Unknown"),
    ("utm_source", "utm_source", "(none)"),
    ("utm_medium", "utm_medium", "(none)"),
    ("utm_campaign", "utm_campaign", "(none)"),
    ("entry_page", "landing_path", "Unknown"),
];

/// A request for a report.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The report: the path after `/analytics/`.
    pub report: String,
    /// Its `type` or `dimension`, with the parameter's name.
    pub choice: Option<(&'static str, String)>,
    /// `days`, in bounds.
    pub days: i64,
    /// The page.
    pub page: Uuid,
    /// Name of the zone.
    pub zone: &'static str,
    /// Whether to compare with the previous window.
    pub compare: bool,
    /// Filters: name and values as sent, with a `-` before excluded ones.
    pub filters: Vec<(&'static str, Vec<String>)>,
}

impl Ask {
    /// Path and query after `/analytics/`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("days", &self.days.to_string());
        query.append_pair("bioPageId", &self.page.to_string());
        if let Some((name, value)) = &self.choice {
            query.append_pair(name, value);
        }
        if self.zone != "UTC" {
            query.append_pair("timezone", self.zone);
        }
        if self.compare {
            query.append_pair("compare", "previous");
        }
        for (name, values) in &self.filters {
            query.append_pair(name, &values.join(","));
        }
        format!("{}?{}", self.report, query.finish())
    }
}

/// The value of one element of a filter: without backslashes, and with a name for the missing value.
pub(crate) fn meant(name: &str, element: &str) -> String {
    let mut chars = element.chars();
    let mut plain = String::new();
    while let Some(char) = chars.next() {
        let char = if char == '\\' {
            chars.next().unwrap_or(char)
        } else {
            char
        };
        plain.push(char);
    }
    if plain.is_empty() {
        let missing = DIMENSIONS.iter().find(|(known, ..)| *known == name);
        return missing.unwrap().2.to_owned();
    }
    plain
}

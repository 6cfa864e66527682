//! A request for a report, as a client sends it.

use api::catalog::{Report, Shape};
use uuid::Uuid;

/// A request for a report.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The row of the catalogue.
    pub report: &'static Report,
    /// The name of the requested variant, if the report has variants.
    pub choice: Option<&'static str>,
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
    /// A request for a report about a page, without options.
    #[must_use]
    pub const fn of(report: &'static Report, page: Uuid) -> Self {
        Self {
            report,
            choice: None,
            days: 30,
            page,
            zone: "UTC",
            compare: false,
            filters: Vec::new(),
        }
    }

    /// The shape of the requested variant.
    ///
    /// # Panics
    /// If no shape has that name.
    #[must_use]
    pub fn shape(&self) -> &'static Shape {
        self.report.shape.chosen(self.choice).unwrap()
    }

    /// Path and query.
    #[must_use]
    pub fn url(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("days", &self.days.to_string());
        query.append_pair("bioPageId", &self.page.to_string());
        if let (Shape::Choice(choice), Some(name)) = (&self.report.shape, self.choice) {
            query.append_pair(self.report.param_name(choice.param), name);
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
        format!("{}?{}", self.report.path, query.finish())
    }
}

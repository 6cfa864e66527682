//! A request for a report, as a client sends it.

use api::catalog::{Report, Shape, Surface};
use uuid::Uuid;

/// Filters: name and values as sent, with a `-` before excluded ones.
pub type Filters = Vec<(&'static str, Vec<String>)>;

/// A request for a report.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The row of the catalogue.
    pub report: &'static Report,
    /// The name of the requested variant, if the report has variants.
    pub choice: Option<&'static str>,
    /// `days`, in bounds.
    pub days: i64,
    /// The page, the link or the QR code in the path.
    pub page: Uuid,
    /// Name of the zone.
    pub zone: &'static str,
    /// Whether to compare with the previous window.
    pub compare: bool,
    /// The filters.
    pub filters: Filters,
    /// What only requests for reports of links say.
    pub of_links: OfLinks,
}

/// What only a request for a report of links says, word for word.
#[derive(Clone, Debug)]
pub struct OfLinks {
    /// `start`, a date.
    pub start: Option<&'static str>,
    /// `end`, a date.
    pub end: Option<&'static str>,
    /// `interval`.
    pub interval: Option<&'static str>,
    /// `granularity`.
    pub granularity: Option<&'static str>,
    /// `currency`.
    pub currency: Option<&'static str>,
    /// `compare`.
    pub compare: Option<&'static str>,
    /// Whether `includeBots` is true.
    pub bots: bool,
    /// `campaignId`.
    pub campaign: Option<Uuid>,
    /// `linkId`.
    pub link: Option<Uuid>,
    /// `folderId` or `tagId`, and its values.
    pub groups: Option<(&'static str, Vec<Uuid>)>,
}

impl OfLinks {
    /// Nothing.
    pub const NONE: Self = Self {
        start: None,
        end: None,
        interval: None,
        granularity: None,
        currency: None,
        compare: None,
        bots: false,
        campaign: None,
        link: None,
        groups: None,
    };

    /// The parameters with their values.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let texts = [
            ("start", self.start),
            ("end", self.end),
            ("interval", self.interval),
            ("granularity", self.granularity),
            ("currency", self.currency),
            ("compare", self.compare),
            ("includeBots", self.bots.then_some("true")),
        ];
        let ids = [("campaignId", self.campaign), ("linkId", self.link)];
        let texts = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?.to_owned())));
        let ids = ids
            .into_iter()
            .filter_map(|(name, id)| Some((name, id?.to_string())));
        let groups = self.groups.as_ref().map(|(name, ids)| {
            let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
            (*name, ids.join(","))
        });
        texts.chain(ids).chain(groups).collect()
    }
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
            of_links: OfLinks::NONE,
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
        if self.report.surface == Surface::Creator {
            query.append_pair("bioPageId", &self.page.to_string());
        }
        query.extend_pairs(self.of_links.pairs());
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
        let (path, id) = (self.report.path, self.page.to_string());
        let path = path.replace("{linkId}", &id).replace("{qrId}", &id);
        format!("{path}?{}", query.finish())
    }
}

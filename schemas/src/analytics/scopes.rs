//! Scopes: the subject of a report, as a condition on each fact.

use super::facts::{CONVERSIONS, Fact, PAGE_VIEWS, Predicate, RECORDED_CLICKS, REFUSALS, VISITS};

/// The subject of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One bio page.
    Page,
    /// One link.
    Link,
    /// One QR code. No index has its id, so a report also names the code's link.
    Qr,
    /// The links of one campaign, while they belonged to it.
    Campaign,
    /// All data of a tenant.
    Workspace,
}

/// How to find the rows of a fact that belong to a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// By the column with the scope's id.
    Id(&'static str),
    /// All rows of the tenant that meet these conditions.
    Only(&'static [Predicate]),
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [
        Self::Page,
        Self::Link,
        Self::Qr,
        Self::Campaign,
        Self::Workspace,
    ];

    /// How each fact belongs to the scope. A part of a fact belongs to it in the same way as the
    /// whole.
    fn rows(self) -> &'static [(&'static Fact, Within)] {
        static PAGE: [(&Fact, Within); 3] = [
            (&VISITS, Within::Id("page_id")),
            (&PAGE_VIEWS, Within::Id("page_id")),
            (&REFUSALS, Within::Id("page_id")),
        ];
        static LINK: [(&Fact, Within); 2] = [
            (&RECORDED_CLICKS, Within::Id("link_id")),
            (&CONVERSIONS, Within::Id("link_id")),
        ];
        static QR: [(&Fact, Within); 2] = [
            (&RECORDED_CLICKS, Within::Id("qr_id")),
            (&CONVERSIONS, Within::Id("qr_id")),
        ];
        static CAMPAIGN: [(&Fact, Within); 2] = [
            (&RECORDED_CLICKS, Within::Id("campaign_id")),
            (&CONVERSIONS, Within::Id("campaign_id")),
        ];
        static WORKSPACE: [(&Fact, Within); 5] = [
            (&VISITS, Within::Only(&[])),
            // The table also has clicks on short links, which are on no page.
            (&PAGE_VIEWS, Within::Only(&[Predicate::Present("page_id")])),
            (&RECORDED_CLICKS, Within::Only(&[])),
            (&CONVERSIONS, Within::Only(&[])),
            (&REFUSALS, Within::Only(&[])),
        ];
        match self {
            Self::Page => &PAGE,
            Self::Link => &LINK,
            Self::Qr => &QR,
            Self::Campaign => &CAMPAIGN,
            Self::Workspace => &WORKSPACE,
        }
    }

    /// How to find the rows of the fact; `None` when the fact does not belong to such a scope.
    #[must_use]
    pub fn on(self, fact: &Fact) -> Option<Within> {
        let mut rows = self.rows().iter();
        let (_, within) = rows.find(|(known, _)| fact.is_within(known))?;
        Some(*within)
    }
}

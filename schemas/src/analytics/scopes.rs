//! Scopes: the subject of a report, as a condition on each fact.

use super::facts::{Fact, PAGE_VIEWS, Predicate, REFUSALS, VISITS};

/// The subject of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One bio page.
    Page,
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
    pub const ALL: [Self; 2] = [Self::Page, Self::Workspace];

    /// How each fact belongs to the scope. A part of a fact belongs to it in the same way as the
    /// whole.
    fn rows(self) -> &'static [(&'static Fact, Within)] {
        static PAGE: [(&Fact, Within); 3] = [
            (&VISITS, Within::Id("page_id")),
            (&PAGE_VIEWS, Within::Id("page_id")),
            (&REFUSALS, Within::Id("page_id")),
        ];
        static WORKSPACE: [(&Fact, Within); 3] = [
            (&VISITS, Within::Only(&[])),
            (&PAGE_VIEWS, Within::Only(&[])),
            (&REFUSALS, Within::Only(&[])),
        ];
        match self {
            Self::Page => &PAGE,
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

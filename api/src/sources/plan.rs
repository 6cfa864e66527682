//! A plan: everything that a source needs for one answer, in terms of the vocabulary.

use super::window::Window;
use schemas::analytics::{Dimension, Fact, Measure, Predicate, Scope, Timeline, facts::BY_PEOPLE};
use std::sync::Arc;
use uuid::Uuid;

/// Everything that a source needs for one answer.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) filter: Filter,
    /// Over the whole scope and window.
    pub(crate) totals: Vec<&'static Measure>,
    pub(crate) rows: Option<Rows>,
    /// In place of rows and totals.
    pub(crate) leaders: Option<Leaders>,
}

/// The value of each dimension that has the largest number, as one row each; no rows without rows of
/// the fact.
#[derive(Clone, Debug)]
pub(crate) struct Leaders {
    pub(crate) measure: &'static Measure,
    pub(crate) of: Vec<&'static Dimension>,
}

/// Which rows count: the tenant, the scope, the window and the conditions.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) workspace_no: i32,
    pub(crate) scope: Scope,
    /// The id of the scope, unless it is the workspace.
    pub(crate) scope_id: Option<Uuid>,
    /// Further scopes that every row is in, each one of these.
    pub(crate) within: Vec<(Scope, Vec<Uuid>)>,
    pub(crate) window: Window,
    pub(crate) conditions: Vec<Condition>,
    /// Whether clicks of machines are among the clicks that count.
    pub(crate) bots: bool,
    /// What campaigns charge, if the plan asks for costs. Other campaigns charge nothing.
    pub(crate) prices: Arc<[Price]>,
}

/// What a campaign charges, in decimals that are exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Price {
    pub(crate) campaign_id: Uuid,
    /// For a click, in millionths of a dollar.
    pub(crate) click: String,
    /// For an approved conversion, in millionths of a dollar.
    pub(crate) approval: String,
    /// The share of the revenue, from 0 to 1.
    pub(crate) share: String,
}

impl Filter {
    /// What the rows of a fact must meet, of the conditions that distinguish it.
    pub(crate) fn kept(&self, mut of_fact: Vec<Predicate>) -> Vec<Predicate> {
        of_fact.retain(|predicate| !self.bots || *predicate != BY_PEOPLE);
        of_fact
    }
}

/// A condition on a dimension of every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) dimension: &'static Dimension,
    /// One of these, unless the list is empty.
    pub(crate) is: Vec<String>,
    /// None of these.
    pub(crate) is_not: Vec<String>,
}

/// The rows of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// The measures, by the fact that their numbers are read from. The first measure decides the
    /// order, unless there are buckets.
    pub(crate) parts: Vec<OfFact>,
    /// Buckets of time, which then decide the order of rows.
    pub(crate) timeline: Option<Timeline>,
    /// Whether buckets without rows appear too.
    pub(crate) filled: bool,
    /// Whether those before the first row are left out all the same.
    pub(crate) from_first: bool,
    /// The values of a dimension.
    pub(crate) by: Option<By>,
    pub(crate) top: Option<u16>,
}

/// A fact, and the measures of its rows.
pub(crate) type OfFact = (&'static Fact, Vec<&'static Measure>);

impl Rows {
    /// Every measure, in the order in which a source returns them.
    pub(crate) fn measures(&self) -> Vec<&'static Measure> {
        let parts = self.parts.iter();
        parts.flat_map(|(_, measures)| measures).copied().collect()
    }
}

/// The dimension that an answer is grouped by.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub(crate) dimension: &'static Dimension,
    pub(crate) values: Kept,
}

/// Which values of a dimension have rows.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    /// All of them. Rows without a value have the dimension's label.
    All,
    /// All ids of things in the main database. Rows without a value do not appear.
    Ids,
    /// These ids, each in its own row. All other ids share the row of the nil UUID. Rows without a
    /// value do not appear.
    Known(Vec<Uuid>),
}

/// Measures grouped by the fact that they are read from, in the order in which a source returns
/// them.
pub(crate) fn by_fact(all: &[&'static Measure]) -> Vec<OfFact> {
    let mut groups: Vec<OfFact> = Vec::new();
    for measure in all {
        let whole = measure.fact.whole();
        match groups.iter_mut().find(|(fact, _)| fact.whole() == whole) {
            // Parts of one fact are read together, because one pass over the rows gives all
            // their numbers.
            Some((fact, measures)) => {
                *fact = Fact::holding([*fact, measure.fact]).unwrap_or(whole);
                measures.push(measure);
            }
            None => groups.push((measure.fact, vec![measure])),
        }
    }
    groups
}

impl Plan {
    /// The totals by fact.
    pub(crate) fn totals_by_fact(&self) -> Vec<OfFact> {
        by_fact(&self.totals)
    }

    /// The totals in that order.
    pub(crate) fn totals_in_order(&self) -> Vec<&'static Measure> {
        let groups = self.totals_by_fact().into_iter();
        groups.flat_map(|(_, measures)| measures).collect()
    }
}

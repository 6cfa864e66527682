//! A plan: everything that a source needs for one answer, in terms of the vocabulary.

use super::window::Window;
use schemas::analytics::{Dimension, Fact, Measure, Reach, Scope, Timeline};
use uuid::Uuid;

/// Everything that a source needs for one answer.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) filter: Filter,
    /// Over the whole scope and window.
    pub(crate) totals: Vec<&'static Measure>,
    pub(crate) rows: Option<Rows>,
}

/// Which rows count: the tenant, the scope, the window and the conditions.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) workspace_no: i32,
    pub(crate) scope: Scope,
    /// The page, if the scope is one.
    pub(crate) scope_id: Option<Uuid>,
    pub(crate) window: Window,
    pub(crate) conditions: Vec<Condition>,
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
    /// Their fact, which holds the facts of all measures.
    pub(crate) fact: &'static Fact,
    /// Buckets of time, which then decide the order of rows.
    pub(crate) timeline: Option<Timeline>,
    /// The values of a dimension.
    pub(crate) by: Option<By>,
    /// The first measure decides the order, unless there are buckets.
    pub(crate) measures: Vec<&'static Measure>,
    pub(crate) top: Option<u16>,
}

/// The dimension that an answer is grouped by.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub(crate) dimension: &'static Dimension,
    /// How the rows of the fact reach it.
    pub(crate) reach: Reach,
    pub(crate) values: Kept,
}

/// Which values of a dimension have rows.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    /// All of them. Rows without a value have the dimension's label.
    All,
    /// These ids, each in its own row. All other ids share the row of the nil UUID. Rows without a
    /// value do not appear.
    Known(Vec<Uuid>),
}

impl Plan {
    /// The totals, grouped by the fact that they are read from, in the order in which a source
    /// returns them.
    pub(crate) fn totals_by_fact(&self) -> Vec<(&'static Fact, Vec<&'static Measure>)> {
        let mut groups: Vec<(&'static Fact, Vec<&'static Measure>)> = Vec::new();
        for measure in &self.totals {
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

    /// The totals in that order.
    pub(crate) fn totals_in_order(&self) -> Vec<&'static Measure> {
        let groups = self.totals_by_fact().into_iter();
        groups.flat_map(|(_, measures)| measures).collect()
    }
}

//! The kinds of answers there are, and what a row says to have one of them.

use super::Param;
use schemas::analytics::{Buckets, Dimension, Metric};

/// The kinds of answers.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Numbers about the whole scope, as one object.
    Total(Total),
    /// Numbers by time, in its order.
    Series(Series),
    /// A list of a dimension's values, most first.
    Breakdown(Breakdown),
    /// A list of things that have names elsewhere, most first.
    Ranking(Ranking),
    /// One of several, by a parameter of the query.
    Choice(Choice),
}

/// See [`Shape::Total`].
#[derive(Clone, Copy, Debug)]
pub struct Total {
    /// The numbers.
    pub metrics: &'static [Field],
    /// Parameters that the answer repeats as they took effect, after the numbers.
    pub echo: &'static [Param],
}

/// See [`Shape::Series`].
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// Parameters that the answer repeats as they took effect, before the list.
    pub echo: &'static [Param],
    /// Name of the list on the wire.
    pub list: &'static str,
    /// What time is cut into; buckets without rows are absent.
    pub buckets: Buckets,
    /// Name of a row's bucket on the wire.
    pub label: &'static str,
    /// A dimension within each bucket and its name on the wire, in its own order.
    pub by: Option<(&'static str, &'static Dimension)>,
    /// The numbers of a row, such as can be added.
    pub metrics: &'static [Field],
}

/// See [`Shape::Breakdown`].
#[derive(Clone, Copy, Debug)]
pub struct Breakdown {
    /// Parameters that the answer repeats as they took effect, before the list.
    pub echo: &'static [Param],
    /// Name of the list on the wire.
    pub list: &'static str,
    /// What the rows are.
    pub dimension: &'static Dimension,
    /// Name of a row's value on the wire.
    pub label: &'static str,
    /// The numbers of a row; the first decides the order, ties go by label.
    pub metrics: &'static [Field],
    /// Most rows.
    pub top: Option<u16>,
}

/// See [`Shape::Ranking`].
#[derive(Clone, Copy, Debug)]
pub struct Ranking {
    /// Name of the list on the wire.
    pub list: &'static str,
    /// What the rows are; rows without a value are left out.
    pub dimension: &'static Dimension,
    /// Where their names come from.
    pub entity: Entity,
    /// The numbers of a row; the first decides the order, ties go by id.
    pub metrics: &'static [Field],
    /// Numbers about the whole scope, beside the list.
    pub totals: &'static [Field],
}

/// See [`Shape::Choice`].
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The parameter that chooses; there is no default.
    pub param: Param,
    /// What there is to choose from; none of them a choice itself.
    pub of: &'static [Named],
}

/// An answer under the name that chooses it.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The parameter's value.
    pub name: &'static str,
    /// The answer.
    pub shape: Shape,
}

/// A number of an answer under its name.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it is.
    pub metric: &'static Metric,
}

/// Things whose names stand in the main database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A link of one of the caller's own pages: title and url.
    Link,
}

impl Shape {
    /// The shape of that name, for a choice; itself for any other.
    #[must_use]
    pub fn chosen(&'static self, name: Option<&str>) -> Option<&'static Self> {
        match self {
            Self::Choice(choice) => {
                let named = choice.of.iter().find(|named| Some(named.name) == name)?;
                Some(&named.shape)
            }
            _ => Some(self),
        }
    }

    /// The shapes a request can get, with the names that choose them.
    #[must_use]
    pub fn all(&'static self) -> Vec<(Option<&'static str>, &'static Self)> {
        match self {
            Self::Choice(choice) => {
                let named = choice.of.iter();
                named
                    .map(|named| (Some(named.name), &named.shape))
                    .collect()
            }
            _ => vec![(None, self)],
        }
    }
}

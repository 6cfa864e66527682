//! The shapes of answers, and what a row declares for each of them.

use super::{Board, Param};
use schemas::analytics::{Buckets, Dimension, Metric};

/// The shape of an answer.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Numbers about the whole scope, as one object.
    Total(Total),
    /// Numbers by time, in order of time.
    Series(Series),
    /// A list of a dimension's values, largest first.
    Breakdown(Breakdown),
    /// A list of things with names in the main database, largest first.
    Ranking(Ranking),
    /// Several answers about one subject in one object.
    Board(Board),
    /// One of several, by a parameter of the query.
    Choice(Choice),
}

/// See [`Shape::Total`].
#[derive(Clone, Copy, Debug)]
pub struct Total {
    /// The numbers.
    pub metrics: &'static [Field],
    /// Parameters whose effective values follow the numbers.
    pub echo: &'static [Param],
}

/// See [`Shape::Series`].
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// Parameters whose effective values precede the list.
    pub echo: &'static [Param],
    /// Name of the list on the wire.
    pub list: &'static str,
    /// The kind of buckets, unless the request chooses another.
    pub buckets: Buckets,
    /// Whether buckets without rows appear, with zeros. Such a series has no dimension.
    pub filled: bool,
    /// Name of a row's bucket on the wire.
    pub label: &'static str,
    /// A dimension within each bucket, with its name on the wire. Its values come in their own
    /// order.
    pub by: Option<(&'static str, &'static Dimension)>,
    /// The numbers of a row.
    pub metrics: &'static [Field],
}

/// See [`Shape::Breakdown`].
#[derive(Clone, Copy, Debug)]
pub struct Breakdown {
    /// Parameters whose effective values precede the list.
    pub echo: &'static [Param],
    /// Name of the list on the wire.
    pub list: &'static str,
    /// The dimension of the rows.
    pub dimension: &'static Dimension,
    /// Name of a row's value on the wire.
    pub label: &'static str,
    /// The numbers of a row; the first decides the order, and the label decides ties.
    pub metrics: &'static [Field],
    /// Most rows.
    pub top: Option<u16>,
}

/// See [`Shape::Ranking`].
#[derive(Clone, Copy, Debug)]
pub struct Ranking {
    /// Name of the list on the wire.
    pub list: &'static str,
    /// The dimension of the rows; rows without a value do not appear.
    pub dimension: &'static Dimension,
    /// The source of their names.
    pub entity: Entity,
    /// The numbers of a row; the first decides the order, and the id decides ties.
    pub metrics: &'static [Field],
    /// Numbers about the whole scope, beside the list.
    pub totals: &'static [Field],
}

/// See [`Shape::Choice`].
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The parameter that chooses; there is no default.
    pub param: Param,
    /// The answers to choose from, none of which is a choice itself.
    pub of: &'static [Named],
}

/// An answer, with the name that chooses it.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The parameter's value.
    pub name: &'static str,
    /// The answer.
    pub shape: Shape,
}

/// A number of an answer, with its name.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// The metric that it shows.
    pub metric: &'static Metric,
}

/// A number of an answer.
pub(super) const fn field(name: &'static str, metric: &'static Metric) -> Field {
    Field { name, metric }
}

/// Things whose names are in the main database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A link of one of the caller's own pages: title and url.
    Link,
}

impl Shape {
    /// The shape with that name, for a choice; the shape itself for any other.
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

    /// The shapes that a request can get, with the names that choose them.
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

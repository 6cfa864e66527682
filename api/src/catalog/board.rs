//! Boards: answers of several parts, each of which is read like a report of its own.

use super::{Breakdown, Field, Param, Series};
use schemas::analytics::{Buckets, Dimension};

/// See [`Shape::Board`](super::Shape::Board).
#[derive(Clone, Copy, Debug)]
pub struct Board {
    /// The parts, in their order.
    pub parts: &'static [Part],
    /// Parameters whose effective values follow the parts.
    pub echo: &'static [Param],
}

/// A part of a board.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// The link or QR code of the path, as the main database has it.
    Subject(Subject),
    /// Numbers about the window. A comparison compares them.
    Numbers(Numbers),
    /// Numbers about all time, as an object of this name.
    Ever(&'static str, &'static [Field]),
    /// Numbers by time, as a list.
    Series(Series),
    /// The largest values of a dimension, as a list.
    Values(Breakdown),
    /// The largest things with names in the main database, as a list.
    Things(Things),
    /// The largest value of each of several dimensions.
    Leaders(Leaders),
    /// The bucket of time with the largest number.
    Peak(Peak),
}

impl Part {
    /// The numbers of its rows, or its own.
    pub(crate) const fn fields(&self) -> &'static [Field] {
        match self {
            Self::Subject(subject) => subject.ever,
            Self::Numbers(numbers) => numbers.metrics,
            Self::Ever(_, metrics) => metrics,
            Self::Series(series) => series.metrics,
            Self::Values(breakdown) => breakdown.metrics,
            Self::Things(things) => things.metrics,
            Self::Leaders(leaders) => leaders.by,
            Self::Peak(peak) => peak.metrics,
        }
    }
}

/// See [`Part::Subject`].
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Name of the object on the wire.
    pub name: &'static str,
    /// Further members, about all time. The board's part about all time is read with them.
    pub ever: &'static [Field],
}

/// See [`Part::Numbers`].
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// Name of the object on the wire.
    pub name: &'static str,
    /// The numbers.
    pub metrics: &'static [Field],
    /// What the workspace has now, within the same campaign, links and so on. These numbers have no
    /// earlier ones to compare with.
    pub counts: &'static [(&'static str, Count)],
}

/// Something that the main database counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Links that are not deleted.
    Links,
    /// Those of them that redirect.
    ActiveLinks,
    /// Campaigns that are not deleted.
    Campaigns,
}

impl Count {
    /// Its meaning, in one line.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Links => "Links now.",
            Self::ActiveLinks => "Links that redirect now: enabled, not archived, not expired.",
            Self::Campaigns => "Campaigns now.",
        }
    }
}

/// See [`Part::Things`].
#[derive(Clone, Copy, Debug)]
pub struct Things {
    /// Name of the list on the wire.
    pub list: &'static str,
    /// The dimension of the rows; rows without a value do not appear.
    pub dimension: &'static Dimension,
    /// What its ids name.
    pub thing: Thing,
    /// The numbers of a row; the first decides the order, and the id decides ties.
    pub metrics: &'static [Field],
    /// Most rows.
    pub top: u16,
}

/// A kind of thing that a workspace has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A link.
    Link,
    /// A campaign.
    Campaign,
    /// A rule.
    Rule,
}

impl Thing {
    /// The name of its id on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Link => "linkId",
            Self::Campaign => "campaignId",
            Self::Rule => "ruleId",
        }
    }
}

/// See [`Part::Leaders`].
#[derive(Clone, Copy, Debug)]
pub struct Leaders {
    /// Name of the object on the wire.
    pub name: &'static str,
    /// The numbers; the first decides.
    pub by: &'static [Field],
    /// The dimensions.
    pub of: &'static [Leader],
}

/// A dimension of [`Leaders`].
#[derive(Clone, Copy, Debug)]
pub struct Leader {
    /// Its name on the wire.
    pub name: &'static str,
    /// The dimension.
    pub dimension: &'static Dimension,
    /// What its ids name, if it has ids. The answer has the name.
    pub thing: Option<Thing>,
}

/// See [`Part::Peak`].
#[derive(Clone, Copy, Debug)]
pub struct Peak {
    /// Name of the object on the wire.
    pub name: &'static str,
    /// Name of the bucket on the wire.
    pub label: &'static str,
    /// The kind of buckets.
    pub buckets: Buckets,
    /// The numbers; the first decides, and the earlier bucket of equal ones.
    pub metrics: &'static [Field],
}

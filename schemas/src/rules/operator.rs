//! The operators of conditions.

/// How a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Equals,
    /// Known, and not equal.
    NotEquals,
    /// One of several; for a window of time, within it.
    In,
    /// Known, and none of several.
    NotIn,
    /// Has this text in it.
    Contains,
    /// Known, and without this text in it.
    NotContains,
    /// Begins with this text.
    StartsWith,
    /// Ends with this text.
    EndsWith,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Between two values.
    Between,
    /// A regular expression matches somewhere.
    Matches,
    /// Known (`true`, also when absent) or unknown (`false`).
    Exists,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 15] = [
        Self::Equals,
        Self::NotEquals,
        Self::In,
        Self::NotIn,
        Self::Contains,
        Self::NotContains,
        Self::StartsWith,
        Self::EndsWith,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::Between,
        Self::Matches,
        Self::Exists,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equals => "equals",
            Self::NotEquals => "not_equals",
            Self::In => "in",
            Self::NotIn => "not_in",
            Self::Contains => "contains",
            Self::NotContains => "not_contains",
            Self::StartsWith => "starts_with",
            Self::EndsWith => "ends_with",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Between => "between",
            Self::Matches => "matches",
            Self::Exists => "exists",
        }
    }

    /// The operator with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    pub(super) const fn is_negated(self) -> bool {
        matches!(self, Self::NotEquals | Self::NotIn | Self::NotContains)
    }
}

//! What routes ask for, and which roles have it.

/// What a route lets its caller do, named by thing and act as in the scopes of API keys: `links:update`.
/// The row of a route names its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission(pub &'static str);

impl Permission {
    /// Reading what is published.
    pub const PUBLIC: Self = Self("public:read");
    /// Reading reports.
    pub(crate) const REPORTS: Self = Self("analytics:read");
}

/// What someone is in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The user to whom it belongs.
    Owner,
    /// Everyone else, anonymous clients included.
    Visitor,
}

impl Role {
    /// Whether the role has the permission.
    pub(crate) fn has(self, permission: Permission) -> bool {
        match self {
            Self::Owner => true,
            Self::Visitor => permission == Permission::PUBLIC,
        }
    }
}

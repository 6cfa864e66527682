//! The permissions that routes require, and the roles that have them.

/// A permission, named by thing and action like the scopes of API keys: `links:update`. The row of
/// a route names its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission(pub &'static str);

impl Permission {
    /// Reading public pages.
    pub const PUBLIC: Self = Self("public:read");
    /// Reading reports.
    pub(crate) const REPORTS: Self = Self("analytics:read");
}

/// The relation of a caller to a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The user who owns it.
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

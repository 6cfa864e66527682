//! What routes ask for, and which roles have it.

/// What a route lets its caller do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Read what is published.
    ReadPublic,
    /// Make a workspace with a creator.
    CreateCreator,
    /// Read a creator, their pages and all their links.
    ReadPages,
    /// Add and change pages.
    ManagePages,
    /// Add, change, order and remove links.
    ManageLinks,
    /// Read reports.
    ReadReports,
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
    pub(crate) const fn has(self, permission: Permission) -> bool {
        match self {
            Self::Owner => true,
            Self::Visitor => matches!(permission, Permission::ReadPublic),
        }
    }
}

//! The permissions that routes require, and the roles and scopes that have them.

use std::fmt;

/// A permission, named by thing and action like the scopes of API keys: `links:update`. The row of
/// a route names its own. One that [`least`] does not know is refused to everyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission(pub &'static str);

/// The relation of a caller to a workspace. Each role has the permissions of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Everyone else, anonymous clients included.
    Visitor,
    /// Reads.
    Viewer,
    /// Also changes what links are made of.
    Editor,
    /// Also manages members, keys, hosts and settings.
    Admin,
    /// Also has the plan and the end of the workspace.
    Owner,
}

/// What links are made of. Every member reads it, editors change it.
const CONTENTS: [&str; 8] = [
    "links",
    "rules",
    "campaigns",
    "folders",
    "tags",
    "qr",
    "customers",
    "conversions",
];
/// What belongs to the workspace as a whole. Every member reads it, admins change it.
const SETUP: [&str; 3] = ["domains", "members", "mobile_apps"];
/// What only admins may even see.
const SECRETS: [&str; 2] = ["api_keys", "webhooks"];
/// A creator's own.
const OWN: [&str; 2] = ["creators", "pages"];

const ACTIONS: [&str; 4] = ["create", "read", "update", "delete"];
/// In a key's scope: all changes.
const WRITE: &str = "write";

/// The lowest role that has a permission; `None` for an unknown permission, which no role has.
fn least(permission: &str) -> Option<Role> {
    let (family, action) = permission.split_once(':')?;
    let known = ACTIONS.contains(&action);
    Some(match (family, action) {
        ("public", "read") => Role::Visitor,
        ("analytics" | "workspace", "read") => Role::Viewer,
        ("workspace", "update") => Role::Admin,
        ("workspace", "delete") | ("billing", "read" | "manage") => Role::Owner,
        (of, "read") if CONTENTS.contains(&of) || SETUP.contains(&of) => Role::Viewer,
        (of, _) if known && CONTENTS.contains(&of) => Role::Editor,
        (of, _) if known && (SETUP.contains(&of) || SECRETS.contains(&of)) => Role::Admin,
        (of, _) if known && OWN.contains(&of) => Role::Owner,
        _ => return None,
    })
}

impl Permission {
    /// Reading public pages.
    pub const PUBLIC: Self = Self("public:read");
    /// Reading reports.
    pub(crate) const REPORTS: Self = Self("analytics:read");
    /// What every user may do, without any workspace: for instance to create one.
    pub(crate) const USER: Self = Self("user:act");

    /// Whether a key's scope covers it: the same name, or `<thing>:write` for every change of it.
    pub(crate) fn is_in(self, scope: &str) -> bool {
        let written = scope.split_once(':').is_some_and(|(thing, all)| {
            self.0.split_once(':').is_some_and(|(family, action)| {
                thing == family && all == WRITE && matches!(action, "create" | "update" | "delete")
            })
        });
        written || scope == self.0
    }
}

impl Role {
    /// Whether the role has the permission.
    pub(crate) fn has(self, permission: Permission) -> bool {
        least(permission.0).is_some_and(|least| self >= least)
    }

    /// Whether the role may give a key this scope; `None` for an unknown scope.
    pub(crate) fn may_give(self, scope: &str) -> Option<bool> {
        let (family, action) = scope.split_once(':')?;
        let changes =
            CONTENTS.contains(&family) || SETUP.contains(&family) || SECRETS.contains(&family);
        let least = match (family, action) {
            (of, _) if of == "public" || OWN.contains(&of) => None,
            // No key may end its workspace, so the route takes tokens only.
            ("workspace", "delete") => None,
            (_, WRITE) if changes => least(&format!("{family}:update")),
            _ => least(scope),
        };
        least.map(|least| self >= least)
    }

    /// The role of that name; an unknown name gives no permission.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "owner" => Self::Owner,
            "admin" => Self::Admin,
            "editor" => Self::Editor,
            "viewer" => Self::Viewer,
            _ => Self::Visitor,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
            Self::Visitor => "visitor",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_more_than_the_one_before() {
        for (permission, least) in [
            ("links:read", Role::Viewer),
            ("members:read", Role::Viewer),
            ("analytics:read", Role::Viewer),
            ("links:create", Role::Editor),
            ("qr:delete", Role::Editor),
            ("domains:create", Role::Admin),
            ("api_keys:read", Role::Admin),
            ("workspace:update", Role::Admin),
            ("workspace:delete", Role::Owner),
            ("billing:manage", Role::Owner),
        ] {
            let all = [
                Role::Visitor,
                Role::Viewer,
                Role::Editor,
                Role::Admin,
                Role::Owner,
            ];
            for role in all {
                let has = role.has(Permission(permission));
                assert_eq!(has, role >= least, "{role} {permission}");
            }
        }
    }

    #[test]
    fn no_role_has_an_unknown_permission() {
        for name in [
            "",
            "links",
            "links:",
            "links:write",
            "analytics:update",
            "x:read",
            "user:act",
        ] {
            assert!(!Role::Owner.has(Permission(name)), "{name}");
        }
    }

    #[test]
    fn a_coarse_scope_covers_every_change_of_its_thing_only() {
        let covered = |permission, scope| Permission(permission).is_in(scope);
        for action in ["create", "update", "delete"] {
            let of = |thing: &str| format!("{thing}:{action}");
            assert!(Permission(of("links").leak()).is_in("links:write"));
            assert!(!Permission(of("rules").leak()).is_in("links:write"));
        }
        assert!(covered("links:read", "links:read"));
        assert!(!covered("links:read", "links:write"));
        assert!(!covered("links:create", "links:update"));
        assert!(!covered("links:create", "links"));
        assert!(!covered("links:create", ":write"));
    }

    #[test]
    fn a_role_gives_only_scopes_that_it_has() {
        for (role, scope, given) in [
            (Role::Admin, "links:write", Some(true)),
            (Role::Admin, "analytics:read", Some(true)),
            (Role::Admin, "api_keys:write", Some(true)),
            (Role::Admin, "billing:manage", Some(false)),
            (Role::Viewer, "links:write", Some(false)),
            (Role::Owner, "workspace:update", Some(true)),
            (Role::Owner, "workspace:delete", None),
            (Role::Owner, "analytics:write", None),
            (Role::Owner, "pages:update", None),
            (Role::Owner, "public:read", None),
            (Role::Owner, "*", None),
            (Role::Owner, "links:write:all", None),
        ] {
            assert_eq!(role.may_give(scope), given, "{role} {scope}");
        }
    }
}

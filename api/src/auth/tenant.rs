//! A caller in a workspace: which workspace, in which role, by which credential.

use super::{Permission, Role};
use crate::store::workspaces::Workspace;
use std::{borrow::Cow, sync::Arc};
use uuid::Uuid;

/// A caller in a workspace.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) workspace: Workspace,
    /// The member who calls, or who made the calling key.
    pub(crate) sub: Arc<str>,
    /// What that member is.
    pub(crate) role: Role,
    /// The key, unless the caller sent a token.
    pub(crate) key: Option<CallingKey>,
}

/// The key of a caller.
#[derive(Clone, Debug)]
pub(crate) struct CallingKey {
    pub(crate) id: Uuid,
    pub(crate) scopes: Vec<String>,
}

impl Tenant {
    /// Whether the caller has the permission: by its role and, with a key, by the key's scopes too.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        let by_key = self.key.as_ref().is_none_or(|key| {
            let mut scopes = key.scopes.iter();
            scopes.any(|scope| permission.is_in(scope))
        });
        by_key && self.role.has(permission)
    }

    /// Whether the caller may give a new key this scope; `None` for an unknown scope. A key gives
    /// only what it has.
    pub(crate) fn may_give(&self, scope: &str) -> Option<bool> {
        let by_role = self.role.may_give(scope)?;
        let has = |key: &CallingKey| key.scopes.iter().any(|own| covers(own, scope));
        Some(by_role && self.key.as_ref().is_none_or(has))
    }

    /// The caller in the audit log.
    pub(crate) fn actor(&self) -> Cow<'_, str> {
        match &self.key {
            Some(key) => format!("api_key:{}", key.id).into(),
            None => (&*self.sub).into(),
        }
    }
}

/// Whether a scope includes another one.
fn covers(own: &str, scope: &str) -> bool {
    let thing = own.strip_suffix("write");
    own == scope
        || thing.is_some_and(|thing| {
            let action = scope.strip_prefix(thing);
            action.is_some_and(|action| matches!(action, "create" | "update" | "delete"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role, scopes: Option<&[&str]>) -> Tenant {
        let scopes = scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()));
        Tenant {
            workspace: Workspace::for_tests(),
            sub: "ada".into(),
            role,
            key: scopes.map(|scopes| CallingKey {
                id: Uuid::from_u128(1),
                scopes: scopes.collect(),
            }),
        }
    }

    #[test]
    fn a_key_has_what_its_member_and_its_scopes_have() {
        let may = |role, scopes, permission| caller(role, scopes).may(Permission(permission));
        assert!(may(Role::Admin, None, "links:create"));
        assert!(may(Role::Admin, Some(&["links:write"]), "links:create"));
        assert!(!may(Role::Admin, Some(&["links:read"]), "links:create"));
        assert!(!may(Role::Admin, Some(&[]), "links:read"));
        // The member has become a viewer, or has left.
        assert!(!may(Role::Viewer, Some(&["links:write"]), "links:create"));
        assert!(!may(Role::Visitor, Some(&["links:read"]), "links:read"));
    }

    #[test]
    fn a_key_gives_no_more_than_it_has() {
        let give = |scopes, scope| caller(Role::Admin, scopes).may_give(scope);
        assert_eq!(give(None, "links:write"), Some(true));
        assert_eq!(give(None, "nothing:write"), None);
        let own: Option<&[&str]> = Some(&["api_keys:write", "links:write"]);
        assert_eq!(give(own, "links:write"), Some(true));
        assert_eq!(give(own, "links:delete"), Some(true));
        assert_eq!(give(own, "links:read"), Some(false));
        assert_eq!(give(Some(&["links:create"]), "links:write"), Some(false));
    }
}

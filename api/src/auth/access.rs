//! What a request may reach: its principal, and the permission that its route requires.

use super::{Callers, Permission, Principal, Role, Tenant};
use crate::{
    refusals,
    store::{self, creators::Creator},
};
use axum::{extract::FromRequestParts, http::request::Parts};
use runtime::http::ApiError;
use sqlx::PgExecutor;
use uuid::Uuid;

/// The principal of a request, and the permission of its route.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(super) principal: Principal,
    pub(super) permission: Permission,
}

impl Access {
    /// The calling user; 401 for an anonymous client.
    pub(crate) fn user(&self) -> Result<&str, ApiError> {
        match &self.principal {
            Principal::User(sub) => Ok(sub),
            Principal::Member(tenant) => Ok(&tenant.sub),
            Principal::Anonymous(_) => Err(ApiError::unauthorized()),
        }
    }

    /// The caller in the workspace, which the guard has found.
    pub(crate) fn tenant(&self) -> Result<&Tenant, ApiError> {
        match &self.principal {
            Principal::Member(tenant) => Ok(tenant),
            _ => Err(ApiError::internal("a route of a workspace without members")),
        }
    }

    /// Checks what the guard can check before the handler: the permission of members.
    pub(super) fn enter(&self, callers: Callers) -> Result<(), ApiError> {
        match (callers, &self.principal) {
            (Callers::Members | Callers::Keys, Principal::Member(tenant))
                if tenant.may(self.permission) =>
            {
                Ok(())
            }
            (Callers::Members | Callers::Keys, _) => Err(refusals::permission_missing()),
            (Callers::Everyone | Callers::Users, _) => Ok(()),
        }
    }

    /// The creator of that id with its workspace, if the caller has the route's permission there.
    /// `refusal` when the creator does not exist or is not the caller's.
    pub(crate) async fn creator(
        &self,
        db: impl PgExecutor<'_>,
        id: Uuid,
        refusal: fn() -> ApiError,
    ) -> Result<Creator, ApiError> {
        let owned = store::creators::find_owned(db, id, self.user()?).await?;
        let creator = owned.ok_or_else(refusal)?;
        self.check(Role::Owner)?;
        Ok(creator)
    }

    /// Checks that this role has the permission of the route; 403 otherwise.
    pub(crate) fn check(&self, role: Role) -> Result<(), ApiError> {
        if role.has(self.permission) {
            return Ok(());
        }
        Err(refusals::permission_missing())
    }
}

impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let access = parts.extensions.get::<Self>().cloned();
        access.ok_or_else(|| ApiError::internal("a route is outside the guard"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn access(principal: Principal, permission: Permission) -> Access {
        Access {
            principal,
            permission,
        }
    }

    #[test]
    fn an_anonymous_client_is_not_a_user() {
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let anonymous = access(Principal::Anonymous(nowhere), Permission::PUBLIC);
        assert_eq!(anonymous.user().unwrap_err().status.as_u16(), 401);
        let ada = access(Principal::User("ada".into()), Permission::REPORTS);
        assert_eq!(ada.user().unwrap(), "ada");
    }

    #[test]
    fn a_role_can_do_only_what_it_has_permission_for() {
        for permission in [Permission("links:update"), Permission::REPORTS] {
            let ada = access(Principal::User("ada".into()), permission);
            assert!(ada.check(Role::Owner).is_ok());
            let refused = ada.check(Role::Visitor).unwrap_err();
            let expected = (403, "auth.permission_missing");
            assert_eq!((refused.status.as_u16(), refused.code), expected);
        }
        let ada = access(Principal::User("ada".into()), Permission::PUBLIC);
        assert!(ada.check(Role::Visitor).is_ok());
    }
}

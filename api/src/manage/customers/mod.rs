//! Customers of a workspace, and what they did.

mod add;
mod delete;
mod journey;
mod read;
mod wire;

use crate::{
    auth::{Access, Tenant},
    command::{Family, Object},
    conversions::refusals,
    store::{self, customers::Customer},
};
use runtime::http::{ApiError, validate::parse_uuid};
use sqlx::PgPool;
use uuid::Uuid;

/// The customers of workspaces.
pub(super) const FAMILY: Family = Family {
    tag: "Customers",
    about: "Who bought or signed up. A customer is named by its id, or as `ext_` and your own id of it.",
    commands: &[
        add::ADD_CUSTOMER,
        read::LIST_CUSTOMERS,
        read::COUNT_CUSTOMERS,
        read::GET_CUSTOMER,
        journey::GET_JOURNEY,
        delete::DELETE_CUSTOMER,
    ],
};

const CUSTOMER: Object = Object {
    id: "customerId",
    about: "The customer.",
};

/// What a plan must have.
const FEATURE: &str = "revenueTracking";

/// The beginning of a path's part that is the owner's id of a customer.
const EXTERNAL: &str = "ext_";

/// The caller in a workspace whose plan has customers.
fn member(access: &Access) -> Result<&Tenant, ApiError> {
    let member = access.tenant()?;
    if member.workspace.plan().features().contains(&FEATURE) {
        return Ok(member);
    }
    Err(refusals::feature_not_available())
}

/// The customer that a path names, or 404.
async fn find(
    pool: &PgPool,
    workspace_id: Uuid,
    named: Option<&str>,
) -> Result<Customer, ApiError> {
    let named = named.ok_or_else(refusals::customer_not_found)?;
    let found = match named.strip_prefix(EXTERNAL) {
        // PostgreSQL's text cannot store U+0000, so no customer has such an id.
        Some(external_id) if external_id.contains('\0') => None,
        Some(external_id) => {
            store::customers::find_external(pool, workspace_id, external_id).await?
        }
        None => match parse_uuid(named) {
            Some(id) => store::find(pool, id, workspace_id).await?,
            None => None,
        },
    };
    found.ok_or_else(refusals::customer_not_found)
}

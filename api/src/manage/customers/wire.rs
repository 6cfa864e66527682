//! Customers in the answers of routes.

use crate::{instant::iso_micros, store::customers::Customer};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// A customer.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Customer", description = "A customer.")]
pub(super) struct WireCustomer {
    id: Uuid,
    external_id: Option<String>,
    email: Option<String>,
    name: Option<String>,
    /// The click whose link later sales belong to.
    first_click_id: Option<Uuid>,
    leads: i32,
    sales: i32,
    created_at: String,
}

impl From<Customer> for WireCustomer {
    fn from(from: Customer) -> Self {
        let created_at = iso_micros(from.created_at());
        Self {
            id: from.id,
            external_id: from.external_id,
            email: from.email,
            name: from.name,
            first_click_id: from.first_click_id,
            leads: from.leads,
            sales: from.sales,
            created_at,
        }
    }
}

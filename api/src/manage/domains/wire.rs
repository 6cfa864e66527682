//! A host in the answers of routes, and the members of bodies.

use super::host::HostName;
use crate::{instant::iso_micros, store::domains::Domain};
use runtime::members::{Flag, Member};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

pub(super) const HOST: Member<HostName> = Member::new("host", HostName)
    .required()
    .about("Kept in lower case and punycode, without a port.")
    .example(|| json!("go.example.com"));

pub(super) const IS_DEFAULT: Member<Flag> = Member::new("isDefault", Flag(None))
    .required()
    .about("Whether new links get this host.")
    .example(|| json!(false));

/// The label below which the proof stands.
const PROOF_LABEL: &str = "_footfall";

/// A host of short URLs.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Domain", description = "A host of short URLs.")]
pub(crate) struct WireDomain {
    /// Null for the built-in one.
    id: Option<Uuid>,
    host: String,
    #[schemars(extend("enum" = ["pending", "verified"]))]
    state: &'static str,
    /// Whether new links get this host.
    is_default: bool,
    /// Whether it is the host of `PUBLIC_URL`, which serves every workspace.
    built_in: bool,
    /// The TXT record that proves it; null for the built-in one.
    verification: Option<WireProof>,
    #[schemars(extend("format" = "date-time"))]
    verified_at: Option<String>,
    /// Null for the built-in one.
    #[schemars(extend("format" = "date-time"))]
    created_at: Option<String>,
}

/// A TXT record.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "DomainProof",
    description = "The TXT record that proves a host."
)]
struct WireProof {
    #[serde(rename = "type")]
    #[schemars(extend("const" = "TXT"))]
    kind: &'static str,
    name: String,
    value: String,
}

/// The name of the record that proves a host.
pub(super) fn proof_name(host: &str) -> String {
    format!("{PROOF_LABEL}.{host}")
}

impl WireDomain {
    /// The built-in host.
    pub(super) fn built_in(host: &str, is_default: bool) -> Self {
        Self {
            id: None,
            host: host.to_owned(),
            state: "verified",
            is_default,
            built_in: true,
            verification: None,
            verified_at: None,
            created_at: None,
        }
    }
}

impl From<Domain> for WireDomain {
    fn from(domain: Domain) -> Self {
        let iso = |at: jiff_sqlx::Timestamp| iso_micros(at.to_jiff());
        Self {
            id: Some(domain.id),
            state: if domain.verified_at.is_some() {
                "verified"
            } else {
                "pending"
            },
            is_default: domain.is_default,
            built_in: false,
            verification: Some(WireProof {
                kind: "TXT",
                name: proof_name(&domain.host),
                value: domain.proof,
            }),
            verified_at: domain.verified_at.map(iso),
            created_at: Some(iso(domain.created_at)),
            host: domain.host,
        }
    }
}

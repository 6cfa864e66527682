//! A member in the answers and bodies of routes.

use super::ROLES;
use crate::{instant::iso_micros, store::members::Member};
use runtime::members::{self, OneOf, Text};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

/// Longest id of a user, as in tokens.
const MAX_SUBJECT_CHARS: usize = runtime::jwt::MAX_SUBJECT_CHARS;

pub(super) const USER_ID: members::Member<Text> =
    members::Member::new("userId", Text(MAX_SUBJECT_CHARS))
        .required()
        .about("The subject of the user's tokens.")
        .example(|| json!("bob"));

pub(super) const ROLE: members::Member<OneOf> = members::Member::new("role", OneOf(&ROLES))
    .required()
    .example(|| json!("viewer"));

/// A member.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Member", description = "A member of a workspace.")]
pub(crate) struct WireMember {
    id: Uuid,
    /// The subject of the user's tokens.
    user_id: String,
    #[schemars(extend("enum" = ROLES))]
    role: String,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
}

impl From<Member> for WireMember {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            user_id: member.sub,
            role: member.role,
            created_at: iso_micros(member.created_at.to_jiff()),
        }
    }
}

//! Conversions of a workspace: reports with its own credential, their status, and refunds.

mod get;
mod record;
mod refund;
mod status;
mod token;

use crate::{
    auth::Tenant as Member,
    command::{Family, Object},
    conversions::Tenant,
};

/// The conversions of workspaces.
pub(super) const FAMILY: Family = Family {
    tag: "Conversions",
    about: "What clicks led to. The first four routes need no credential but the id of a click.",
    commands: &[
        record::RECORD_CONVERSION,
        get::GET_CONVERSION,
        status::SET_STATUS,
        refund::REFUND_CONVERSION,
        token::SET_TOKEN,
        token::CLEAR_TOKEN,
    ],
};

const CONVERSION: Object = Object {
    id: "conversionId",
    about: "The conversion.",
};

/// The workspace of a caller.
pub(super) fn tenant(member: &Member) -> Tenant {
    Tenant {
        id: member.workspace.id,
        no: member.workspace.workspace_no(),
    }
}

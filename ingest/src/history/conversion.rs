//! Reads a conversion from a line, as far as ids and the directory go: whose it is, and which click
//! led to it.
//!
//! The api owns the rules of the other members, because it records conversions.

use super::{
    bad::{BadLine, Reason},
    click::Named,
    visit::moment,
};
use crate::{accept::Acceptor, directory::Directory};
use jiff::Timestamp;
use runtime::http::Fields;
use schemas::{ClickId, EventId, Kind, WorkspaceId, WorkspaceNo};
use serde_json::{Map, Value};

/// A conversion of a tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenConversion {
    /// The identity of its record, which makes it count once.
    pub event_id: EventId,
    /// Its tenant's number.
    pub workspace_no: WorkspaceNo,
    /// Its tenant.
    pub workspace_id: WorkspaceId,
    /// The click that it names.
    pub click_id: Option<ClickId>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// All members of the line.
    pub members: Map<String, Value>,
}

/// Reads a conversion.
///
/// # Errors
/// [`BadLine`] with every rule that the line breaks, or because its click, link or workspace is
/// unknown.
pub(super) fn read(
    object: &Map<String, Value>,
    (acceptor, directory): (&Acceptor, &Directory),
    latest: Timestamp,
) -> Result<TakenConversion, BadLine> {
    let mut fields = Fields::new(object);
    let event_id = fields.required_uuid("eventId");
    let at = moment(&mut fields, latest);
    let click_id = fields.uuid("clickId").map(ClickId);
    let click = fields.object("click");
    let workspace = fields.uuid("workspaceId").map(WorkspaceId);
    let named = ["clickId", "click", "workspaceId"];
    if named.iter().all(|name| fields.get(name).is_none()) {
        fields.problem(
            "clickId, click or (with customerExternalId) workspaceId is required: it says whose the conversion is",
        );
    }
    let mut problems = fields.into_problems();
    let click = click.and_then(|click| {
        let mut fields = Fields::new(click);
        let named = Named::read(&mut fields, latest, directory);
        let broken = fields.into_problems().into_iter();
        problems.extend(broken.map(|problem| format!("click.{problem}")));
        named
    });
    if !problems.is_empty() {
        return Err(BadLine::invalid(&problems));
    }
    let (no, id, click_id) = if let Some(named) = click {
        let named = named?;
        let link = &named.found.link;
        let id = named.found.workspace_id;
        (link.workspace_no, id, Some(named.click(acceptor)))
    } else if let Some(click_id) = click_id {
        let (no, _) = acceptor
            .ids()
            .verify_click(click_id)
            .ok_or_else(unknown_click)?;
        let id = directory.open_workspace(no);
        (
            no,
            id.ok_or_else(BadLine::unknown_workspace)?,
            Some(click_id),
        )
    } else {
        let id = workspace.ok_or_else(BadLine::unknown_workspace)?;
        let no = directory.number_of(id);
        (no.ok_or_else(BadLine::unknown_workspace)?, id, None)
    };
    Ok(TakenConversion {
        event_id: EventId::derive(id, Kind::ConversionRecorded, event_id.unwrap_or_default()),
        workspace_no: no,
        workspace_id: id,
        click_id,
        occurred_at: at.unwrap_or(latest),
        members: object.clone(),
    })
}

fn unknown_click() -> BadLine {
    BadLine::new(
        Reason::UnknownClick,
        "clickId is not the id of a click of this installation; name an imported click by `click`",
    )
}

//! Reads a click on a short link from a line, and makes the event that the redirect would have made.
//!
//! The one rule: the id of the click is a function of the line, so a conversion can name the click by
//! the same members.

use super::{
    TakenClick,
    bad::BadLine,
    visit::{UNLIMITED, address, moment},
};
use crate::{
    accept::Acceptor,
    directory::{Directory, Found},
    redirect::past::{self, PastClick},
};
use jiff::Timestamp;
use runtime::{IdSource, http::Fields};
use schemas::{ClickId, EventId, Kind, LinkId, Trigger};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Longest destination, in characters. Links of our own have shorter ones.
const MAX_DESTINATION_CHARS: usize = 8_192;
/// Longest id of a visitor, as in a beacon.
const MAX_VISITOR_CHARS: usize = 128;

/// Which click: its link, its id in the other system and its time.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) event_id: Uuid,
    pub(super) at: Timestamp,
    pub(super) found: Found,
    /// The host of the short URL.
    host: String,
}

/// The link that an object names.
enum Link<'a> {
    Id(LinkId),
    Code { code: &'a str, host: Option<String> },
}

impl Named {
    /// Reads the members that name a click. `None` when a rule is broken, which `fields` has noted.
    ///
    /// # Errors
    /// [`BadLine`] because the link is unknown.
    pub(super) fn read(
        fields: &mut Fields<'_>,
        latest: Timestamp,
        directory: &Directory,
    ) -> Option<Result<Self, BadLine>> {
        let event_id = fields.required_uuid("eventId");
        let at = moment(fields, latest);
        let link = read_link(fields);
        let (event_id, at, link) = (event_id?, at?, link?);
        let found = match &link {
            Link::Id(id) => directory.link(*id),
            Link::Code { code, host } => directory.link_of(host.as_deref(), code),
        };
        Some(
            found
                .map(|(found, host)| Self {
                    event_id,
                    at,
                    found,
                    host,
                })
                .ok_or_else(BadLine::unknown_link),
        )
    }

    /// The identity of the click's record.
    pub(super) fn record(&self) -> EventId {
        EventId::derive(self.found.workspace_id, Kind::LinkClicked, self.event_id)
    }

    /// The id of the click.
    pub(super) fn click(&self, acceptor: &Acceptor) -> ClickId {
        let random = *self.record().0.as_bytes();
        let workspace = self.found.link.workspace_no;
        acceptor.ids().click(workspace, self.at, random)
    }
}

fn read_link<'a>(fields: &mut Fields<'a>) -> Option<Link<'a>> {
    let id = fields.uuid("linkId");
    let code = fields.string("shortCode", UNLIMITED);
    let given = fields.string("host", UNLIMITED);
    let host = given.map(crate::redirect::host::normalised);
    if host.as_ref().is_some_and(Option::is_none) {
        fields.problem("host must be a host name, for example go.example.com");
    }
    if fields.get("linkId").is_none() && fields.get("shortCode").is_none() {
        fields.problem("linkId or shortCode is required");
    }
    match (id, code) {
        (Some(id), _) => Some(Link::Id(LinkId(id))),
        (None, Some(code)) => Some(Link::Code {
            code,
            host: host.flatten().map(std::borrow::Cow::into_owned),
        }),
        (None, None) => None,
    }
}

/// Reads a click.
///
/// # Errors
/// [`BadLine`] with every rule that the line breaks, or because its link is unknown.
pub(super) fn read(
    object: &Map<String, Value>,
    (acceptor, directory, ids): (&Acceptor, &Directory, &dyn IdSource),
    (now, latest): (Timestamp, Timestamp),
) -> Result<TakenClick, BadLine> {
    let mut fields = Fields::new(object);
    let named = Named::read(&mut fields, latest, directory);
    let trigger = trigger(&mut fields);
    let text = |fields: &mut Fields<'_>, name: &str, most: usize| {
        fields.string(name, most).map(str::to_owned)
    };
    let address = address(&fields);
    let user_agent = text(&mut fields, "userAgent", UNLIMITED);
    let referrer = text(&mut fields, "referrer", UNLIMITED);
    let language = text(&mut fields, "language", UNLIMITED);
    let query = text(&mut fields, "query", UNLIMITED);
    let destination = text(&mut fields, "destination", MAX_DESTINATION_CHARS);
    let visitor_id = text(&mut fields, "visitorId", MAX_VISITOR_CHARS);
    if visitor_id.as_deref() == Some("") {
        fields.problem("visitorId must not be empty");
    }
    let problems = fields.into_problems();
    if !problems.is_empty() {
        return Err(BadLine::invalid(&problems));
    }
    // Without problems, everything that is required was there.
    let named = named.unwrap_or_else(|| Err(BadLine::unknown_link()))?;
    let click_id = named.click(acceptor);
    let record = named.record();
    let past = PastClick {
        event_id: record,
        click_id,
        at: named.at,
        received_at: now,
        address,
        user_agent,
        referrer,
        language,
        query,
        host: named.host,
        visitor_id,
        trigger,
        destination,
    };
    Ok(TakenClick {
        event: past::event(acceptor, ids, &named.found, past),
    })
}

fn trigger(fields: &mut Fields<'_>) -> Option<Trigger> {
    let name = fields.string("trigger", UNLIMITED)?;
    let trigger = Trigger::ALL.into_iter().find(|known| known.name() == name);
    if trigger.is_none() {
        let names = Trigger::ALL.map(Trigger::name).join(", ");
        fields.problem(format!("trigger must be one of {names}"));
    }
    trigger
}

//! Makes the event of a click that another system recorded, with the enrichment of a live one.

use super::{
    click::{self, Clicked, Request},
    query,
};
use crate::{accept::Acceptor, directory::Found};
use jiff::Timestamp;
use runtime::IdSource;
use schemas::{ClickId, Event, EventId, Trigger};
use std::net::IpAddr;

/// What is known about a click of the past.
#[derive(Clone, Debug)]
pub(crate) struct PastClick {
    pub(crate) event_id: EventId,
    pub(crate) click_id: ClickId,
    pub(crate) at: Timestamp,
    pub(crate) received_at: Timestamp,
    pub(crate) address: IpAddr,
    pub(crate) user_agent: Option<String>,
    pub(crate) referrer: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) query: Option<String>,
    pub(crate) host: String,
    /// The other system's id of the visitor.
    pub(crate) visitor_id: Option<String>,
    /// By the short URL or its QR code, unless it says so.
    pub(crate) trigger: Option<Trigger>,
    /// The link's present destination, unless it says so.
    pub(crate) destination: Option<String>,
}

/// The event of a past click.
pub(crate) fn event(
    acceptor: &Acceptor,
    ids: &dyn IdSource,
    found: &Found,
    past: PastClick,
) -> Event {
    let code = query::qr(past.query.as_deref());
    let own = found.link.settings.as_ref();
    let mut codes = own.map_or(&[][..], |own| &own.given.qr_codes).iter();
    let qr = code
        .as_ref()
        .and_then(|code| codes.find(|known| known.code == **code));
    let is_scan = code.is_some();
    let clicked = Clicked::past(
        past.destination
            .unwrap_or_else(|| found.link.destination_text().to_owned()),
        past.trigger
            .unwrap_or(if is_scan { Trigger::Qr } else { Trigger::Link }),
        qr.map(|known| known.qr_id),
        past.click_id,
        query::Wishes::read(past.query.as_deref()).says_bot,
    );
    let request = Request {
        at: past.at,
        address: past.address,
        user_agent: past.user_agent,
        referrer: past.referrer,
        language: past.language,
        model: None,
        query: past.query,
        host: past.host,
        visitor_id: past.visitor_id,
        wants_privacy: false,
        redirect_micros: 0,
    };
    Event {
        event_id: past.event_id,
        received_at: past.received_at,
        ..click::event(acceptor, ids, found, request, clicked)
    }
}

//! Makes the event of a click from what the request showed.
//!
//! Runs after the answer, so it owns what it needs. The one rule: with Global Privacy Control or Do
//! Not Track, nothing about the person is recorded.

use super::decide::Record;
use crate::{
    accept::{Acceptor, PRODUCER},
    directory::Found,
    enrich::{BotSignals, Claims, Landing, PurposeHeaders, Sighting, Who, arrival, referrer, utm},
};
use jiff::Timestamp;
use runtime::IdSource;
use schemas::{Body, BotReason, Event, EventId, LinkClicked, Trigger, Visitor};
use std::net::IpAddr;

/// What a request for a short link showed, besides the link.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// When it came.
    pub(super) at: Timestamp,
    /// The client's address.
    pub(super) address: IpAddr,
    /// `User-Agent`.
    pub(super) user_agent: Option<String>,
    /// `Referer`.
    pub(super) referrer: Option<String>,
    /// `Accept-Language`.
    pub(super) language: Option<String>,
    /// The raw query.
    pub(super) query: Option<String>,
    /// The host, normalised.
    pub(super) host: String,
    /// The browser asks not to be tracked.
    pub(super) wants_privacy: bool,
    /// How long the answer took.
    pub(super) redirect_micros: u32,
}

/// The event of a click. `known` is why it does not count, as far as the decision knows.
pub(super) fn event(
    acceptor: &Acceptor,
    ids: &dyn IdSource,
    found: &Found,
    shown: Shown,
    known: Option<BotReason>,
) -> Event {
    let link = &found.link;
    let enricher = acceptor.enricher();
    let user_agent = shown.user_agent.as_deref();
    let signals = || enricher.signals(user_agent, &PurposeHeaders::default());
    let bot_reason = known.or_else(|| by_agent(signals()));
    // Where nothing was opened, a conversion can name nothing.
    let is_opened = !matches!(bot_reason, Some(BotReason::Head | BotReason::Prefetch));
    let click_id = is_opened.then(|| {
        let random = ids.random_16();
        acceptor.ids().click(link.workspace_no, shown.at, random)
    });
    let sighting = Sighting {
        address: shown.address,
        user_agent,
        claims: Claims {
            language: shown.language.as_deref(),
            ..Claims::default()
        },
    };
    let who = Who::AddressAndAgent;
    let visitor: Option<Visitor> =
        (!shown.wants_privacy).then(|| enricher.visitor(found.workspace_id, who, &sighting));
    let referrer = referrer::read(shown.referrer.as_deref());
    let behind = utm::read(Some(link.destination_text())).utm;
    let landing = Landing {
        domain: Some(shown.host.clone()),
        path: None,
        utm: utm::of_query(shown.query.as_deref(), &behind),
    };
    let agent = visitor.as_ref().map(|visitor| &visitor.agent);
    let browser = agent.and_then(|agent| agent.browser.as_deref());
    let source_class = arrival::class(&referrer, &landing, browser);
    Event {
        event_id: EventId(ids.uuid_v7(shown.at)),
        occurred_at: shown.at,
        received_at: shown.at,
        workspace_id: found.workspace_id,
        workspace_no: link.workspace_no,
        producer: PRODUCER.to_owned(),
        enrichment: Some(enricher.versions().clone()),
        visitor,
        body: Body::LinkClicked(LinkClicked {
            click_id,
            link_id: link.link_id,
            short_code: link.short_code.to_string(),
            host: shown.host,
            trigger: Trigger::Link,
            destination: link.destination_text().to_owned(),
            referrer: referrer.url,
            referrer_domain: referrer.domain,
            source_class,
            utm: landing.utm,
            bot_reason,
            redirect_micros: shown.redirect_micros,
        }),
    }
}

impl Record {
    /// Why the request does not count, as far as it is known by now.
    pub(super) const fn bot_reason(self) -> Option<BotReason> {
        match self {
            Self::Bot(reason) => Some(reason),
            Self::Click | Self::Nothing => None,
        }
    }
}

/// Why an agent does not count.
fn by_agent(signals: BotSignals) -> Option<BotReason> {
    if signals.contains(BotSignals::LINK_PREVIEW) {
        Some(BotReason::Preview)
    } else if signals.refuses() {
        Some(BotReason::Agent)
    } else {
        // Unlike scripts of a page, anything that reads mail can open a link.
        signals
            .contains(BotSignals::NO_AGENT)
            .then_some(BotReason::NoAgent)
    }
}

//! Makes the event of a click from what the request showed.
//!
//! Runs after the answer, so it owns what it needs. The one rule: with Global Privacy Control or Do
//! Not Track, nothing about the person is recorded.

use super::{
    decide::{Opened, Record},
    facts::reason,
};
use crate::{
    accept::{Acceptor, PRODUCER},
    directory::Found,
    enrich::{Claims, Landing, PurposeHeaders, Sighting, Who, arrival, referrer, utm},
};
use jiff::Timestamp;
use runtime::IdSource;
use schemas::{
    Body, BotReason, ClickId, Event, EventId, LinkClicked, QrId, RuleId, Trigger, Utm, Visitor,
};
use std::net::IpAddr;
use url::form_urlencoded;

/// What a request for a short link showed, besides the link.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// When it came.
    pub(super) at: Timestamp,
    /// The client's address.
    pub(super) address: IpAddr,
    /// `User-Agent`.
    pub(super) user_agent: Option<String>,
    /// `Sec-CH-UA-Model`.
    pub(super) model: Option<String>,
    /// `Referer`.
    pub(super) referrer: Option<String>,
    /// `Accept-Language`.
    pub(super) language: Option<String>,
    /// The raw query.
    pub(super) query: Option<String>,
    /// The host, normalised.
    pub(super) host: String,
    /// The id that another system gave the visitor; absent in live requests.
    pub(super) visitor_id: Option<String>,
    /// The browser asks not to be tracked.
    pub(super) wants_privacy: bool,
    /// How long the answer took.
    pub(super) redirect_micros: u32,
}

/// What was decided about it.
#[derive(Debug)]
pub(super) struct Clicked {
    /// Why it does not count, as far as the decision knows.
    known: Option<BotReason>,
    destination: String,
    rule: Option<(RuleId, Box<str>)>,
    trigger: Trigger,
    qr_id: Option<QrId>,
    click_id: Option<ClickId>,
}

impl Clicked {
    pub(super) fn opened(opened: Opened) -> Self {
        Self {
            known: opened.record.bot_reason(),
            destination: opened.destination,
            rule: opened.rule,
            trigger: opened.trigger,
            qr_id: opened.qr_id,
            click_id: opened.click_id,
        }
    }

    /// A click that another system recorded.
    pub(super) const fn past(
        destination: String,
        trigger: Trigger,
        qr_id: Option<QrId>,
        click_id: ClickId,
        says_bot: bool,
    ) -> Self {
        Self {
            known: if says_bot {
                Some(BotReason::Parameter)
            } else {
                None
            },
            destination,
            rule: None,
            trigger,
            qr_id,
            click_id: Some(click_id),
        }
    }

    /// A request that led nowhere: ahead of a click, or for a preview.
    pub(super) fn unopened(record: Record, found: &Found) -> Self {
        Self {
            known: record.bot_reason(),
            destination: found.link.destination_text().to_owned(),
            rule: None,
            trigger: Trigger::Link,
            qr_id: None,
            click_id: None,
        }
    }
}

/// The event of a click.
pub(super) fn event(
    acceptor: &Acceptor,
    ids: &dyn IdSource,
    found: &Found,
    request: Request,
    clicked: Clicked,
) -> Event {
    let link = &found.link;
    let enricher = acceptor.enricher();
    let user_agent = request.user_agent.as_deref();
    let signals = || {
        let purpose = PurposeHeaders::default();
        enricher.signals(user_agent, &purpose, request.address)
    };
    let bot_reason = clicked.known.or_else(|| reason(signals()));
    // Where nothing was opened, a conversion can name nothing.
    let is_opened = !matches!(bot_reason, Some(BotReason::Head | BotReason::Prefetch));
    let mint = || {
        let random = ids.random_16();
        acceptor.ids().click(link.workspace_no, request.at, random)
    };
    let click_id = is_opened.then(|| clicked.click_id.unwrap_or_else(mint));
    let sighting = Sighting {
        address: request.address,
        user_agent,
        claims: Claims {
            language: request.language.as_deref(),
            model: request.model.as_deref(),
            ..Claims::default()
        },
    };
    let who = request
        .visitor_id
        .as_deref()
        .map_or(Who::AddressAndAgent, Who::Id);
    let visitor: Option<Visitor> =
        (!request.wants_privacy).then(|| enricher.visitor(found.workspace_id, who, &sighting));
    let referrer = referrer::read(request.referrer.as_deref());
    let behind = utm_behind(found, &clicked.destination);
    let landing = Landing {
        domain: Some(request.host.clone()),
        path: None,
        utm: utm::of_query(request.query.as_deref(), &behind),
    };
    let agent = visitor.as_ref().map(|visitor| &visitor.agent);
    let browser = agent.and_then(|agent| agent.browser.as_deref());
    let source_class = arrival::class(&referrer, &landing, browser);
    let settings = link.settings.as_ref();
    let (rule_id, rule_name) = clicked.rule.unzip();
    Event {
        event_id: EventId(ids.uuid_v7(request.at)),
        occurred_at: request.at,
        received_at: request.at,
        workspace_id: found.workspace_id,
        workspace_no: link.workspace_no,
        producer: PRODUCER.to_owned(),
        enrichment: Some(enricher.versions().clone()),
        visitor,
        body: Body::LinkClicked(LinkClicked {
            click_id,
            link_id: link.link_id,
            short_code: link.short_code.to_string(),
            host: request.host,
            trigger: clicked.trigger,
            destination: clicked.destination,
            referrer: referrer.url,
            referrer_domain: referrer.domain,
            source_class,
            utm: landing.utm,
            bot_reason,
            redirect_micros: request.redirect_micros,
            campaign_id: settings.and_then(|settings| settings.given.campaign_id),
            rule_id,
            rule_name: rule_name.map(String::from),
            qr_id: clicked.qr_id,
        }),
    }
}

/// The campaign parameters of the link, each replaced by that of the destination when it has none.
fn utm_behind(found: &Found, destination: &str) -> Utm {
    let of_destination = utm::read(Some(destination)).utm;
    let own = found.link.settings.as_ref();
    let own = own.map_or(&[][..], |settings| &settings.given.utm);
    if own.is_empty() {
        return of_destination;
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(own)
        .finish();
    utm::of_query(Some(&query), &of_destination)
}

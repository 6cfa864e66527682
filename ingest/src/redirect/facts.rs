//! The facts about a request that rules ask for, each computed when it is first asked for.
//!
//! The one rule: a link without rules costs no look-up. An address and an agent stay inside.

use super::query;
use crate::enrich::{BotSignals, Enricher, PurposeHeaders, Referrer, referrer};
use jiff::Timestamp;
use schemas::{
    Agent, BotReason, Place, VisitorHash, WorkspaceId,
    rules::{Facts, Field},
};
use std::{borrow::Cow, cell::OnceCell, net::IpAddr};
use uuid::Uuid;

/// What a request showed.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// When it came.
    pub at: Timestamp,
    /// The client's address.
    pub address: IpAddr,
    /// `User-Agent`.
    pub user_agent: Option<&'a str>,
    /// `Sec-CH-UA-Model`.
    pub model: Option<&'a str>,
    /// `Referer`.
    pub referrer: Option<&'a str>,
    /// `Accept-Language`.
    pub language: Option<&'a str>,
    /// The raw query.
    pub query: Option<&'a str>,
    /// The browser asks not to be tracked.
    pub wants_privacy: bool,
}

/// The facts about one request for a link of one tenant.
#[derive(Debug)]
pub struct RequestFacts<'a> {
    pub(super) shown: Shown<'a>,
    enricher: &'a Enricher,
    workspace: WorkspaceId,
    agent: OnceCell<Agent>,
    place: OnceCell<Place>,
    referrer: OnceCell<Referrer>,
    visitor: OnceCell<Option<VisitorHash>>,
}

/// The facts as the rules of one owner see them.
pub(super) struct ForOwner<'a> {
    pub(super) facts: &'a RequestFacts<'a>,
    /// The link or campaign whose rules ask. Its visitors have places of their own.
    pub(super) owner: Uuid,
    /// True for a visitor who came before; `None` when that is unknown.
    pub(super) is_returning: Option<bool>,
}

impl<'a> RequestFacts<'a> {
    /// The facts about a request.
    #[must_use]
    pub fn new(shown: Shown<'a>, enricher: &'a Enricher, workspace: WorkspaceId) -> Self {
        Self {
            shown,
            enricher,
            workspace,
            agent: OnceCell::new(),
            place: OnceCell::new(),
            referrer: OnceCell::new(),
            visitor: OnceCell::new(),
        }
    }

    /// The visitor; `None` when the browser asks not to be tracked.
    #[must_use]
    pub fn visitor(&self) -> Option<VisitorHash> {
        *self.visitor.get_or_init(|| {
            let agent = self.shown.user_agent.unwrap_or_default();
            let hash = || {
                let hasher = self.enricher.hasher();
                hasher.agent(self.workspace, self.shown.address, agent)
            };
            (!self.shown.wants_privacy).then(hash)
        })
    }

    /// Browser, system and device.
    #[must_use]
    pub fn agent(&self) -> &Agent {
        let Shown {
            user_agent, model, ..
        } = self.shown;
        let parse = || self.enricher.agent(user_agent, model);
        self.agent.get_or_init(parse)
    }

    /// Why its agent or its address does not count.
    #[must_use]
    pub fn bot_reason(&self) -> Option<BotReason> {
        reason(self.signals())
    }

    fn signals(&self) -> BotSignals {
        let purpose = PurposeHeaders::default();
        let Shown {
            user_agent,
            address,
            ..
        } = self.shown;
        self.enricher.signals(user_agent, &purpose, address)
    }

    fn place(&self) -> &Place {
        let find = || self.enricher.place(self.shown.address);
        self.place.get_or_init(find)
    }

    fn referrer(&self) -> &Referrer {
        let read = || referrer::read(self.shown.referrer);
        self.referrer.get_or_init(read)
    }
}

/// Why a click does not count. An agent says more about a machine than its network does.
pub(super) fn reason(signals: BotSignals) -> Option<BotReason> {
    let by_agent = signals.without(BotSignals::NETWORK);
    if by_agent.contains(BotSignals::LINK_PREVIEW) {
        Some(BotReason::Preview)
    } else if by_agent.refuses() {
        Some(BotReason::Agent)
    } else if by_agent.contains(BotSignals::NO_AGENT) {
        // Unlike scripts of a page, anything that reads mail can open a link.
        Some(BotReason::NoAgent)
    } else {
        signals
            .contains(BotSignals::NETWORK)
            .then_some(BotReason::Network)
    }
}

impl Facts for ForOwner<'_> {
    fn text(&self, field: &Field) -> Option<Cow<'_, str>> {
        let facts = self.facts;
        let shown = &facts.shown;
        let known = |text: &'_ Option<String>| text.clone().map(Cow::Owned);
        match field {
            Field::Country => known(&facts.place().country_code),
            Field::Continent => known(&facts.place().continent),
            Field::Region => known(&facts.place().region),
            Field::City => known(&facts.place().city),
            Field::DeviceType => facts.agent().device.map(|device| device.name().into()),
            Field::DeviceBrand => known(&facts.agent().brand),
            Field::DeviceModel => known(&facts.agent().model),
            Field::Os => known(&facts.agent().os),
            Field::OsVersion => known(&facts.agent().os_version),
            Field::Browser => known(&facts.agent().browser),
            Field::BrowserVersion => known(&facts.agent().browser_version),
            Field::Language => shown.language.map(Cow::Borrowed),
            Field::Referrer => shown
                .referrer
                .filter(|text| !text.is_empty())
                .map(Cow::Borrowed),
            Field::ReferrerDomain => {
                let domain = &facts.referrer().domain;
                (domain != referrer::DIRECT).then(|| domain.into())
            }
            Field::Utm(name) => {
                let name = format!("utm_{name}");
                query::parameter(shown.query?, &name).filter(|value| !value.is_empty())
            }
            Field::Query(name) => query::parameter(shown.query?, name),
            Field::VisitorState => {
                let state = |is_returning| if is_returning { "returning" } else { "new" };
                self.is_returning
                    .map(|is_returning| state(is_returning).into())
            }
            // No source here knows these; the others are no texts.
            Field::Timezone
            | Field::Isp
            | Field::Asn
            | Field::Latitude
            | Field::Longitude
            | Field::Time
            | Field::Date
            | Field::Percentage => None,
        }
    }

    fn now(&self) -> Timestamp {
        self.facts.shown.at
    }

    fn bucket(&self) -> Option<f64> {
        let visitor = self.facts.visitor()?;
        Some(self.facts.enricher.hasher().bucket(self.owner, visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_the_reason_only_when_the_agent_gives_none() {
        let network = BotSignals::NETWORK;
        for (signals, without, with) in [
            (BotSignals::NONE, None, BotReason::Network),
            (BotSignals::LISTED_NAME, None, BotReason::Network),
            (
                BotSignals::NO_AGENT,
                Some(BotReason::NoAgent),
                BotReason::NoAgent,
            ),
            (
                BotSignals::CRAWLER,
                Some(BotReason::Agent),
                BotReason::Agent,
            ),
            (
                BotSignals::LINK_PREVIEW,
                Some(BotReason::Preview),
                BotReason::Preview,
            ),
        ] {
            assert_eq!(reason(signals), without, "{signals:?}");
            assert_eq!(reason(signals.and(network)), Some(with), "{signals:?}");
        }
    }
}

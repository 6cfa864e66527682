//! Judges a beacon: finds its tenant, decides whether it counts, and makes the event.
//!
//! The one rule: the order of refusals is bot, consent, token. A beacon for a proven page that the
//! directory does not have yet is neither refused nor accepted.

use super::{
    beacon::{Beacon, Content, Name, Pageview, Session},
    facts::{Facts, Rules, Trust},
    verdict::{Answer, KnownPage, Missing, Origin, Refusal, Verdict},
};
use crate::{
    directory::{Directory, Tenant},
    enrich::{BotSignals, Enricher, GeoDatabase, Networks, Sighting, Who, arrival, referrer, utm},
};
use runtime::IdSource;
use schemas::{
    Body, CustomTracked, EnrichmentVersions, Event, EventId, IdMaker, Keyring, PageId, PageLeft,
    PageViewed, PageviewId, RefusalReason, SessionHeartbeat, SessionId, SessionIdentified,
    SessionStarted, Visitor, WorkspaceNo, routed::Payload, tracking_token,
};

/// Program and version, for the `producer` member of events.
pub const PRODUCER: &str = concat!("ingest/", env!("CARGO_PKG_VERSION"));

/// Judges beacons. Clones share the large data.
#[derive(Clone, Debug)]
pub struct Acceptor {
    tracking: Keyring,
    pub(super) ids: IdMaker,
    enricher: Enricher,
    rules: Rules,
}

impl Acceptor {
    /// Makes an acceptor with these secrets and this enrichment.
    #[must_use]
    pub fn new(tracking: Keyring, ids: IdMaker, enricher: Enricher, rules: Rules) -> Self {
        Self {
            tracking,
            ids,
            enricher,
            rules,
        }
    }

    /// The same acceptor with another `GeoIP` database.
    #[must_use]
    pub fn with_geo(&self, geo: GeoDatabase) -> Self {
        Self {
            enricher: self.enricher.with_geo(geo),
            ..self.clone()
        }
    }

    /// The same acceptor with another list of networks of machines.
    #[must_use]
    pub fn with_networks(&self, networks: Networks) -> Self {
        Self {
            enricher: self.enricher.with_networks(networks),
            ..self.clone()
        }
    }

    /// The acceptor's configuration.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    /// Makes and verifies ids.
    pub(crate) const fn ids(&self) -> &IdMaker {
        &self.ids
    }

    /// Finds out who sent a request, and from where.
    pub(crate) const fn enricher(&self) -> &Enricher {
        &self.enricher
    }

    /// Judges a beacon whose `origin` was traced.
    #[must_use]
    pub fn judge(
        &self,
        beacon: &Beacon<'_>,
        origin: Origin,
        facts: &Facts<'_>,
        directory: &Directory,
        fresh: &dyn IdSource,
    ) -> Verdict {
        match &beacon.content {
            Content::Session(session) => {
                self.judge_session(beacon, session, facts, directory, fresh)
            }
            Content::Track(_) if !self.rules.tracking_enabled => {
                refuse(RefusalReason::TrackingDisabled, None, Answer::TRACKED)
            }
            _ => self.judge_part(beacon, origin, facts, directory, fresh),
        }
    }

    fn judge_session(
        &self,
        beacon: &Beacon<'_>,
        session: &Session<'_>,
        facts: &Facts<'_>,
        directory: &Directory,
        fresh: &dyn IdSource,
    ) -> Verdict {
        let known = session.page.and_then(|page| directory.page(page));
        let refuse_unseen = |reason| refuse(reason, known, Answer::NO_ID);
        let signals = self.signals(facts);
        if signals.refuses() {
            return refuse_unseen(RefusalReason::Bot);
        }
        if facts.trust == Trust::Beacon && !session.consent {
            return refuse_unseen(RefusalReason::Consent);
        }
        let payload = payload(beacon, fresh);
        let Some(page) = session.page else {
            // The answer has an id under no workspace. Later beacons of this visit trace to it and
            // are refused for the same reason.
            let id = self.ids.session(WorkspaceNo::NONE, payload);
            return refuse(RefusalReason::NoPage, None, Answer::Id { id: Some(id.0) });
        };
        if facts.trust == Trust::Beacon && !self.proves(session.tracking_token, page, facts) {
            return refuse_unseen(RefusalReason::Token);
        }
        // The token proves that the page exists, so only the directory is behind. A refusal here
        // would lose a real visit.
        let Some(known) = known else {
            return Verdict::Unknown(Missing::Page(page));
        };
        let id = self.ids.session(known.tenant.workspace_no, payload);
        let sighting = Sighting {
            address: facts.address,
            user_agent: facts.user_agent,
            claims: session.claims,
        };
        let who = Who::Id(session.visitor_id);
        let workspace = known.tenant.workspace_id;
        let referrer = referrer::read(session.referrer);
        let landing = utm::read(session.landing_url);
        let visitor = self.enricher.visitor(workspace, who, &sighting);
        let source_class = arrival::class(&referrer, &landing, visitor.agent.browser.as_deref());
        let event = Made {
            beacon,
            facts,
            tenant: known.tenant,
            fresh,
        }
        .event(
            Some(visitor),
            Some(self.enricher.versions().clone()),
            Body::SessionStarted(SessionStarted {
                session_id: id,
                page_id: page,
                referrer: referrer.url,
                referrer_domain: referrer.domain,
                source_class,
                landing_path: landing.path,
                utm: landing.utm,
                bot_signals: signals.bits(),
            }),
        );
        Verdict::Accept(event, Answer::Id { id: Some(id.0) })
    }

    /// Judges a beacon that belongs to a visit.
    fn judge_part(
        &self,
        beacon: &Beacon<'_>,
        origin: Origin,
        facts: &Facts<'_>,
        directory: &Directory,
        fresh: &dyn IdSource,
    ) -> Verdict {
        let unseen = Answer::unseen(beacon.kind());
        if let Some(name) = beacon.named()
            && let Some(reason) = self.refuses_name(beacon, name, facts)
        {
            return refuse(reason, directory.page(name.page), unseen);
        }
        let workspace_no = match origin {
            Origin::Session(workspace_no, _) | Origin::Pageview(workspace_no, _) => workspace_no,
            Origin::Forged => return Verdict::Forged(unseen),
            Origin::Unknown(page) => return Verdict::Unknown(Missing::Page(page)),
            Origin::Opening | Origin::Nowhere => {
                return refuse(RefusalReason::NoSession, None, unseen);
            }
        };
        let view = |workspace_no| self.ids.pageview(workspace_no, payload(beacon, fresh));
        if workspace_no == WorkspaceNo::NONE {
            let answer = match beacon.content {
                Content::Pageview(_) => Answer::Id {
                    id: Some(view(workspace_no).0),
                },
                _ => unseen,
            };
            return refuse(RefusalReason::NoPage, None, answer);
        }
        let Some(workspace_id) = directory.workspace(workspace_no) else {
            return Verdict::Unknown(Missing::Workspace(workspace_no));
        };
        let tenant = Tenant {
            workspace_no,
            workspace_id,
        };
        let user = || {
            facts.user.map(|subject| Visitor {
                user_hash: Some(self.enricher.hasher().user(workspace_id, subject)),
                ..Visitor::default()
            })
        };
        let (visitor, body, answer) = match (&beacon.content, origin) {
            (Content::Heartbeat(_), Origin::Session(_, session_id)) => {
                let body = Body::SessionHeartbeat(SessionHeartbeat { session_id });
                (None, body, unseen)
            }
            (Content::Identify(_), Origin::Session(_, session_id)) => {
                let body = Body::SessionIdentified(SessionIdentified { session_id });
                (user(), body, unseen)
            }
            (Content::Track(track), Origin::Session(_, session_id)) => {
                let body = Body::CustomTracked(CustomTracked {
                    session_id,
                    name: track.name.to_owned(),
                    properties: track.properties.cloned().unwrap_or_default(),
                });
                (user(), body, unseen)
            }
            (Content::Pageview(content), Origin::Session(_, session_id)) => {
                let id = view(workspace_no);
                let answer = Answer::Id { id: Some(id.0) };
                (None, viewed(content, id, session_id), answer)
            }
            (Content::Leave(leave), Origin::Pageview(_, pageview_id)) => {
                let body = Body::PageLeft(PageLeft {
                    pageview_id,
                    duration_seconds: leave.duration_seconds,
                    scroll_depth_percent: leave.scroll_depth_percent,
                });
                (None, body, unseen)
            }
            // `trace` never gives a view for a visit's beacon, nor a visit for a view's beacon.
            _ => return Verdict::Forged(unseen),
        };
        let made = Made {
            beacon,
            facts,
            tenant,
            fresh,
        };
        Verdict::Accept(made.event(visitor, None, body), answer)
    }

    /// Why a beacon may not name its visit or view instead of giving an id. The tag of an id proves
    /// that the visit was judged. A name proves nothing, so the visit is judged here as far as
    /// possible.
    fn refuses_name(
        &self,
        beacon: &Beacon<'_>,
        name: Name,
        facts: &Facts<'_>,
    ) -> Option<RefusalReason> {
        if self.signals(facts).refuses() {
            return Some(RefusalReason::Bot);
        }
        let is_proven = beacon.proof.is_some_and(|proof| {
            let holds_at = |at| tracking_token::verify(&self.tracking, name.page, proof.token, at);
            holds_at(facts.occurred_at) || proof.named_at.is_some_and(holds_at)
        });
        (facts.trust == Trust::Beacon && !is_proven).then_some(RefusalReason::Token)
    }

    fn signals(&self, facts: &Facts<'_>) -> BotSignals {
        self.enricher
            .signals(facts.user_agent, &facts.purpose, facts.address)
    }

    fn proves(&self, token: Option<&str>, page: PageId, facts: &Facts<'_>) -> bool {
        token.is_some_and(|token| {
            tracking_token::verify(&self.tracking, page, token, facts.occurred_at)
        })
    }
}

/// The inputs that every event is made from.
struct Made<'a> {
    beacon: &'a Beacon<'a>,
    facts: &'a Facts<'a>,
    tenant: Tenant,
    fresh: &'a dyn IdSource,
}

impl Made<'_> {
    fn event(
        &self,
        visitor: Option<Visitor>,
        enrichment: Option<EnrichmentVersions>,
        body: Body,
    ) -> Box<Event> {
        let Tenant {
            workspace_no,
            workspace_id,
        } = self.tenant;
        // A derived id makes the client's retry the same event, which the projector counts once.
        let event_id = match self.beacon.event_id {
            Some(given) => EventId::derive(workspace_id, self.beacon.kind().event(), given),
            None => EventId(self.fresh.uuid_v7(self.facts.received_at)),
        };
        Box::new(Event {
            event_id,
            occurred_at: self.facts.occurred_at,
            received_at: self.facts.received_at,
            workspace_id,
            workspace_no,
            producer: PRODUCER.to_owned(),
            enrichment,
            visitor,
            body,
        })
    }
}

fn viewed(view: &Pageview<'_>, pageview_id: PageviewId, session_id: SessionId) -> Body {
    Body::PageViewed(PageViewed {
        pageview_id,
        session_id,
        link_id: view.link,
        path: view.path.map(str::to_owned),
        title: view.title.map(str::to_owned),
        referrer: view.referrer.and_then(referrer::kept_url),
    })
}

fn payload(beacon: &Beacon<'_>, fresh: &dyn IdSource) -> Payload {
    beacon
        .event_id
        .map_or_else(|| Payload::Random(fresh.random_16()), Payload::EventId)
}

fn refuse(reason: RefusalReason, page: Option<KnownPage>, answer: Answer) -> Verdict {
    Verdict::Refuse(Refusal {
        reason,
        page,
        answer,
    })
}

//! What becomes of a beacon: whose it is first, then whether it counts, then the event.
//!
//! The one rule: the order of refusals is bot, consent, token, and no beacon is refused or accepted for a
//! page that is proven and not known yet.

use super::{
    beacon::{Beacon, Content, Name, Pageview, Session},
    facts::{Facts, Rules, Trust},
    verdict::{Answer, KnownPage, Missing, Origin, Refusal, Verdict},
};
use crate::{
    directory::{Directory, Tenant},
    enrich::{Enricher, GeoDatabase, Sighting, Who, arrival, referrer, utm},
};
use runtime::IdSource;
use schemas::{
    Body, CustomTracked, EnrichmentVersions, Event, EventId, IdMaker, Keyring, PageId, PageLeft,
    PageViewed, PageviewId, RefusalReason, SessionHeartbeat, SessionId, SessionIdentified,
    SessionStarted, Visitor, WorkspaceNo, routed::Payload, tracking_token,
};

/// Program and version, as events carry it.
pub const PRODUCER: &str = concat!("ingest/", env!("CARGO_PKG_VERSION"));

/// Judges beacons. Cloning shares what is large.
#[derive(Clone, Debug)]
pub struct Acceptor {
    tracking: Keyring,
    pub(super) ids: IdMaker,
    enricher: Enricher,
    rules: Rules,
}

impl Acceptor {
    /// An acceptor under these secrets, with this enrichment.
    #[must_use]
    pub fn new(tracking: Keyring, ids: IdMaker, enricher: Enricher, rules: Rules) -> Self {
        Self {
            tracking,
            ids,
            enricher,
            rules,
        }
    }

    /// The same with another `GeoIP` database.
    #[must_use]
    pub fn with_geo(&self, geo: GeoDatabase) -> Self {
        Self {
            enricher: self.enricher.with_geo(geo),
            ..self.clone()
        }
    }

    /// What it is configured with.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    /// What becomes of the beacon.
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
        let signals = self.enricher.signals(facts.user_agent, &facts.purpose);
        if signals.refuses() {
            return refuse_unseen(RefusalReason::Bot);
        }
        if facts.trust == Trust::Beacon && !session.consent {
            return refuse_unseen(RefusalReason::Consent);
        }
        let payload = payload(beacon, fresh);
        let Some(page) = session.page else {
            let id = self.ids.session(WorkspaceNo::NONE, payload);
            return refuse(RefusalReason::NoPage, None, Answer::Id { id: Some(id.0) });
        };
        if facts.trust == Trust::Beacon && !self.proves(session.tracking_token, page, facts) {
            return refuse_unseen(RefusalReason::Token);
        }
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

    /// A beacon that belongs to a visit.
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
            // `trace` gives no view for a visit's beacon and no visit for a view's.
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

    /// Why a beacon may not name its visit or view in place of an id. An id's tag proves that the visit was
    /// judged; a name proves nothing, so the visit behind it is judged here as far as possible.
    fn refuses_name(
        &self,
        beacon: &Beacon<'_>,
        name: Name,
        facts: &Facts<'_>,
    ) -> Option<RefusalReason> {
        let signals = self.enricher.signals(facts.user_agent, &facts.purpose);
        if signals.refuses() {
            return Some(RefusalReason::Bot);
        }
        let is_proven = beacon.proof.is_some_and(|proof| {
            let holds_at = |at| tracking_token::verify(&self.tracking, name.page, proof.token, at);
            holds_at(facts.occurred_at) || proof.named_at.is_some_and(holds_at)
        });
        (facts.trust == Trust::Beacon && !is_proven).then_some(RefusalReason::Token)
    }

    fn proves(&self, token: Option<&str>, page: PageId, facts: &Facts<'_>) -> bool {
        token.is_some_and(|token| {
            tracking_token::verify(&self.tracking, page, token, facts.occurred_at)
        })
    }
}

/// What an event is made from, whatever its type.
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

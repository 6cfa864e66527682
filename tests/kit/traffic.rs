//! Random traffic as a log may hold it: late, early and repeated records, visits that never start, clicks
//! on unknown links. The same seed gives the same records.

use jiff::{SignedDuration, Timestamp};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use schemas::{
    Agent, BeaconRefused, Body, Device, Event, EventId, LinkId, PageId, PageLeft, PageViewed,
    PageviewId, Place, RefusalReason, SessionHeartbeat, SessionId, SessionStarted, SourceClass,
    Utm, Visitor, VisitorHash, WorkspaceId, WorkspaceNo,
};
use uuid::Uuid;

/// The tenant of the traffic, with its pages and links.
#[derive(Clone, Debug)]
pub struct Site {
    /// Tenant.
    pub workspace_id: WorkspaceId,
    /// Its number.
    pub workspace_no: WorkspaceNo,
    /// Pages that are visited.
    pub pages: Vec<Uuid>,
    /// Links that are clicked.
    pub links: Vec<Uuid>,
}

const REFERRERS: [&str; 7] = [
    "a;=1+1",
    "instagram.com",
    "t.co",
    "direct",
    "=evil",
    "a,b.example",
    "youtube.com",
];
/// Name, code and continent.
const COUNTRIES: [(&str, &str, &str); 4] = [
    ("Turkey", "TR", "AS"),
    ("Germany", "DE", "EU"),
    ("Nepal", "NP", "AS"),
    ("Chile", "CL", "SA"),
];
const WORDS: [&str; 6] = ["alpha", "Beta", "none", "gamma, delta", r"ü\n", "-minus"];
const PATHS: [&str; 3] = ["/", "/@ada", "/a,b?c"];

/// The records of a number of visits that began in the days before `now`, in random order.
#[must_use]
pub fn records(site: &Site, seed: u64, visits: u32, now: Timestamp, days: i64) -> Vec<Event> {
    let mut random = Random(StdRng::seed_from_u64(seed), site.clone());
    let mut all = Vec::new();
    for _ in 0..visits {
        let ago = random.0.random_range(0..days * 86_400_000);
        let at = now - SignedDuration::from_millis(ago);
        random.visit(at, &mut all);
    }
    for _ in 0..visits / 10 {
        let ago = random.0.random_range(0..days * 1_440);
        let minute = now - SignedDuration::from_mins(ago);
        all.push(random.refusal(minute));
    }
    let repeated: Vec<Event> = all.iter().step_by(9).cloned().collect();
    all.extend(repeated);
    all.shuffle(&mut random.0);
    all
}

/// A source of random records of a site.
pub(crate) struct Random(pub(crate) StdRng, pub(crate) Site);

impl Random {
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.random_range(0..of.len())]
    }

    /// One of them, or `None`.
    pub(crate) fn maybe(&mut self, of: &[&str]) -> Option<String> {
        self.0.random_bool(0.8).then(|| self.one(of).to_owned())
    }

    pub(crate) fn id(&mut self) -> Uuid {
        Uuid::from_u128(self.0.random())
    }

    pub(crate) fn event(&mut self, at: Timestamp, visitor: Option<Visitor>, body: Body) -> Event {
        Event {
            event_id: EventId(self.id()),
            occurred_at: at,
            received_at: at,
            workspace_id: self.1.workspace_id,
            workspace_no: self.1.workspace_no,
            producer: "test/0".to_owned(),
            enrichment: None,
            visitor,
            body,
        }
    }

    fn visit(&mut self, at: Timestamp, all: &mut Vec<Event>) {
        let session_id = SessionId(self.id());
        // Some visits never start: their other events wait for ever.
        if self.0.random_bool(0.97) {
            let start = self.start(session_id);
            let visitor = self.visitor();
            let event = self.event(at, Some(visitor), Body::SessionStarted(start));
            all.push(event);
        }
        let mut now = at;
        for _ in 0..self.0.random_range(0..5) {
            // Seldom more than an hour; beyond that, the next view does not end the previous one.
            now += SignedDuration::from_millis(self.0.random_range(0..4_000_000));
            self.view(session_id, now, all);
        }
        for beat in 0..self.0.random_range(0..3) {
            let at = at + SignedDuration::from_secs(30 * (beat + 1));
            let body = Body::SessionHeartbeat(SessionHeartbeat { session_id });
            let event = self.event(at, None, body);
            all.push(event);
        }
    }

    fn start(&mut self, session_id: SessionId) -> SessionStarted {
        let (pages, classes) = (
            self.1.pages.clone(),
            [SourceClass::Direct, SourceClass::Social, SourceClass::Other],
        );
        SessionStarted {
            session_id,
            page_id: PageId(self.one(&pages)),
            referrer: None,
            referrer_domain: self.one(&REFERRERS).to_owned(),
            source_class: self.one(&classes),
            landing_path: self.maybe(&PATHS),
            utm: Utm {
                source: self.maybe(&WORDS),
                medium: self.maybe(&WORDS[..2]),
                campaign: self.maybe(&WORDS[2..]),
                term: None,
                content: None,
            },
            bot_signals: 0,
        }
    }

    pub(crate) fn visitor(&mut self) -> Visitor {
        let place = self.0.random_bool(0.8).then(|| self.one(&COUNTRIES));
        let devices = [Device::Mobile, Device::Tablet, Device::Desktop];
        Visitor {
            hash: Some(VisitorHash([self.0.random_range(0..120); 16])),
            place: Place {
                country: place.map(|(name, ..)| name.to_owned()),
                country_code: place.map(|(_, code, _)| code.to_owned()),
                region: self.maybe(&WORDS[..3]),
                city: self.maybe(&WORDS),
                continent: place.map(|(.., continent)| continent.to_owned()),
            },
            agent: Agent {
                device: self.0.random_bool(0.9).then(|| self.one(&devices)),
                browser: self.maybe(&WORDS[1..4]),
                os: self.maybe(&WORDS[..3]),
                ..Agent::default()
            },
            language: self.maybe(&["tr-TR", "de", "en-US"]),
            ..Visitor::default()
        }
    }

    fn view(&mut self, session_id: SessionId, at: Timestamp, all: &mut Vec<Event>) {
        let pageview_id = PageviewId(self.id());
        let links = self.1.links.clone();
        let link = self.0.random_bool(0.4).then(|| self.one(&links));
        let body = Body::PageViewed(PageViewed {
            pageview_id,
            session_id,
            link_id: link.map(LinkId),
            path: self.maybe(&PATHS),
            title: None,
            referrer: None,
        });
        let event = self.event(at, None, body);
        all.push(event);
        if self.0.random_bool(0.3) {
            // Quarters of a second add up exactly in doubles.
            let duration_seconds = f64::from(self.0.random_range(0..14_400_u16)) / 4.0;
            let body = Body::PageLeft(PageLeft {
                pageview_id,
                duration_seconds,
                scroll_depth_percent: None,
            });
            let event = self.event(at, None, body);
            all.push(event);
        }
    }

    fn refusal(&mut self, minute: Timestamp) -> Event {
        let (pages, reasons) = (
            self.1.pages.clone(),
            [
                RefusalReason::Bot,
                RefusalReason::Consent,
                RefusalReason::Token,
            ],
        );
        let body = Body::BeaconRefused(BeaconRefused {
            page_id: PageId(self.one(&pages)),
            reason: self.one(&reasons),
            minute,
            count: self.0.random_range(1..40),
        });
        self.event(minute, None, body)
    }
}

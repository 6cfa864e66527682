//! The types of a beacon that was read: its shape is valid, but it is not yet accepted.

use crate::{enrich::Claims, outcome::BeaconType};
use jiff::Timestamp;
use schemas::{Kind, LinkId, PageId, PageviewId, SessionId};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The six beacons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BeaconKind {
    /// A visit begins.
    Session,
    /// A visit is still in view.
    Heartbeat,
    /// A visit's user signed in.
    Identify,
    /// A page is viewed, or a link clicked.
    Pageview,
    /// A page is left.
    Leave,
    /// A site's own event.
    Track,
}

impl BeaconKind {
    /// The kind that a member of a batch gives as its `type`. Identify is not allowed in a batch.
    #[must_use]
    pub fn from_member_type(name: &str) -> Option<Self> {
        [
            Self::Session,
            Self::Heartbeat,
            Self::Pageview,
            Self::Leave,
            Self::Track,
        ]
        .into_iter()
        .find(|kind| BeaconType::from(*kind).name() == name)
    }

    /// The type of event that the beacon becomes.
    #[must_use]
    pub const fn event(self) -> Kind {
        match self {
            Self::Session => Kind::SessionStarted,
            Self::Heartbeat => Kind::SessionHeartbeat,
            Self::Identify => Kind::SessionIdentified,
            Self::Pageview => Kind::PageViewed,
            Self::Leave => Kind::PageLeft,
            Self::Track => Kind::CustomTracked,
        }
    }

    /// The id of the beacon's limit.
    #[must_use]
    pub const fn throttle(self) -> &'static str {
        match self {
            Self::Session => "analytics.session",
            Self::Heartbeat => "analytics.heartbeat",
            Self::Identify => "analytics.identify",
            Self::Pageview => "analytics.pageview",
            Self::Leave => "analytics.leave",
            Self::Track => "analytics.track",
        }
    }

    /// True when only a signed-in visitor may send it.
    #[must_use]
    pub const fn needs_user(self) -> bool {
        matches!(self, Self::Identify | Self::Track)
    }

    /// True when the path alone may identify everything, so the body may be empty.
    #[must_use]
    pub const fn takes_empty_body(self) -> bool {
        matches!(self, Self::Heartbeat | Self::Identify)
    }
}

impl From<BeaconKind> for BeaconType {
    fn from(kind: BeaconKind) -> Self {
        match kind {
            BeaconKind::Session => Self::Session,
            BeaconKind::Heartbeat => Self::Heartbeat,
            BeaconKind::Identify => Self::Identify,
            BeaconKind::Pageview => Self::Pageview,
            BeaconKind::Leave => Self::Leave,
            BeaconKind::Track => Self::Track,
        }
    }
}

/// A beacon.
#[derive(Clone, Debug)]
pub struct Beacon<'a> {
    /// The client's own id for the beacon. The same id counts once, however late the retry comes.
    pub event_id: Option<Uuid>,
    /// Proof of the page in a [`Name`], when the beacon has a name instead of an id.
    pub proof: Option<Proof<'a>>,
    /// The content, by kind.
    pub content: Content<'a>,
}

/// The content of a beacon.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// A visit begins.
    Session(Session<'a>),
    /// A visit is still in view.
    Heartbeat(SessionRef),
    /// A visit's user signed in.
    Identify(SessionRef),
    /// A page is viewed, or a link clicked.
    Pageview(Pageview<'a>),
    /// A page is left.
    Leave(Leave),
    /// A site's own event.
    Track(Track<'a>),
}

/// A visit begins.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The client's id for its visitor; never leaves ingest.
    pub visitor_id: &'a str,
    /// True when `consentAnalytics` was exactly `granted`.
    pub consent: bool,
    /// The page visited.
    pub page: Option<PageId>,
    /// Proof that we rendered the page.
    pub tracking_token: Option<&'a str>,
    /// Where the visitor came from.
    pub referrer: Option<&'a str>,
    /// Where the visitor landed.
    pub landing_url: Option<&'a str>,
    /// What the client says about itself.
    pub claims: Claims<'a>,
}

/// A page is viewed, or a link clicked.
#[derive(Clone, Copy, Debug)]
pub struct Pageview<'a> {
    /// The visit.
    pub session: SessionRef,
    /// The link clicked, as sent.
    pub link: Option<LinkId>,
    /// Path of the page.
    pub path: Option<&'a str>,
    /// Title of the page.
    pub title: Option<&'a str>,
    /// Referrer of the page.
    pub referrer: Option<&'a str>,
}

/// A page is left.
#[derive(Clone, Copy, Debug)]
pub struct Leave {
    /// The view that ends.
    pub pageview: PageviewRef,
    /// How long the page was in view, 0..=3600.
    pub duration_seconds: f64,
    /// How far down the page was read, 0..=100 percent.
    pub scroll_depth_percent: Option<f64>,
}

/// A site's own event.
#[derive(Clone, Copy, Debug)]
pub struct Track<'a> {
    /// The name that the site gives to the event.
    pub name: &'a str,
    /// The visit, if one was named.
    pub session: Option<SessionRef>,
    /// Any properties that the site attached.
    pub properties: Option<&'a Map<String, Value>>,
}

/// Proof that the client saw the page that a [`Name`] contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof<'a> {
    /// The page's tracking token.
    pub token: &'a str,
    /// When the named visit or view was proven, if the same group accepted it. The token may be as
    /// old as that.
    pub named_at: Option<Timestamp>,
}

/// A reference to a visit or view by the page and `eventId` it was sent with, instead of by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The page.
    pub page: PageId,
    /// The `eventId`.
    pub event_id: Uuid,
}

/// A visit that a beacon refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionRef {
    /// By its id, not yet verified.
    Id(SessionId),
    /// By the page and `eventId` it was sent with.
    Named(Name),
    /// By a text that is not an id.
    Stranger,
}

impl SessionRef {
    /// A reference from the text of an id; any text is allowed.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        runtime::http::validate::parse_uuid(text)
            .map_or(Self::Stranger, |id| Self::Id(SessionId(id)))
    }
}

/// A view that a beacon refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageviewRef {
    /// By its id, not yet verified.
    Id(PageviewId),
    /// By the page and `eventId` it was sent with.
    Named(Name),
    /// By a text that is not an id.
    Stranger,
}

impl PageviewRef {
    /// A reference from the text of an id; any text is allowed.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        runtime::http::validate::parse_uuid(text)
            .map_or(Self::Stranger, |id| Self::Id(PageviewId(id)))
    }
}

impl Beacon<'_> {
    /// The beacon's kind.
    #[must_use]
    pub const fn kind(&self) -> BeaconKind {
        match self.content {
            Content::Session(_) => BeaconKind::Session,
            Content::Heartbeat(_) => BeaconKind::Heartbeat,
            Content::Identify(_) => BeaconKind::Identify,
            Content::Pageview(_) => BeaconKind::Pageview,
            Content::Leave(_) => BeaconKind::Leave,
            Content::Track(_) => BeaconKind::Track,
        }
    }

    /// The name that the beacon gives instead of an id, if any.
    #[must_use]
    pub fn named(&self) -> Option<Name> {
        match self.content {
            Content::Heartbeat(SessionRef::Named(name))
            | Content::Identify(SessionRef::Named(name))
            | Content::Pageview(Pageview {
                session: SessionRef::Named(name),
                ..
            })
            | Content::Leave(Leave {
                pageview: PageviewRef::Named(name),
                ..
            })
            | Content::Track(Track {
                session: Some(SessionRef::Named(name)),
                ..
            }) => Some(name),
            _ => None,
        }
    }
}

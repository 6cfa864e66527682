//! Whose a beacon is, by the tag of the id that it names, and what its own limit is counted by.
//!
//! The one rule: nothing is counted by an id that is not proven, or anybody could fill the limiter.

use super::{
    beacon::{Beacon, Content, Name, PageviewRef, SessionRef},
    facts::Facts,
    judge::Acceptor,
    verdict::{Bucket, Origin},
};
use crate::directory::Directory;
use schemas::{WorkspaceNo, routed::Payload};

impl Acceptor {
    /// Whose the beacon is, by the tag of the id that it names.
    #[must_use]
    pub fn trace(&self, beacon: &Beacon<'_>, directory: &Directory) -> Origin {
        match &beacon.content {
            Content::Session(_) => Origin::Opening,
            Content::Heartbeat(session) | Content::Identify(session) => {
                self.trace_session(*session, directory)
            }
            Content::Pageview(view) => self.trace_session(view.session, directory),
            Content::Track(track) => track.session.map_or(Origin::Nowhere, |session| {
                self.trace_session(session, directory)
            }),
            Content::Leave(leave) => match leave.pageview {
                PageviewRef::Id(id) => self
                    .ids
                    .verify_pageview(id)
                    .map_or(Origin::Forged, |no| Origin::Pageview(no, id)),
                PageviewRef::Named(name) => named(name, directory, |no, payload| {
                    Origin::Pageview(no, self.ids.pageview(no, payload))
                }),
                PageviewRef::Stranger => Origin::Forged,
            },
        }
    }

    fn trace_session(&self, session: SessionRef, directory: &Directory) -> Origin {
        match session {
            SessionRef::Id(id) => self
                .ids
                .verify_session(id)
                .map_or(Origin::Forged, |no| Origin::Session(no, id)),
            SessionRef::Named(name) => named(name, directory, |no, payload| {
                Origin::Session(no, self.ids.session(no, payload))
            }),
            SessionRef::Stranger => Origin::Forged,
        }
    }

    /// What the beacon's own limit is counted by; `None` where only the address can be.
    #[must_use]
    pub fn bucket<'a>(
        beacon: &Beacon<'a>,
        origin: Origin,
        facts: &Facts<'a>,
    ) -> Option<Bucket<'a>> {
        match (&beacon.content, origin) {
            (Content::Session(session), _) => Some(Bucket::Visit {
                address: facts.address,
                visitor_id: session.visitor_id,
                page: session.page,
            }),
            (Content::Identify(_) | Content::Track(_), _) => facts.user.map(Bucket::User),
            (_, Origin::Session(_, id)) => Some(Bucket::Session(id)),
            (_, Origin::Pageview(_, id)) => Some(Bucket::Pageview(id)),
            (_, Origin::Opening | Origin::Nowhere | Origin::Forged | Origin::Unknown(_)) => None,
        }
    }
}

fn named(
    name: Name,
    directory: &Directory,
    origin: impl FnOnce(WorkspaceNo, Payload) -> Origin,
) -> Origin {
    directory
        .page(name.page)
        .map_or(Origin::Unknown(name.page), |known| {
            origin(known.tenant.workspace_no, Payload::EventId(name.event_id))
        })
}

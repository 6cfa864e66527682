//! Traces a beacon to its workspace by the id or name that it gives.

use super::{
    beacon::{Beacon, Content, Name, PageviewRef, SessionRef},
    judge::Acceptor,
    verdict::Origin,
};
use crate::directory::Directory;
use schemas::{WorkspaceNo, routed::Payload};

impl Acceptor {
    /// Traces the beacon: the tag of an id proves the workspace; a name leads to it through the
    /// page.
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
}

/// Derives the id of a named visit or view: it is a function of workspace and `eventId`.
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

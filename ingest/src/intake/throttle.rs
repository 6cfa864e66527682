//! The second stage: spends the rate limit of a beacon's visitor, session, view or user.
//!
//! The one rule: only proven ids are counted. Otherwise any client could fill the limiter's memory.

use crate::{
    accept::{Beacon, Content, Facts, Origin},
    limits::Spent,
    sessions::Sessions,
};
use runtime::{http::client::neighbourhood, throttle::Throttles};

/// The limits of live beacons.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits<'a> {
    pub(super) throttles: &'a Throttles,
    pub(super) sessions: &'a Sessions,
}

impl Limits<'_> {
    /// Spends one use of a beacon's own limit. When only the address is known, nothing is spent,
    /// because the flood guard counts addresses already.
    ///
    /// # Errors
    /// [`Spent`] when the limit is exhausted.
    pub(super) fn spend(
        &self,
        beacon: &Beacon<'_>,
        origin: Origin,
        facts: &Facts<'_>,
    ) -> Result<(), Spent> {
        let route = beacon.kind().throttle();
        let spent = match (&beacon.content, origin) {
            (Content::Session(session), _) => {
                let visit = (
                    neighbourhood(facts.address),
                    session.visitor_id,
                    session.page,
                );
                self.throttles.spend(route, visit)
            }
            (Content::Identify(_) | Content::Track(_), _) => match facts.user {
                Some(user) => self.throttles.spend(route, user),
                None => return Ok(()),
            },
            (_, Origin::Session(_, id)) => self.throttles.spend(route, id),
            (_, Origin::Pageview(_, id)) => self.throttles.spend(route, id),
            (_, Origin::Opening | Origin::Nowhere | Origin::Forged | Origin::Unknown(_)) => {
                return Ok(());
            }
        };
        match spent {
            Ok(_) => Ok(()),
            Err(standing) => Err(Spent { route, standing }),
        }
    }
}

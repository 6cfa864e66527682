//! The stages that never wait: traces, throttles and judges each beacon of a group.
//!
//! Owns how beacons of one group affect each other; [`crate::accept`] judges each one. The one
//! rule: a beacon that names a visit of its group shares that visit's refusal.

use super::{
    passage::{Fate, Passage},
    throttle::Limits,
};
use crate::{
    accept::{Acceptor, Answer, Beacon, Content, Facts, Missing, Name, Refusal, Verdict},
    directory::Directory,
    limits::Spent,
};
use jiff::Timestamp;
use runtime::IdSource;
use schemas::{Event, RefusalReason};
use std::collections::HashMap;

/// Judges the beacons of one group. Visits must come before the beacons that name them.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) acceptor: &'a Acceptor,
    pub(crate) directory: &'a Directory,
    pub(crate) ids: &'a dyn IdSource,
    /// `None` for history, which has limits per line.
    pub(crate) limits: Option<Limits<'a>>,
    pub(crate) group: Group,
}

/// What the beacons of one group know about each other.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Visits that are not recorded, with the reason.
    dropped: HashMap<Name, RefusalReason>,
    /// Accepted visits and views, and when their page was proven.
    proven: HashMap<Name, Timestamp>,
}

impl Group {
    /// Marks a visit as dropped, so that beacons that name it get the same reason.
    pub(crate) fn drop_visit(&mut self, visit: Name, reason: RefusalReason) {
        self.dropped.insert(visit, reason);
    }
}

impl Judge<'_> {
    /// Judges the open beacons, and again those whose page or workspace was unknown.
    pub(crate) fn pass(&mut self, passages: &mut [Passage<'_>]) {
        // No other beacon can name a single one, so the common case skips the maps.
        let alone = passages.len() == 1;
        for passage in passages {
            if matches!(passage.fate, Fate::Open | Fate::Unknown(_)) {
                passage.fate = self.fate(passage);
                if !alone {
                    self.remember(passage);
                }
            }
        }
    }

    fn fate(&self, passage: &mut Passage<'_>) -> Fate {
        let named = passage.beacon.named();
        if let Some(name) = named {
            if let Some(reason) = self.group.dropped.get(&name) {
                return Fate::Refused(Refusal {
                    reason: *reason,
                    page: None,
                    answer: Answer::unseen(passage.beacon.kind()),
                });
            }
            if let Some(proof) = &mut passage.beacon.proof {
                // A visit may outlive its token. A later beacon is proven if the token was valid
                // when the visit began.
                proof.named_at = self.group.proven.get(&name).copied();
            }
        }
        match self.rule(&passage.beacon, &passage.facts, has_spent(passage)) {
            Err(spent) => Fate::Throttled(spent),
            Ok(Verdict::Accept(event, answer)) => Fate::Accepted(event, answer),
            Ok(Verdict::Refuse(refusal)) => Fate::Refused(refusal),
            Ok(Verdict::Forged(answer)) => Fate::Forged(answer),
            Ok(Verdict::Unknown(missing)) => Fate::Unknown(missing),
        }
    }

    /// Runs the stages in order for one beacon.
    fn rule(
        &self,
        beacon: &Beacon<'_>,
        facts: &Facts<'_>,
        has_spent: bool,
    ) -> Result<Verdict, Spent> {
        let origin = self.acceptor.trace(beacon, self.directory);
        let limits = self.limits.as_ref();
        if let Some(limits) = limits.filter(|_| !has_spent) {
            limits.spend(beacon, origin, facts)?;
        }
        let verdict = self
            .acceptor
            .judge(beacon, origin, facts, self.directory, self.ids);
        // Only accepted events enter the memory of sessions: a refused beacon costs its sender no
        // proof.
        if let (Verdict::Accept(event, _), Some(limits)) = (&verdict, limits)
            && let Some(refusal) = self.bound(event, beacon, facts, limits)
        {
            return Ok(Verdict::Refuse(refusal));
        }
        Ok(verdict)
    }

    /// Refuses an event beyond the bounds of its session or address.
    fn bound(
        &self,
        event: &Event,
        beacon: &Beacon<'_>,
        facts: &Facts<'_>,
        limits: &Limits<'_>,
    ) -> Option<Refusal> {
        let reason = limits
            .sessions
            .admit(event, beacon, facts.address, limits.throttles)
            .err()?;
        let page = match &beacon.content {
            Content::Session(session) => session.page,
            _ => beacon.named().map(|name| name.page),
        };
        Some(Refusal {
            reason,
            page: page.and_then(|page| self.directory.page(page)),
            answer: Answer::unseen(beacon.kind()),
        })
    }

    /// Remembers a visit or view that other beacons of the group may name.
    fn remember(&mut self, passage: &Passage<'_>) {
        let beacon = &passage.beacon;
        let page = match &beacon.content {
            Content::Session(session) => session.page,
            Content::Pageview(_) => beacon.named().map(|name| name.page),
            _ => None,
        };
        let (Some(page), Some(event_id)) = (page, beacon.event_id) else {
            return;
        };
        let name = Name { page, event_id };
        match (&passage.fate, &beacon.content) {
            (Fate::Accepted(..), _) => {
                // A view inherits the time of its visit's proof.
                let named_at = beacon.proof.and_then(|proof| proof.named_at);
                let at = named_at.unwrap_or(passage.facts.occurred_at);
                self.group.proven.insert(name, at);
            }
            (Fate::Refused(refusal), Content::Session(_)) => {
                self.group.drop_visit(name, refusal.reason);
            }
            _ => {}
        }
    }
}

/// True when a beacon that is judged again has already spent its limit. A name with an unknown page
/// gave no id the first time, so only a user's limit could be spent.
fn has_spent(passage: &Passage<'_>) -> bool {
    let Fate::Unknown(missing) = &passage.fate else {
        return false;
    };
    let had_no_id = passage.beacon.named().is_some() && matches!(missing, Missing::Page(_));
    !had_no_id || passage.beacon.kind().needs_user()
}

//! A beacon on its way through the stages, and what has become of it so far.

use crate::{
    accept::{Answer, Beacon, Facts, Missing, Refusal},
    limits::Spent,
    outcome::{Outcome, Ticket},
    sink::NotDurable,
};
use schemas::Event;

/// A beacon on its way.
#[derive(Debug)]
pub(crate) struct Passage<'a> {
    pub(super) beacon: Beacon<'a>,
    pub(super) facts: Facts<'a>,
    /// Counts what becomes of the beacon. The import counts lines, so history has none.
    pub(super) ticket: Option<Ticket>,
    /// What has become of it.
    pub(crate) fate: Fate,
}

/// What has become of a beacon. Each stage changes the fates that it is about and leaves the others.
#[derive(Debug)]
pub(crate) enum Fate {
    /// Nothing yet.
    Open,
    /// The directory does not know what it names.
    Unknown(Missing),
    /// This event is to be published, and this is the answer then.
    Accepted(Box<Event>, Answer),
    /// Its event is in the log.
    Kept(Answer),
    /// Its event is not known to be in the log.
    Lost(NotDurable),
    /// It is answered and not counted.
    Refused(Refusal),
    /// It names an id that we did not make.
    Forged(Answer),
    /// Its limit is spent.
    Throttled(Spent),
}

impl<'a> Passage<'a> {
    /// A beacon of a request.
    pub(crate) fn live(beacon: Beacon<'a>, facts: Facts<'a>, mut ticket: Ticket) -> Self {
        // The outcome if the client hangs up before the answer: the beacon was not taken.
        ticket.otherwise(Outcome::UnknownPage);
        Self {
            ticket: Some(ticket),
            ..Self::of_history(beacon, facts)
        }
    }

    /// A beacon of a visit that another system recorded.
    pub(crate) const fn of_history(beacon: Beacon<'a>, facts: Facts<'a>) -> Self {
        Self {
            beacon,
            facts,
            ticket: None,
            fate: Fate::Open,
        }
    }

    /// Counts the beacon, if it has not been counted yet.
    pub(super) fn settle(&mut self, outcome: Outcome) {
        if let Some(ticket) = self.ticket.take() {
            ticket.settle(outcome);
        }
    }
}

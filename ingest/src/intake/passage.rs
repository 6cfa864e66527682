//! A beacon on its way through the stages, with its fate so far.

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
    /// Counts the beacon's outcome. History has no tickets, because the import counts lines.
    pub(super) ticket: Option<Ticket>,
    /// The beacon's fate so far.
    pub(crate) fate: Fate,
}

/// The fate of a beacon. Each stage changes only the fates that it handles.
#[derive(Debug)]
pub(crate) enum Fate {
    /// Not judged yet.
    Open,
    /// The directory does not have its page or workspace yet.
    Unknown(Missing),
    /// Accepted: the event to publish, and the answer after that.
    Accepted(Box<Event>, Answer),
    /// The event is in the log.
    Kept(Answer),
    /// The event is not known to be in the log.
    Lost(NotDurable),
    /// Answered but not counted.
    Refused(Refusal),
    /// Its id was not made by us.
    Forged(Answer),
    /// Its rate limit is spent.
    Throttled(Spent),
}

impl<'a> Passage<'a> {
    /// Starts the passage of a request's beacon.
    pub(crate) fn live(beacon: Beacon<'a>, facts: Facts<'a>, mut ticket: Ticket) -> Self {
        // Counts if the client disconnects before a verdict: the beacon was valid but not taken.
        ticket.otherwise(Outcome::UnknownPage);
        Self {
            ticket: Some(ticket),
            ..Self::of_history(beacon, facts)
        }
    }

    /// Starts the passage of a beacon from a visit that another system recorded.
    pub(crate) const fn of_history(beacon: Beacon<'a>, facts: Facts<'a>) -> Self {
        Self {
            beacon,
            facts,
            ticket: None,
            fate: Fate::Open,
        }
    }

    /// Counts the beacon unless it was counted before.
    pub(super) fn settle(&mut self, outcome: Outcome) {
        if let Some(ticket) = self.ticket.take() {
            ticket.settle(outcome);
        }
    }
}

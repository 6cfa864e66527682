//! Decides what a beacon becomes: an event, a refusal, or an error. Pure.
//!
//! Owns every rule of the contract about beacons. It knows no HTTP and no log, and it never waits,
//! so an import of history passes through the same steps: [`Beacon::read`] (or a constructed
//! beacon), then [`Acceptor::trace`], then [`Acceptor::judge`]. The one rule: time, randomness,
//! address and directory are arguments.

pub mod beacon;
pub mod data;
mod facts;
pub mod json;
mod judge;
pub(crate) mod members;
pub(crate) mod read;
pub(crate) mod rules;
mod trace;
pub mod verdict;

pub use beacon::{
    Beacon, BeaconKind, Content, Leave, Name, Pageview, PageviewRef, Proof, Session, SessionRef,
    Track,
};
pub use facts::{Facts, Rules, Trust};
pub use judge::{Acceptor, PRODUCER};
pub use members::MAX_EVENT_NAME_CHARS;
pub use read::{Form, Invalid};
pub use verdict::{Answer, KnownPage, Missing, Origin, Refusal, Verdict};

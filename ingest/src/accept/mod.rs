//! From what a request says to what becomes of it: an event, a refusal, or a problem. Pure.
//!
//! Owns every rule of the contract about beacons; knows no HTTP, no log and no waiting, so that an
//! import of history passes through the same acceptance: [`Beacon::read`] (or building one), then
//! [`Acceptor::trace`], then [`Acceptor::judge`]. The one rule: time, randomness, address and
//! directory come in as arguments.

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

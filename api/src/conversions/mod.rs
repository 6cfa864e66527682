//! Conversions: reads a call, decides whether it is new and whose it is, and writes it once.
//!
//! `call` reads what a caller says, `history` what another system recorded, `class` names its kind,
//! `record` writes it, `change` and `convert` change it later, `event` says so in the log,
//! `publisher` sends that. The one rule: a
//! conversion, its customer and its event are written in one transaction of the main database, so a
//! success means that the event will reach the log, and a repeat finds the first result.

pub(crate) mod call;
pub(crate) mod change;
mod class;
pub(crate) mod convert;
mod event;
mod fx_file;
mod history;
pub(crate) mod members;
pub(crate) mod public;
mod publisher;
pub(crate) mod record;
pub(crate) mod refusals;
pub(crate) mod wire;

pub(crate) use fx_file::load_bundled;
pub use fx_file::{FxError, LoadedRates, load_rates};
pub use history::{ConversionHistory, PastConversion, PastError, PastOutcome};
pub(crate) use publisher::{EventPublisher, PART};

use schemas::{WorkspaceId, WorkspaceNo};
use uuid::Uuid;

/// The workspace of a conversion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenant {
    pub(crate) id: Uuid,
    pub(crate) no: WorkspaceNo,
}

impl Tenant {
    /// Its id on the wire.
    pub(crate) const fn workspace_id(self) -> WorkspaceId {
        WorkspaceId(self.id)
    }
}

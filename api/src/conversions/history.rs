//! Records conversions that another system reported, by the rules of live ones.
//!
//! Owns the members of such a line. The one rule: a line is recorded like a call with the
//! workspace's own credential, but under an id that the line decides, so the same line counts once.

use super::{
    Tenant,
    call::{Given, as_text},
    publisher,
    record::{Desk, Recorded, record},
};
use jiff::Timestamp;
use runtime::{Clock, IdSource, Producer, http::ApiError};
use schemas::{ClickId, EventId, WorkspaceId, WorkspaceNo, events::ConversionSource};
use serde_json::{Map, Value};
use sqlx::PgPool;
use std::sync::Arc;
use thiserror::Error;

/// A conversion of the past, whose tenant and click are known.
#[derive(Clone, Debug)]
pub struct PastConversion {
    /// The identity of its record.
    pub event_id: EventId,
    /// Its tenant's number.
    pub workspace_no: WorkspaceNo,
    /// Its tenant.
    pub workspace_id: WorkspaceId,
    /// The click that it names.
    pub click_id: Option<ClickId>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The line's members.
    pub members: Map<String, Value>,
}

/// The result of a conversion of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastOutcome {
    /// It is recorded now.
    New,
    /// The same line recorded it before.
    Known,
    /// Another conversion has its order, or is the same lead.
    Duplicate,
    /// It breaks a rule: a short reason for counting, and a sentence.
    Refused(&'static str, String),
}

/// Why conversions of the past cannot be recorded now.
#[derive(Debug, Error)]
pub enum PastError {
    /// The main database refuses or does not answer.
    #[error("the main database: {0}")]
    Database(String),
    /// The log does not take their events.
    #[error("{0}")]
    Unpublished(String),
}

/// Records conversions of the past in the main database.
#[derive(Clone, Debug)]
pub struct ConversionHistory {
    /// The main database.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of customers and events.
    pub ids: Arc<dyn IdSource>,
}

impl ConversionHistory {
    /// Records a conversion once.
    ///
    /// # Errors
    /// When the database refuses or does not answer. The same call may be made again.
    pub async fn record(&self, past: &PastConversion) -> Result<PastOutcome, PastError> {
        let call = match read(past).read(ConversionSource::Api, self.clock.now()) {
            Ok(call) => call,
            Err(error) => return refused(error),
        };
        let tenant = Tenant {
            id: past.workspace_id.0,
            no: past.workspace_no,
        };
        let desk = Desk {
            pool: &self.pool,
            clock: &*self.clock,
            ids: &*self.ids,
            fixed: Some(past.event_id),
        };
        match record(desk, tenant, &call).await {
            Ok(Recorded {
                is_duplicate: false,
                ..
            }) => Ok(PastOutcome::New),
            Ok(recorded) if recorded.conversion.id == past.event_id.0 => Ok(PastOutcome::Known),
            Ok(_) => Ok(PastOutcome::Duplicate),
            Err(error) => refused(error),
        }
    }

    /// Publishes the events that wait in the main database, those of other callers too. Returns how
    /// many still wait, because another program is publishing them now.
    ///
    /// # Errors
    /// When the database or the log does not answer. Nothing is lost: an event waits until it is
    /// published.
    pub async fn publish(&self, producer: &Producer) -> Result<u64, PastError> {
        publisher::drain(&self.pool, producer)
            .await
            .map_err(|error| PastError::Unpublished(error.to_string()))
    }
}

/// Members as they are read from a call with the workspace's credential.
fn read(past: &PastConversion) -> Given {
    let text = |name: &str| past.members.get(name).and_then(as_text);
    let metadata = past.members.get("metadata").and_then(Value::as_object);
    Given {
        click: past.click_id.map(|click| click.to_string()),
        event: text("event"),
        class: text("type"),
        value: text("value"),
        currency: text("currency"),
        order_id: text("orderId"),
        customer: text("customerExternalId"),
        email: text("customerEmail"),
        name: text("customerName"),
        timestamp: Some(past.occurred_at.to_string()),
        metadata: metadata.cloned().unwrap_or_default(),
    }
}

/// A caller's mistake belongs to the line; everything else ends the import.
fn refused(error: ApiError) -> Result<PastOutcome, PastError> {
    if !error.status.is_client_error() {
        let inside = error.inside.as_deref().unwrap_or(&error.message);
        return Err(PastError::Database(inside.to_owned()));
    }
    let reason = error.code.rsplit('.').next().unwrap_or(error.code);
    let what = if error.details.is_empty() {
        error.message.into_owned()
    } else {
        error.details.join("; ")
    };
    let reason = if error.details.is_empty() {
        reason
    } else {
        "invalid"
    };
    Ok(PastOutcome::Refused(reason, what))
}

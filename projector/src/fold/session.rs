//! Folds the events of a session: its start, heartbeats, user, and a site's own events.

use super::{
    Counted, Fold, Summary, dimensions,
    state::Started,
    text::{int4, storable, storable_json, text},
};
use crate::rows::{ClientColumns, CustomEventRow, Dimensions, Rows, SourceColumns};
use schemas::{CustomTracked, Event, SessionHeartbeat, SessionIdentified, SessionStarted, Visitor};
use serde_json::Value;

impl Fold for SessionStarted {
    fn summarize(&self, summary: &mut Summary) {
        summary.session_id = Some(self.session_id);
        summary.page_id = Some(self.page_id);
    }

    fn starts(&self, event: &Event, seq: i64) -> Option<Started> {
        Some(Started {
            at: event.occurred_at,
            event_id: event.event_id,
            received_at: event.received_at,
            seq,
            page_id: self.page_id,
            dimensions: Some(Box::new(dimensions(self, event.visitor.as_ref()))),
        })
    }
}

impl Fold for SessionHeartbeat {
    fn summarize(&self, summary: &mut Summary) {
        summary.session_id = Some(self.session_id);
    }
}

impl Fold for SessionIdentified {
    fn summarize(&self, summary: &mut Summary) {
        summary.session_id = Some(self.session_id);
    }
}

impl Fold for CustomTracked {
    fn summarize(&self, summary: &mut Summary) {
        summary.session_id = Some(self.session_id);
    }

    fn add_rows(&self, event: &Event, seq: i64, counted: Counted, rows: &mut Rows) {
        rows.custom_events.push(CustomEventRow {
            seq,
            visible_seq: counted.visible_seq,
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            workspace_no: event.workspace_no,
            event_id: event.event_id,
            page_id: counted.page_id,
            session_id: self.session_id,
            user_hash: event.visitor.as_ref().and_then(|visitor| visitor.user_hash),
            name: storable(&self.name),
            properties: storable_json(&Value::Object(self.properties.clone())),
        });
    }
}

fn dimensions(body: &SessionStarted, visitor: Option<&Visitor>) -> Dimensions {
    let unknown = Visitor::default();
    let visitor = visitor.unwrap_or(&unknown);
    Dimensions {
        source: SourceColumns {
            visitor_hash: visitor.hash,
            referrer_domain: storable(&body.referrer_domain),
            source_class: body.source_class.name(),
        },
        utm: dimensions::utm(&body.utm),
        place: dimensions::place(visitor),
        agent: dimensions::agent(visitor),
        client: ClientColumns {
            referrer: text(body.referrer.as_ref()),
            landing_path: text(body.landing_path.as_ref()),
            timezone: text(visitor.timezone.as_ref()),
            screen_width: visitor.screen.map(|screen| int4(screen.width)),
            screen_height: visitor.screen.map(|screen| int4(screen.height)),
            bot_signals: i64::from(body.bot_signals),
        },
    }
}

//! Events of a session: its start, its heartbeats, its users, a site's own events in it.

use super::{
    Change, SessionKey,
    row::{EventRow, int4, text},
    state::{Dimensions, Identified, SessionState, Started},
    text::{storable, storable_json},
};
use schemas::{
    CustomTracked, Event, SessionHeartbeat, SessionId, SessionIdentified, SessionStarted, Visitor,
};
use serde_json::Value;

pub(super) fn started(event: &Event, body: &SessionStarted, mut row: EventRow) -> Change {
    row.session_id = Some(body.session_id);
    row.page_id = Some(body.page_id);
    let started = Started {
        at: event.occurred_at,
        event_id: event.event_id,
        page_id: body.page_id,
        dimensions: Some(Box::new(dimensions(body, event.visitor.as_ref()))),
    };
    let state = SessionState {
        started: Some(started),
        ..touched(event, &row)
    };
    change(event, body.session_id, state, row)
}

pub(super) fn heartbeat(event: &Event, body: &SessionHeartbeat, mut row: EventRow) -> Change {
    row.session_id = Some(body.session_id);
    let state = SessionState {
        heartbeats: 1,
        ..touched(event, &row)
    };
    change(event, body.session_id, state, row)
}

pub(super) fn identified(event: &Event, body: &SessionIdentified, mut row: EventRow) -> Change {
    row.session_id = Some(body.session_id);
    let bound = row.user_hash.map(|user_hash| Identified {
        at: event.occurred_at,
        event_id: event.event_id,
        user_hash,
    });
    let state = SessionState {
        identified: bound,
        ..touched(event, &row)
    };
    change(event, body.session_id, state, row)
}

pub(super) fn tracked(event: &Event, body: &CustomTracked, mut row: EventRow) -> Change {
    row.session_id = Some(body.session_id);
    row.name = Some(storable(&body.name));
    row.properties = Some(storable_json(&Value::Object(body.properties.clone())));
    let state = touched(event, &row);
    change(event, body.session_id, state, row)
}

/// What every event of a session does to it.
pub(super) fn touched(event: &Event, row: &EventRow) -> SessionState {
    SessionState {
        seq: row.seq,
        last_activity_at: Some(event.occurred_at),
        ..SessionState::default()
    }
}

pub(super) fn change(
    event: &Event,
    session: SessionId,
    state: SessionState,
    row: EventRow,
) -> Change {
    let key: SessionKey = (event.workspace_no, session);
    Change {
        row,
        session: Some((key, state)),
        leaves: None,
    }
}

fn dimensions(body: &SessionStarted, visitor: Option<&Visitor>) -> Dimensions {
    let nobody = Visitor::default();
    let visitor = visitor.unwrap_or(&nobody);
    let (utm, place, agent) = (&body.utm, &visitor.place, &visitor.agent);
    Dimensions {
        visitor_hash: visitor.hash,
        referrer: text(body.referrer.as_ref()),
        referrer_domain: storable(&body.referrer_domain),
        source_class: body.source_class.name(),
        landing_path: text(body.landing_path.as_ref()),
        utm: [
            &utm.source,
            &utm.medium,
            &utm.campaign,
            &utm.term,
            &utm.content,
        ]
        .map(|value| text(value.as_ref())),
        place: [
            &place.country,
            &place.country_code,
            &place.region,
            &place.city,
            &place.continent,
        ]
        .map(|value| text(value.as_ref())),
        device: agent.device.map(schemas::Device::name),
        agent: [
            &agent.browser,
            &agent.browser_version,
            &agent.os,
            &agent.os_version,
            &agent.brand,
            &agent.model,
        ]
        .map(|value| text(value.as_ref())),
        language: text(visitor.language.as_ref()),
        timezone: text(visitor.timezone.as_ref()),
        screen: visitor
            .screen
            .map(|screen| (int4(screen.width), int4(screen.height))),
        bot_signals: body.bot_signals,
    }
}

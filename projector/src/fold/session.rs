//! Events of a session that say more than its id: its start, a site's own events in it.

use super::{
    row::{EventRow, int4, text},
    state::{Dimensions, Started},
    text::{storable, storable_json},
};
use schemas::{CustomTracked, Event, SessionStarted, Visitor};
use serde_json::Value;

pub(super) fn started(event: &Event, body: &SessionStarted, row: &mut EventRow) -> Started {
    row.visible_seq = Some(row.seq);
    row.session_id = Some(body.session_id);
    row.page_id = Some(body.page_id);
    Started {
        at: event.occurred_at,
        event_id: event.event_id,
        received_at: event.received_at,
        seq: row.seq,
        page_id: body.page_id,
        dimensions: Some(Box::new(dimensions(body, event.visitor.as_ref()))),
    }
}

pub(super) fn tracked(body: &CustomTracked, row: &mut EventRow) {
    row.session_id = Some(body.session_id);
    row.name = Some(storable(&body.name));
    row.properties = Some(storable_json(&Value::Object(body.properties.clone())));
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

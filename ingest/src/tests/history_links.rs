//! Compares a click of history with the same click live, and names it by a conversion.

use super::{
    history::{now, take_on},
    kit::*,
    redirect::{LINK, instance, opened},
};
use crate::history::{BadLine, Reason, Taken, TakenConversion};
use schemas::{ClickId, Event, EventId, Kind};
use serde_json::{Value, json};
use uuid::Uuid;

const EVENT_ID: Uuid = Uuid::from_u128(7);

fn line(more: &Value) -> Value {
    let line = json!({
        "kind": "click", "eventId": EVENT_ID, "occurredAt": start_time().to_string(), "shortCode": "promo",
        "ip": "81.2.69.142", "userAgent": BROWSER,
    });
    super::history::merge(line, more)
}

fn take(instance: &Instance, line: &Value) -> Result<Taken, BadLine> {
    take_on(instance.intake.directory(), line.to_string())
}

fn click(instance: &Instance, more: &Value) -> Event {
    match take(instance, &line(more)) {
        Ok(Taken::Click(click)) => click.event,
        other => panic!("{other:?}"),
    }
}

fn conversion(instance: &Instance, more: &Value) -> Result<TakenConversion, BadLine> {
    let line = json!({
        "kind": "conversion", "eventId": Uuid::from_u128(8), "occurredAt": start_time().to_string(), "value": "1",
    });
    match take(instance, &super::history::merge(line, more))? {
        Taken::Conversion(conversion) => Ok(conversion),
        other => panic!("{other:?}"),
    }
}

fn json_of(event: &Event) -> Value {
    serde_json::from_slice(&event.to_bytes().unwrap()).unwrap()
}

fn click_id(event: &Event) -> ClickId {
    let event = json_of(event);
    event["body"]["click_id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_click_of_history_is_the_live_click_with_ids_of_its_own() {
    let instance = instance();
    for (query, referrer, language, agent) in [
        (
            "utm_source=Insta&utm_term=a%20b",
            "https://u:p@www.instagram.com/x#y",
            "tr-TR",
            BROWSER,
        ),
        ("qr=none&x=1", "", "", BROWSER),
        (
            "",
            "https://www.google.com/search?q=a",
            "de",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        ),
        ("bot=1", "", "", BROWSER),
    ] {
        let headers = [
            ("referer", referrer),
            ("accept-language", language),
            ("user-agent", agent),
        ];
        let path = format!("/promo?{query}");
        let (_, events) = opened(&instance, "GET", &path, &headers).await;
        let [live] = events.as_slice() else {
            panic!("{events:?}")
        };
        let given =
            json!({"query": query, "referrer": referrer, "language": language, "userAgent": agent});
        let event = click(&instance, &given);
        let known = EventId::derive(WORKSPACE, Kind::LinkClicked, EVENT_ID);
        assert_eq!((event.event_id, event.received_at), (known, now()));
        let mut past = json_of(&event);
        let mut live = live.clone();
        for event in [&mut past, &mut live] {
            for own in ["event_id", "received_at"] {
                event[own] = Value::Null;
            }
            for own in ["click_id", "redirect_micros"] {
                event["body"][own] = Value::Null;
            }
        }
        assert_eq!(past, live, "{query}");
    }
}

#[test]
fn a_click_may_say_more_than_a_request_shows() {
    let instance = instance();
    let given = json!({"shortCode": null, "linkId": LINK, "trigger": "deeplink", "destination": "myapp://x"});
    let event = click(&instance, &given);
    let text = json_of(&event);
    assert_eq!(text["body"]["trigger"], "deeplink");
    assert_eq!(text["body"]["destination"], "myapp://x");
    assert_eq!(text["body"]["host"], HOST);
    let hash = |more: &Value| click(&instance, more).visitor.unwrap().hash;
    let (one, other) = (
        json!({"visitorId": "v1"}),
        json!({"visitorId": "v1", "ip": "8.8.8.8"}),
    );
    assert_eq!(hash(&one), hash(&other));
    assert_ne!(hash(&one), hash(&json!({})));
    assert!(!text.to_string().contains("81.2.69.142"));
}

#[test]
fn a_conversion_names_its_click_by_the_same_members() {
    let instance = instance();
    let id = click_id(&click(&instance, &json!({})));
    let by_link = json!({"click": {"eventId": EVENT_ID, "occurredAt": start_time().to_string(), "linkId": LINK}});
    let found = conversion(&instance, &by_link).unwrap();
    assert_eq!(found.click_id, Some(id));
    assert_eq!(
        (found.workspace_no, found.workspace_id),
        (WORKSPACE_NO, WORKSPACE)
    );
    assert_eq!(
        conversion(&instance, &json!({"clickId": id}))
            .unwrap()
            .click_id,
        Some(id)
    );
    let customers = conversion(&instance, &json!({"workspaceId": WORKSPACE})).unwrap();
    assert_eq!(
        (customers.click_id, customers.workspace_no),
        (None, WORKSPACE_NO)
    );

    let reason = |more: &Value| conversion(&instance, more).unwrap_err().reason;
    assert_eq!(reason(&json!({})), Reason::Invalid);
    assert_eq!(reason(&json!({"clickId": EVENT_ID})), Reason::UnknownClick);
    assert_eq!(
        reason(&json!({"workspaceId": EVENT_ID})),
        Reason::UnknownWorkspace
    );
    let nowhere = json!({"click": {"eventId": EVENT_ID, "occurredAt": start_time().to_string(), "shortCode": "no"}});
    assert_eq!(reason(&nowhere), Reason::UnknownLink);
    let said = conversion(&instance, &json!({"click": {"linkId": LINK}})).unwrap_err();
    assert_eq!(
        said.what,
        "click.eventId is required; click.occurredAt is required"
    );
}

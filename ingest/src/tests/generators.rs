//! Generates inputs for property tests: JSON that is sometimes meaningful.

use super::kit::*;
use proptest::prelude::*;
use schemas::WorkspaceNo;
use serde_json::{Value, json};
use uuid::Uuid;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("granted")),
        any::<u128>().prop_map(|id| json!(Uuid::from_u128(id))),
        Just(json!(PAGE)),
        Just(json!(session_of(WORKSPACE_NO))),
        Just(json!(pageview_of(WORKSPACE_NO))),
        Just(json!(session_of(WorkspaceNo::NONE))),
        Just(json!(token(PAGE))),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(member(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Mostly names of real members, and some others.
fn member() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "visitorId",
        "consentAnalytics",
        "bioPageId",
        "trackingToken",
        "referrer",
        "landingUrl",
        "device",
        "browser",
        "timezone",
        "screenWidth",
        "screenHeight",
        "eventId",
        "sessionId",
        "sessionEventId",
        "pageviewId",
        "pageviewEventId",
        "linkClicked",
        "path",
        "title",
        "duration",
        "scrollDepth",
        "event",
        "properties",
        "type",
        "ageMs",
        "events",
    ];
    prop_oneof![
        8 => prop::sample::select(NAMES).prop_map(str::to_owned),
        1 => ".{0,8}",
    ]
}

pub fn any_object() -> impl Strategy<Value = Value> {
    const TYPES: &[&str] = &[
        "session",
        "pageview",
        "heartbeat",
        "leave",
        "track",
        "other",
    ];
    (
        prop::collection::btree_map(member(), any_json(), 0..10),
        prop::option::of(prop::sample::select(TYPES)),
    )
        .prop_map(|(map, kind)| {
            let mut object = Value::Object(map.into_iter().collect());
            if let Some(kind) = kind {
                object["type"] = kind.into();
            }
            object
        })
}

pub fn any_route() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("/track".to_owned()),
        Just("/session".to_owned()),
        Just("/pageview".to_owned()),
        Just("/events".to_owned()),
        Just(format!("/session/{}/heartbeat", session_of(WORKSPACE_NO))),
        Just(format!("/session/{}/identify", session_of(WORKSPACE_NO))),
        Just(format!("/pageview/{}/leave", pageview_of(WORKSPACE_NO))),
        "[!-~&&[^/?#%]]{1,40}".prop_map(|id| format!("/session/{id}/heartbeat")),
    ]
}

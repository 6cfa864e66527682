//! The events API through HTTP: modes, errors, cursors, filters.

use crate::{
    clicks_folded::{by_bot, click},
    random_log::{event_at, fold, start, view},
    workspaces::objects::make_key,
};
use jiff::SignedDuration;
use kit::{Answer, Creator, System, SystemBuilder};
use projector::Store;
use reqwest::Method;
use schemas::{
    Agent, Body, BotReason, Device, Event, LinkId, PageviewId, Place, SessionId, Trigger, Utm,
};
use serde_json::{Value, json};
use uuid::Uuid;

pub const LIST: &str = "/link/external/v1/analytics/events";

/// The events API of one workspace.
#[derive(Clone, Debug)]
pub struct EventsApi {
    pub client: kit::Client,
    pub creator: Creator,
    pub key: String,
}

impl EventsApi {
    /// A workspace with a key. Its number is 1, like that of the events of tests.
    pub async fn of(system: &System) -> Self {
        let api = Self::named(system, "ada").await;
        let number: i32 = sqlx::query_scalar("SELECT no FROM workspaces WHERE id = $1")
            .bind(api.creator.workspace_id)
            .fetch_one(&system.main)
            .await
            .unwrap();
        assert_eq!(number, 1);
        api
    }

    async fn named(system: &System, name: &str) -> Self {
        let creator = system.client.creator(name).await;
        let (_, key) = make_key(&system.client, &creator.token, &["analytics:read"]).await;
        sqlx::query("UPDATE workspaces SET plan = 'starter' WHERE id = $1")
            .bind(creator.workspace_id)
            .execute(&system.main)
            .await
            .unwrap();
        Self {
            client: system.client.clone(),
            creator,
            key,
        }
    }

    pub async fn get(&self, path_and_query: &str) -> Answer {
        let path = format!("{LIST}{path_and_query}");
        let request = self.client.request(Method::GET, &path);
        self.client
            .send(request.header("X-API-KEY", &self.key))
            .await
    }

    /// A page of the list.
    pub async fn page(&self, query: &str) -> Value {
        let answer = self.get(&format!("?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        answer.json()
    }

    pub async fn export(&self, query: &str) -> Answer {
        let answer = self.get(&format!("/export?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        answer
    }

    /// Status, code and message of an error.
    pub async fn refused(&self, path_and_query: &str) -> (u16, String, String) {
        error(&self.get(path_and_query).await)
    }
}

/// Status, code and message of an error.
pub fn error(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    assert_eq!(errors.len(), 1, "{}", answer.text);
    let text = |name: &str| errors[0][name].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), text("code"), text("message"))
}

/// The ids of the events of a page.
pub fn ids(page: &Value) -> Vec<String> {
    let data = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
    let id = |event: &Value| event["eventId"].as_str().unwrap().to_owned();
    data.iter().map(id).collect()
}

pub fn id(number: u128) -> String {
    format!("evt_{}", Uuid::from_u128(number))
}

async fn folded(log: &[Event]) -> (System, EventsApi) {
    let system = SystemBuilder::default().without_projector().start().await;
    let api = EventsApi::of(&system).await;
    fold(&Store::new(system.analytics.clone()), log, &[]).await;
    (system, api)
}

/// A click by a known visitor with a full context.
fn full_click() -> Event {
    let mut event = click(1, 0, (1, 1));
    if let Body::LinkClicked(click) = &mut event.body {
        click.trigger = Trigger::Qr;
        click.referrer = Some("https://facebook.com/a?b=1".to_owned());
        click.referrer_domain = "facebook.com".into();
        click.utm = Utm {
            source: Some("facebook".to_owned()),
            medium: Some("social".to_owned()),
            campaign: Some("launch".to_owned()),
            ..Utm::default()
        };
    }
    let visitor = event.visitor.as_mut().unwrap();
    let text = |text: &str| Some(text.to_owned());
    visitor.place = Place {
        country: text("United States"),
        country_code: text("US"),
        region: text("California"),
        city: text("San Francisco"),
        ..Place::default()
    };
    visitor.agent = Agent {
        device: Some(Device::Mobile),
        browser: text("Chrome"),
        browser_version: text("122.0"),
        os: text("iOS"),
        os_version: text("17.4"),
        brand: text("Apple"),
        model: text("iPhone"),
    };
    event.occurred_at += SignedDuration::from_micros(123_456);
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_the_documentation_have_its_answers() {
    let (system, api) = folded(&[full_click(), click(2, 60, (1, 0))]).await;
    let page = api.page("from=2027-01-01&to=2027-01-31&limit=1").await;
    let event = json!({
        "eventId": id(1),
        "schemaVersion": 1,
        "createdAt": "2027-01-15T08:00:00.123456Z",
        "shortCode": "Promo",
        "shortUrlId": format!("url_{}", Uuid::from_u128(1)),
        "eventType": "CLICK",
        "clickSource": "QR_CODE",
        "referrer": "https://facebook.com/a?b=1",
        "referrerDomain": "facebook.com",
        "country": "United States",
        "countryCode": "US",
        "city": "San Francisco",
        "region": "California",
        "browserName": "Chrome",
        "browserVersion": "122.0",
        "osName": "iOS",
        "osVersion": "17.4",
        "deviceType": "MOBILE",
        "deviceBrand": "Apple",
        "deviceModel": "iPhone",
        "utmSource": "facebook",
        "utmMedium": "social",
        "utmCampaign": "launch",
    });
    let cursor = page["nextCursor"].as_str().unwrap().to_owned();
    let expected = json!({"data": [event], "hasMore": true, "nextCursor": cursor});
    assert_eq!(page, expected);

    let query = format!("from=2027-01-01&to=2027-01-31&cursor={cursor}");
    let last = api.page(&query).await;
    assert_eq!(ids(&last), [id(2)]);
    assert_eq!(last["hasMore"], false);
    // Unknown values are null, not missing; there is no further cursor.
    assert_eq!(last.as_object().unwrap().len(), 2);
    let unknown = &last["data"][0];
    assert_eq!(unknown.as_object().unwrap().len(), 23);
    for field in [
        "referrer",
        "referrerDomain",
        "country",
        "deviceType",
        "utmCampaign",
    ] {
        assert_eq!(unknown[field], Value::Null, "{field}");
    }
    assert_eq!(unknown["clickSource"], "DIRECT");

    let synced = api.page("since=2027-01-01T00:00:00Z").await;
    assert_eq!(ids(&synced), [id(1), id(2)]);
    assert_eq!(synced["hasMore"], false);
    assert_eq!(synced["nextSince"], "2027-01-15T08:01:00.000000Z");
    assert_eq!(synced["afterEventId"], id(2));
    let query = format!("since=2027-01-15T08:01:00.000000Z&afterEventId={}", id(2));
    let expected = json!({
        "data": [], "hasMore": false, "nextSince": "2027-01-15T08:01:00.000000Z", "afterEventId": id(2),
    });
    assert_eq!(api.page(&query).await, expected);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_a_valid_key_and_invalid_ones_are_refused_in_the_form_of_the_surface() {
    let (system, api) = folded(&[click(1, 0, (1, 1)), click(2, 7_200, (1, 1))]).await;
    let client = &system.client;
    let without = error(&client.get(&format!("{LIST}?since=2027-01-01")).await);
    let (status, code, message) = without;
    assert_eq!((status, code.as_str()), (401, "SML003"));
    assert_eq!(message, "Send API key in the request");
    let wrong = EventsApi {
        key: format!("lw_live_{}", "0".repeat(64)),
        ..api.clone()
    };
    let (status, code, message) = wrong.refused("?since=2027-01-01").await;
    assert_eq!((status, code.as_str()), (401, "SML003"));
    assert_ne!(message, "Send API key in the request");
    // A token of a user is no key.
    let token = EventsApi {
        key: api.creator.token.clone(),
        ..api.clone()
    };
    assert_eq!(token.refused("?since=2027-01-01").await.0, 401);

    for query in [
        "",
        "?limit=5",
        "?from=2027-01-01",
        "?from=2027-01-01&to=2027-01-02&since=2027-01-01",
        "?since=2027-01-01&limit=5001",
        "?from=2025-01-01&to=2027-01-02",
        "?from=2027-01-01&to=2027-01-31&cursor=abc",
        "/export?since=2027-01-01",
        "/export?from=2027-01-01&to=2027-01-31&format=xml",
        "/export?from=2027-01-01&to=2027-01-31&snapshot=abc",
    ] {
        let (status, code, _) = api.refused(query).await;
        assert_eq!((status, code.as_str()), (400, "VE001"), "{query}");
    }
    assert_eq!(api.refused("/nothing").await.1, "EN001");
    let post = client.request(Method::POST, LIST);
    assert_eq!(error(&client.send(post).await).0, 405);

    // A cursor belongs to its organisation and its parameters; the size of pages may change.
    let first = api.page("from=2027-01-01&to=2027-01-31&limit=1").await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let with = |rest: &str| format!("?{rest}&cursor={cursor}");
    assert_eq!(
        api.get(&with("from=2027-01-01&to=2027-01-31&limit=7"))
            .await
            .status,
        200
    );
    for other in [
        "from=2027-01-01&to=2027-01-30",
        "from=2027-01-01&to=2027-01-31&includeBots=true",
    ] {
        assert_eq!(api.refused(&with(other)).await.1, "VE001", "{other}");
    }
    let grace = EventsApi::named(&system, "grace").await;
    let query = with("from=2027-01-01&to=2027-01-31");
    assert_eq!(grace.refused(&query).await.1, "VE001");
    // Another tenant's event is unknown, and its events are not seen.
    let query = format!("since=2027-01-01&afterEventId={}", id(1));
    assert_eq!(ids(&grace.page(&query).await), Vec::<String>::new());
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_whole_and_an_unencoded_offset_is_understood() {
    let mut last = click(1, 0, (1, 1));
    last.occurred_at = "2027-01-31T23:59:59.999999Z".parse().unwrap();
    let mut next = click(2, 0, (1, 2));
    next.occurred_at = "2027-02-01T00:00:00Z".parse().unwrap();
    let (system, api) = folded(&[last, next]).await;
    assert_eq!(
        ids(&api.page("from=2027-01-01&to=2027-01-31").await),
        [id(1)]
    );
    let exact = "from=2027-01-31T23:59:59.999Z&to=2027-01-31T23:59:59.999Z";
    assert_eq!(ids(&api.page(exact).await), [id(1)]);
    for since in [
        "2027-01-31T23:59:59.999999Z",
        "2027-01-31T23:59:59.999999+00:00",
        "2027-01-31T23:59:59.999999%2B00:00",
        "2027-02-01T01:59:59.999999+02:00",
    ] {
        let page = api.page(&format!("since={since}")).await;
        assert_eq!(ids(&page), [id(2)], "{since}");
    }
    // An unknown id: events of the same time come too.
    for unknown in [id(99), "whatever".to_owned()] {
        let query = format!("since=2027-01-31T23:59:59.999999Z&afterEventId={unknown}");
        assert_eq!(ids(&api.page(&query).await), [id(1), id(2)], "{unknown}");
    }
    // A known id decides alone.
    let query = format!("since=2000-01-01&afterEventId={}", id(1));
    assert_eq!(ids(&api.page(&query).await), [id(2)]);
    assert_eq!(
        api.page("from=2020-01-01&to=2020-01-31").await,
        json!({"data": [], "hasMore": false})
    );
    let (_, code, _) = api.refused("?since=2127-01-01").await;
    assert_eq!(code, "VE001");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_events_of_one_microsecond_come_once_each() {
    let log: Vec<Event> = (1..=5_000).map(|number| click(number, 0, (1, 0))).collect();
    let (system, api) = folded(&log).await;
    let mut kept = std::collections::BTreeSet::new();
    let mut query = "since=2027-01-01&limit=700".to_owned();
    loop {
        let page = api.page(&query).await;
        for id in ids(&page) {
            assert!(kept.insert(id));
        }
        if page["hasMore"] == false {
            break;
        }
        let text = |name: &str| page[name].as_str().unwrap().to_owned();
        query = format!(
            "since={}&afterEventId={}&limit=700",
            text("nextSince"),
            text("afterEventId")
        );
    }
    assert_eq!(kept.len(), 5_000);
    let whole = api.page("from=2027-01-15&to=2027-01-15&limit=5000").await;
    assert_eq!(ids(&whole), kept.into_iter().collect::<Vec<_>>());
    assert!(whole.get("nextCursor").is_none());
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_select_events_and_machines_come_only_when_asked_for() {
    let system = SystemBuilder::default().without_projector().start().await;
    let api = EventsApi::of(&system).await;
    let link = system
        .client
        .link(&api.creator, "Shop", "https://shop.example/")
        .await;
    let code = crate::clicks::code(&system, link).await;
    let session = SessionId(Uuid::from_u128(100));
    let mut bio = event_at(4, 40, view(session, PageviewId(Uuid::from_u128(200))));
    if let Body::PageViewed(view) = &mut bio.body {
        view.link_id = Some(LinkId(link));
    }
    let mut scan = click(2, 20, (1, 2));
    if let Body::LinkClicked(click) = &mut scan.body {
        click.trigger = Trigger::Qr;
    }
    let log = [
        click(1, 10, (1, 1)),
        scan,
        by_bot(click(3, 30, (1, 3)), BotReason::Agent),
        event_at(90, 0, start(session)),
        bio,
        // A repetition of the first one.
        click(5, 50, (1, 1)),
    ];
    fold(&Store::new(system.analytics.clone()), &log, &[]).await;
    let get = async |filter: &str| {
        let by_time = api
            .page(&format!("from=2027-01-01&to=2027-01-31{filter}"))
            .await;
        let by_arrival = api.page(&format!("since=2027-01-01{filter}")).await;
        assert_eq!(by_time["data"], by_arrival["data"], "{filter}");
        by_time
    };
    assert_eq!(ids(&get("").await), [id(1), id(2), id(4)]);
    let all = get("&includeBots=true").await;
    assert_eq!(ids(&all), [id(1), id(2), id(3), id(4), id(5)]);
    assert_eq!(ids(&get("&clickSource=QR_CODE").await), [id(2)]);
    assert_eq!(ids(&get("&clickSource=DIRECT").await), [id(1), id(4)]);
    assert_eq!(
        ids(&get("&clickSource=API&eventType=CLICK").await),
        Vec::<String>::new()
    );
    let of_page = get(&format!("&shortUrlId=url_{link}")).await;
    assert_eq!(ids(&of_page), [id(4)]);
    assert_eq!(of_page["data"][0]["shortCode"], code);
    assert_eq!(
        ids(&get(&format!("&shortCode={}", code.to_uppercase())).await),
        [id(4)]
    );
    assert_eq!(ids(&get("&shortCode=nothing").await), Vec::<String>::new());
    // The same set as the report's: clicks that count.
    let counted: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM hits WHERE link_id IS NOT NULL AND bot_reason IS NULL AND NOT is_duplicate",
    )
    .fetch_one(&system.analytics)
    .await
    .unwrap();
    assert_eq!(counted, 3);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_stays_known_when_its_event_is_gone() {
    let log = [
        click(1, 0, (1, 1)),
        click(2, 7_200, (1, 1)),
        click(3, 14_400, (1, 1)),
    ];
    let (system, api) = folded(&log).await;
    let after = format!("since=2027-01-01&afterEventId={}", id(2));
    assert_eq!(ids(&api.page(&after).await), [id(3)]);
    // As retention and erasure do.
    sqlx::query("DELETE FROM hits WHERE event_id = $1")
        .bind(Uuid::from_u128(2))
        .execute(&system.analytics)
        .await
        .unwrap();
    assert_eq!(ids(&api.page(&after).await), [id(3)]);
    assert_eq!(ids(&api.page("since=2027-01-01").await), [id(1), id(3)]);
    system.finish().await;
}

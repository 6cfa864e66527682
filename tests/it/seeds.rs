//! The published examples, sent as traffic: the reports have the published rows, keys and numbers.

use kit::{Creator, System, oracle};
use reqwest::{Method, header::USER_AGENT};
use serde_json::{Value, json};
use uuid::Uuid;

const DESK: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";
const TABLET: &str = "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";

/// The traffic of one creator, in preparation.
struct Traffic<'a> {
    system: &'a System,
    page: Uuid,
    events: Vec<Value>,
    next: u128,
}

impl<'a> Traffic<'a> {
    fn of(system: &'a System, creator: &Creator) -> Self {
        Self {
            system,
            page: creator.page,
            events: Vec::new(),
            next: creator.page.as_u128() << 20,
        }
    }

    fn id(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    /// Adds a visit; returns its `eventId`.
    fn session(&mut self, visitor: u32, more: &Value) -> Uuid {
        let id = self.id();
        let token = self.system.client.tracking_token(self.page);
        let mut event = json!({
            "type": "session", "eventId": id, "visitorId": format!("visitor {visitor}"),
            "consentAnalytics": "granted", "bioPageId": self.page, "trackingToken": token,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            event[name] = value.clone();
        }
        self.events.push(event);
        id
    }

    /// Adds a view, or a click if a link is given; returns its `eventId`.
    fn view(&mut self, session: Uuid, link: Option<Uuid>) -> Uuid {
        let id = self.id();
        let token = self.system.client.tracking_token(self.page);
        self.events.push(json!({
            "type": "pageview", "eventId": id, "sessionEventId": session, "bioPageId": self.page,
            "trackingToken": token, "linkClicked": link,
        }));
        id
    }

    fn leave(&mut self, view: Uuid, seconds: f64) {
        let id = self.id();
        let token = self.system.client.tracking_token(self.page);
        self.events.push(json!({
            "type": "leave", "eventId": id, "pageviewEventId": view, "bioPageId": self.page,
            "trackingToken": token, "duration": seconds,
        }));
    }

    /// Sends the prepared traffic with an agent.
    async fn send(&mut self, agent: &str) {
        let client = &self.system.client;
        for events in std::mem::take(&mut self.events).chunks(500) {
            let request = client
                .request(Method::POST, "/api/v1/analytics/events")
                // Replaces the kit's agent; `header` would add a second one.
                .headers([(USER_AGENT, agent.parse().unwrap())].into_iter().collect())
                .json(&json!({"events": events}));
            let data = client.send(request).await.data();
            for result in data["results"].as_array().unwrap() {
                assert_eq!(result["status"], "ok", "{result}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_example_of_sources_gives_the_published_report() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let mut traffic = Traffic::of(&system, &creator);
    // Twelve more sources make 1,714 visits in the fifteen returned rows; the sixteenth is not returned.
    let more = (0..12u32).map(|index| (format!("https://site{index:02}.example/"), 57));
    let published = [
        ("https://www.instagram.com/p/1", 600),
        ("", 280),
        ("https://youtube.com/watch", 150),
    ];
    let all = published.map(|(url, visits)| (url.to_owned(), visits));
    let all = all.into_iter().chain(more);
    let last = ("https://zzz.example/".to_owned(), 9);
    let mut visitor = 0;
    for (referrer, visits) in all.chain([last]) {
        for _ in 0..visits {
            visitor += 1;
            traffic.session(visitor, &json!({"referrer": referrer}));
        }
    }
    traffic.send(DESK).await;
    system.settle().await;

    let sources = system.client.report(&creator, "traffic").await["sources"].clone();
    let sources = sources.as_array().unwrap();
    assert_eq!(
        json!(sources[..3]),
        json!([
            {"source": "instagram.com", "visits": 600, "percentage": 35},
            {"source": "direct", "visits": 280, "percentage": 16},
            {"source": "youtube.com", "visits": 150, "percentage": 9},
        ])
    );
    let total: i64 = sources
        .iter()
        .filter_map(|row| row["visits"].as_i64())
        .sum();
    assert_eq!((sources.len(), total), (15, 1_714));
    oracle::assert_reports(&system, &creator).await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_example_of_links_gives_the_published_report() {
    let system = System::start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let portfolio = client
        .link(&creator, "My Portfolio", "https://example.com")
        .await;
    let deleted = client
        .link(&creator, "Soon gone", "https://gone.example")
        .await;
    let mut traffic = Traffic::of(&system, &creator);
    for visitor in 0..500 {
        let session = traffic.session(visitor, &json!({}));
        for view in 0..5 {
            let link = match (visitor, view) {
                (0..120, 0) => Some(portfolio),
                (0..6, 1) => Some(deleted),
                _ => None,
            };
            traffic.view(session, link);
        }
    }
    traffic.send(DESK).await;
    let path = format!("/api/v1/creators/links/{deleted}");
    client.delete_as(&creator.token, &path).await.assert_ok();
    system.settle().await;

    assert_eq!(
        client.report(&creator, "links").await,
        json!({
            "links": [
                {"id": portfolio, "title": "My Portfolio", "url": "https://example.com", "clicks": 120, "ctr": 4.8},
                {"id": deleted, "title": "Unknown", "url": "", "clicks": 6, "ctr": 0.24},
            ],
            "totalViews": 2500,
        })
    );
    oracle::assert_reports(&system, &creator).await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_examples_of_totals_and_devices_give_the_published_reports() {
    let system = System::start().await;
    let client = &system.client;
    let link = Uuid::from_u128(7);

    // 4,200 views of 1,800 visitors, 320 of them clicks; 67/27/5/2 of a hundred by device.
    let ada = client.creator("ada").await;
    let mut traffic = Traffic::of(&system, &ada);
    let mut visitor = 0;
    for (agent, visits) in [(PHONE, 1200), (DESK, 480), (TABLET, 90), ("", 30)] {
        for _ in 0..visits {
            visitor += 1;
            let session = traffic.session(visitor, &json!({}));
            for view in 0..if visitor <= 600 { 3 } else { 2 } {
                traffic.view(session, (view == 0 && visitor <= 320).then_some(link));
            }
        }
        traffic.send(agent).await;
    }

    // 1,800 visits, 756 of one view that was left after 145 s, 3,240 views.
    let bob = client.creator("bob").await;
    let mut traffic = Traffic::of(&system, &bob);
    for visitor in 0..1800 {
        let session = traffic.session(visitor, &json!({}));
        let views = match visitor {
            0..756 => 1,
            756..1404 => 2,
            _ => 3,
        };
        for _ in 0..views {
            let view = traffic.view(session, None);
            if views == 1 {
                traffic.leave(view, 145.0);
            }
        }
    }
    traffic.send(DESK).await;
    system.settle().await;

    let report = async |creator, name: &str| client.report(creator, name).await;
    assert_eq!(
        report(&ada, "overview").await,
        json!({"totalViews": 4200, "uniqueVisitors": 1800, "totalClicks": 320, "ctr": 7.62, "days": 30})
    );
    assert_eq!(
        report(&ada, "devices").await,
        json!({"segments": [
            {"name": "mobile", "count": 1200, "percentage": 67},
            {"name": "desktop", "count": 480, "percentage": 27},
            {"name": "tablet", "count": 90, "percentage": 5},
            {"name": "unknown", "count": 30, "percentage": 2},
        ]})
    );
    assert_eq!(
        report(&ada, "trend").await,
        json!({"days": 30, "daily": [{"day": "2027-03-05T00:00:00.000Z", "views": 4200, "clicks": 320}]})
    );
    assert_eq!(
        report(&bob, "sessions").await,
        json!({"totalSessions": 1800, "bounceRate": 42, "avgDuration": 145, "pagesPerSession": 1.8})
    );
    system.finish().await;
}

//! A tenant sees only its own data: every route without a token, with another creator's ids, and with unknown ids.

use api::{
    Command, Subject,
    catalog::{REPORTS, Report, Shape, Surface},
    commands,
};
use kit::{Answer, Client, System};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A request to a command.
struct Attempt {
    command: &'static Command,
    path: String,
    body: Option<Value>,
}

impl Attempt {
    /// A request with an id in the command's path, and a body that the object's owner may send.
    fn new(command: &'static Command, id: Uuid) -> Self {
        let id = id.to_string();
        let parts = command.path.split(['{', '}']).enumerate();
        let path = parts.map(|(index, part)| if index % 2 == 1 { &*id } else { part });
        Self {
            command,
            path: path.collect(),
            body: command.example(),
        }
    }

    /// Requests to every command whose path names such an object, with its id.
    fn all(subject: Subject, id: Uuid) -> impl Iterator<Item = Self> {
        let fitting = commands().filter(move |command| command.subject == subject);
        fitting.map(move |command| Self::new(command, id))
    }

    async fn send(&self, client: &Client, token: Option<&str>) -> Answer {
        let mut request = client.request(self.command.verb.method(), &self.path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        client.send(request).await
    }

    /// Sends the request and expects an error.
    async fn refused(&self, client: &Client, token: &str, expected: (u16, &str, &str)) {
        let answer = self.send(client, Some(token)).await;
        let (status, code, key) = answer.error();
        let id = self.command.id;
        assert_eq!((status, &*code, &*key), expected, "{id} {}", self.path);
    }
}

/// The parameter that selects a report's variant; reports without variants ignore it.
fn chosen_by(report: &Report) -> &'static str {
    match &report.shape {
        Shape::Choice(choice) => report.param_name(choice.param),
        _ => "limit",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_creator_gets_nothing_on_any_route() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let eve = client.creator("eve").await;
    let shop = client.link(&ada, "Shop", "https://shop.example").await;
    let session = client.session(ada.page, "v").await;
    client.view(session, None).await;
    system.settle().await;

    let of_pages = |report: &&Report| report.surface == Surface::Creator;
    for report in REPORTS.iter().filter(of_pages) {
        for (choice, _) in report.shape.all() {
            let (id, choice) = (report.id, choice.unwrap_or_default());
            let own = format!("{}?{}={choice}", report.path, chosen_by(report));
            let path = format!("{own}&bioPageId={}", ada.page);
            let answer = client.get_as(&eve.token, &path).await;
            let key = "error.creator.bio_not_found".to_owned();
            let expected = (404, "RESOURCE_NOT_FOUND".to_owned(), key);
            assert_eq!(answer.error(), expected, "{id} {choice}");
            assert_eq!(client.get(&own).await.error().0, 401, "{id} {choice}");
            let answer = client.get_as(&eve.token, &own).await;
            assert_eq!(answer.status, 200, "{id} {choice}: {}", answer.text);
            assert!(!answer.text.contains("Shop"), "{id} {choice}");
        }
    }
    assert_eq!(client.report(&eve, "overview").await["totalViews"], 0);

    let not_owner = (403, "AUTH_FORBIDDEN", "creator.not_owner");
    for owner in [ada.id, Uuid::from_u128(1)] {
        for attempt in Attempt::all(Subject::Creator, owner) {
            attempt.refused(client, &eve.token, not_owner).await;
        }
    }
    // Another creator's link is forbidden, an unknown link is not found.
    for (id, expected) in [
        (shop, (403, "AUTH_FORBIDDEN", "creator.links.not_owner")),
        (
            Uuid::from_u128(1),
            (404, "RESOURCE_NOT_FOUND", "creator.links.not_found"),
        ),
    ] {
        for attempt in Attempt::all(Subject::Link, id) {
            attempt.refused(client, &eve.token, expected).await;
        }
    }
    // Another creator's page is not found, also under the caller's own creator.
    let not_found = (404, "RESOURCE_NOT_FOUND", "creator.bio.not_found");
    let mut with_a_page = 0;
    for mut attempt in Attempt::all(Subject::Creator, eve.id) {
        if attempt.command.page.is_some() {
            attempt.path = format!("{}?bioPageId={}", attempt.path, ada.page);
            attempt.refused(client, &eve.token, not_found).await;
            with_a_page += 1;
        }
    }
    assert!(with_a_page >= 4, "{with_a_page}");
    let order = format!("/api/v1/creators/{}/links/reorder", eve.id);
    let foreign = json!({ "linkIds": [shop] });
    let answer = client.post_as(&eve.token, &order, &foreign).await;
    assert_eq!(answer.error().2, "creator.links.not_owned");
    // None of these requests changed Ada's data.
    let own = client
        .get_as(&ada.token, &format!("/api/v1/creators/{}/bio", ada.id))
        .await
        .data();
    assert_eq!((&own["bio"], &own["published"]), (&json!(""), &json!(true)));
    let links = own["links"].as_array().unwrap();
    assert_eq!(links.len(), 1);
    assert_eq!(
        (&links[0]["title"], &links[0]["url"]),
        (&json!("Shop"), &json!("https://shop.example"))
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_401_on_every_bearer_route() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let commands = commands().map(|command| {
        let attempt = Attempt::new(command, ada.id);
        (command.verb.method(), attempt.path)
    });
    let reports = REPORTS
        .iter()
        .map(|report| (Method::GET, report.path.to_owned()));
    let beacons = [
        (Method::POST, "/api/v1/analytics/track".to_owned()),
        (
            Method::PATCH,
            format!("/api/v1/analytics/session/{}/identify", ada.id),
        ),
    ];
    let routes = commands.chain(reports).chain(beacons);
    for (method, path) in routes {
        for token in [
            None,
            Some("not a token"),
            Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJleHAiOjk5OTk5OTk5OTl9."),
        ] {
            let mut request = client.request(method.clone(), &path);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = client.send(request.json(&json!({"event": "x"}))).await;
            assert_eq!(
                answer.error().0,
                401,
                "{method} {path} {token:?}: {}",
                answer.text
            );
            if !path.starts_with("/api/v1/") {
                assert_eq!(answer.error().1, "UNAUTHORIZED");
                continue;
            }
            assert_eq!(answer.error().1, "AUTH_UNAUTHORIZED");
            let id = answer.json()["error"]["correlationId"]
                .as_str()
                .map(str::to_owned);
            assert_eq!(
                id.as_deref(),
                answer
                    .headers
                    .get("x-request-id")
                    .and_then(|value| value.to_str().ok())
            );
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_a_creator_gets_creator_not_found() {
    let system = System::start().await;
    let token = system.client.token("nobody");
    for report in ["overview", "traffic", "links"] {
        let answer = system
            .client
            .get_as(&token, &format!("/api/v1/creators/analytics/{report}"))
            .await;
        let expected = (
            404,
            "RESOURCE_NOT_FOUND".to_owned(),
            "error.creator.not_found".to_owned(),
        );
        assert_eq!(answer.error(), expected);
    }
    system.finish().await;
}

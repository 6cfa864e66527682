//! Provides the demo's short links with a campaign, folders, tags, rules and a QR code; creates what is
//! missing.

use super::client::Client;
use reqwest::{Method, StatusCode};
use runtime::program::Failure;
use serde_json::{Value, json};
use uuid::Uuid;

/// A short link of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShortLink {
    pub(super) id: Uuid,
    pub(super) code: String,
}

/// Names of the groups that links belong to.
const CAMPAIGN: &str = "Midnight Ferry";
const FOLDER: &str = "Release";
const INNER_FOLDER: &str = "Tour";
const TAGS: [(&str, &str); 2] = [("music", "#7c3aed"), ("print", "#0d9488")];

/// The code of the link on posters, which most people scan.
pub(super) const POSTER: &str = "ferry-poster";
/// The code of the QR code on the posters.
pub(super) const POSTER_QR: &str = "poster";

/// The links, the most clicked one first, each with its rules. The ids are those of the campaign and
/// of the two folders.
fn drafts(campaign: &str, folder: &str, inner: &str) -> Vec<(Value, Vec<Value>)> {
    let rule = |name: &str, destination: &str, conditions: Value| json!({"name": name, "destinationUrl": destination, "conditions": conditions});
    vec![
        (
            json!({
                "shortCode": "midnight-ferry", "title": "Midnight Ferry", "destinationUrl": "https://example.com/album",
                "campaignId": campaign, "folderId": folder, "tags": ["music"], "conversionTracking": true,
                "utmSource": "bio", "utmCampaign": "midnight-ferry", "forwardUtms": true,
            }),
            vec![
                rule(
                    "iPhone",
                    "https://example.com/album/apple-music",
                    json!([{"field": "os", "operator": "equals", "value": "iOS"}]),
                ),
                rule(
                    "Android",
                    "https://example.com/album/youtube-music",
                    json!([{"field": "os", "operator": "equals", "value": "Android"}]),
                ),
            ],
        ),
        (
            json!({
                "shortCode": "ferry-tickets", "title": "Tickets", "destinationUrl": "https://example.com/tickets",
                "campaignId": campaign, "folderId": inner, "tags": ["music"], "conversionTracking": true,
            }),
            vec![
                rule(
                    "Germany, Austria, Switzerland",
                    "https://example.com/tickets/de",
                    json!([{"field": "country", "operator": "in", "value": ["DE", "AT", "CH"]}]),
                ),
                rule(
                    "Half of the others see the new page",
                    "https://example.com/tickets/new",
                    json!([{"field": "percentage", "operator": "between", "value": [0, 50]}]),
                ),
            ],
        ),
        (
            json!({
                "shortCode": POSTER, "title": "Poster", "destinationUrl": "https://example.com/tour?from=poster",
                "campaignId": campaign, "folderId": inner, "tags": ["music", "print"], "conversionTracking": true,
                "utmSource": "poster", "utmMedium": "print",
            }),
            Vec::new(),
        ),
        (
            json!({
                "shortCode": "ferry-merch", "title": "Merch", "destinationUrl": "https://example.com/merch",
                "folderId": folder, "tags": [], "conversionTracking": true, "redirectStatus": 307,
            }),
            Vec::new(),
        ),
    ]
}

/// Finds the links of the client's token, or creates them.
///
/// # Errors
/// When the program refuses a request, for example because another workspace has a code.
pub(super) async fn provide(client: &Client) -> Result<Vec<ShortLink>, Failure> {
    let make = Make { client };
    let campaign = json!({
        "name": CAMPAIGN, "currency": "EUR", "totalBudget": 2_000, "costModel": "cpc", "costRate": 0.25,
    });
    let campaign = make.named("campaigns", &campaign).await?;
    let folder = make
        .named("folders", &json!({"name": FOLDER, "color": "#7c3aed"}))
        .await?;
    let inner = json!({"name": INNER_FOLDER, "parentId": folder});
    let inner = make.named("folders", &inner).await?;
    for (name, color) in TAGS {
        make.named("tags", &json!({"name": name, "color": color}))
            .await?;
    }
    let known = make.list("links?limit=100").await?;
    let mut links = Vec::new();
    for (draft, rules) in drafts(&campaign, &folder, &inner) {
        let known = known
            .iter()
            .find(|link| link["shortCode"] == draft["shortCode"]);
        let link = match known {
            Some(link) => link.clone(),
            None => make.new_link(&draft, rules).await?,
        };
        let link = read(&link);
        if let Some(poster) = link.as_ref().filter(|link| link.code == POSTER) {
            make.qr_code(poster).await?;
        }
        links.extend(link);
    }
    Ok(links)
}

fn read(link: &Value) -> Option<ShortLink> {
    Some(ShortLink {
        id: link["id"].as_str()?.parse().ok()?,
        code: link["shortCode"].as_str()?.to_owned(),
    })
}

/// Creates objects of the management API.
struct Make<'a> {
    client: &'a Client,
}

impl Make<'_> {
    async fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let path = format!("/api/{path}");
        let (status, answer) = self.client.call(Method::GET, &path, None).await?;
        match answer["data"].as_array() {
            Some(list) => Ok(list.clone()),
            None => Err(refused(&path, status, &answer)),
        }
    }

    async fn create(&self, route: &str, draft: &Value) -> Result<Value, Failure> {
        let path = format!("/api/{route}");
        let (status, answer) = self.client.call(Method::POST, &path, Some(draft)).await?;
        if status != StatusCode::CREATED {
            return Err(refused(&path, status, &answer));
        }
        Ok(answer["data"].clone())
    }

    /// The id of the object with the draft's name, which is created if there is none.
    async fn named(&self, route: &str, draft: &Value) -> Result<String, Failure> {
        let known = self.list(route).await?;
        let known = known.iter().find(|known| known["name"] == draft["name"]);
        let object = match known {
            Some(known) => known.clone(),
            None => self.create(route, draft).await?,
        };
        Ok(object["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Creates the QR code of a link, unless it exists.
    async fn qr_code(&self, link: &ShortLink) -> Result<(), Failure> {
        let route = format!("qr/links/{}", link.id);
        let known = self.list(&route).await?;
        if known.iter().any(|known| known["code"] == POSTER_QR) {
            return Ok(());
        }
        let draft = json!({
            "code": POSTER_QR, "name": "Tour poster", "size": 600, "foregroundColor": "#4c1d95", "logoArea": true,
        });
        self.create(&route, &draft).await.map(drop)
    }

    async fn new_link(&self, draft: &Value, rules: Vec<Value>) -> Result<Value, Failure> {
        let link = self.create("links", draft).await?;
        for mut rule in rules {
            rule["linkId"] = link["id"].clone();
            self.create("rules", &rule).await?;
        }
        Ok(link)
    }
}

fn refused(path: &str, status: StatusCode, answer: &Value) -> Failure {
    let why = &answer["error"]["message"];
    Failure::Other(format!("the demo's {path} is refused: {status} {why}"))
}

//! The counts of links and QR codes in lists, against the raw rows, reports and the events API.

use crate::{
    catalogue::{append, site},
    events_api::EventsApi,
    report_load::until_running,
    workspaces::objects::{make_key, refusal},
};
use futures::future::join_all;
use kit::{
    Answer, Client, Creator, System,
    link_traffic::{self, Means},
    noon, traffic,
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{PgPool, Row, postgres::PgRow};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A click in the tables, as far as counts depend on it.
struct Click {
    link_id: Uuid,
    qr_id: Option<Uuid>,
    visitor_hash: Option<Vec<u8>>,
    bot_reason: Option<String>,
    is_duplicate: bool,
    at: String,
}

/// A conversion in the tables.
struct Conversion {
    link_id: Option<Uuid>,
    class: String,
    status: String,
    revenue_usd_micros: i64,
}

/// All rows of a workspace.
struct Raw {
    clicks: Vec<Click>,
    conversions: Vec<Conversion>,
}

impl Raw {
    async fn read(pool: &PgPool, workspace_no: i32) -> Self {
        let clicks = sqlx::query(
            "SELECT link_id, qr_id, visitor_hash, bot_reason, is_duplicate,
                    to_char(occurred_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at
            FROM hits WHERE workspace_no = $1 AND link_id IS NOT NULL",
        );
        let clicks = clicks.bind(workspace_no).fetch_all(pool).await.unwrap();
        let click = |row: PgRow| Click {
            link_id: row.get("link_id"),
            qr_id: row.get("qr_id"),
            visitor_hash: row.get("visitor_hash"),
            bot_reason: row.get("bot_reason"),
            is_duplicate: row.get("is_duplicate"),
            at: row.get("at"),
        };
        let conversions = sqlx::query(
            "SELECT link_id, class, status, revenue_usd_micros FROM conversions WHERE workspace_no = $1",
        );
        let conversions = conversions
            .bind(workspace_no)
            .fetch_all(pool)
            .await
            .unwrap();
        let conversion = |row: PgRow| Conversion {
            link_id: row.get("link_id"),
            class: row.get("class"),
            status: row.get("status"),
            revenue_usd_micros: row.get("revenue_usd_micros"),
        };
        Self {
            clicks: clicks.into_iter().map(click).collect(),
            conversions: conversions.into_iter().map(conversion).collect(),
        }
    }

    fn counted(&self) -> impl Iterator<Item = &Click> {
        let clicks = self.clicks.iter();
        clicks.filter(|click| click.bot_reason.is_none() && !click.is_duplicate)
    }

    /// What a link has had, with amounts in euros at 1.25 dollars.
    fn of_link(&self, link: Uuid) -> Value {
        let clicks: Vec<_> = self
            .counted()
            .filter(|click| click.link_id == link)
            .collect();
        let visitors = clicks
            .iter()
            .filter_map(|click| click.visitor_hash.as_ref());
        let visitors: HashSet<_> = visitors.collect();
        let is_counted = |conversion: &&Conversion| {
            conversion.link_id == Some(link)
                && ["pending", "approved"].contains(&&*conversion.status)
        };
        let conversions: Vec<_> = self.conversions.iter().filter(is_counted).collect();
        let of = |class: &str| {
            let of_class = conversions.iter().filter(|one| one.class == class);
            of_class.count()
        };
        let micros: i64 = conversions.iter().map(|one| one.revenue_usd_micros).sum();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let cents = (micros as f64 / 1.25 / 10_000.0 + 0.5).floor();
        let revenue = if cents % 100.0 == 0.0 {
            #[expect(clippy::cast_possible_truncation, reason = "whole")]
            let euros = (cents / 100.0) as i64;
            json!(euros)
        } else {
            json!(cents / 100.0)
        };
        json!({
            "clicks": clicks.len(),
            "uniqueClicks": visitors.len(),
            "conversions": conversions.len(),
            "leads": of("lead"),
            "sales": of("sale"),
            "revenue": revenue,
            "currency": "EUR",
            "lastClickedAt": clicks.iter().map(|click| &click.at).max(),
        })
    }

    fn scans(&self, qr: Uuid) -> usize {
        let scans = self.counted().filter(|click| click.qr_id == Some(qr));
        scans.count()
    }
}

/// A workspace with links and QR codes that are clicked.
struct Shop {
    owner: Creator,
    raw: Raw,
    /// A link of the bio page, two others, one without clicks, and a deleted one.
    links: Vec<Uuid>,
    /// QR codes of the second link.
    qr_codes: Vec<Uuid>,
}

async fn made(client: &Client, owner: &Creator, path: &str, body: Value) -> Uuid {
    let answer = client.post_as(&owner.token, path, &body).await;
    assert_eq!(answer.status, 201, "{path}: {}", answer.text);
    answer.id()
}

async fn shop(system: &System, name: &str, seed: u64) -> Shop {
    let client = &system.client;
    let owner = client.creator(name).await;
    let workspace = format!("/api/workspaces/{}", owner.workspace_id);
    let euros = json!({ "defaultCurrency": "EUR" });
    let answer = client.patch_as(&owner.token, &workspace, &euros).await;
    answer.assert_ok();
    let mut links = vec![client.link(&owner, "Bio", "https://shop.example").await];
    for _ in 0..4 {
        let body = json!({ "destinationUrl": "https://shop.example/" });
        links.push(made(client, &owner, "/api/links", body).await);
    }
    let codes = format!("/api/qr/links/{}", links[1]);
    let mut qr_codes = Vec::new();
    for _ in 0..2 {
        qr_codes.push(made(client, &owner, &codes, json!({})).await);
    }
    let clicked = [links[0], links[1], links[2], links[4]].to_vec();
    let ours = site(system, &owner, vec![owner.page], clicked).await;
    let means = Means {
        qr_codes: qr_codes.iter().map(|qr| (links[1], *qr)).collect(),
        ..Means::default()
    };
    let mut events = traffic::records(&ours, seed, 80, noon(), 60);
    events.extend(link_traffic::records(
        &ours,
        &means,
        seed + 1,
        400,
        (noon(), 300),
    ));
    append(system, &ours, &events).await;
    system.settle().await;
    let path = format!("/api/links/{}", links[4]);
    client.delete_as(&owner.token, &path).await.assert_ok();
    let no = i32::try_from(ours.workspace_no.0).unwrap();
    Shop {
        raw: Raw::read(&system.analytics, no).await,
        owner,
        links,
        qr_codes,
    }
}

/// The members of an answer that its clicks tell.
fn counts(link: &Value) -> Value {
    let mut counts = json!({});
    for name in [
        "clicks",
        "uniqueClicks",
        "conversions",
        "leads",
        "sales",
        "revenue",
        "currency",
        "lastClickedAt",
    ] {
        if let Some(value) = link.get(name) {
            counts[name] = value.clone();
        }
    }
    counts
}

/// The entries of a list, by their id.
fn by_id(list: &Value) -> HashMap<Uuid, Value> {
    let entries = list.as_array().unwrap().iter();
    let entries = entries.map(|entry| (entry["id"].as_str().unwrap().parse().unwrap(), entry));
    entries.map(|(id, entry)| (id, entry.clone())).collect()
}

impl Shop {
    async fn get(&self, client: &Client, path: &str) -> Value {
        let answer = client.get_as(&self.owner.token, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.data()
    }

    async fn assert_links(&self, client: &Client) {
        let (live, deleted) = self.links.split_at(4);
        let quiet = counts(&self.raw.of_link(self.links[3]));
        assert_eq!(
            (&quiet["clicks"], &quiet["lastClickedAt"]),
            (&json!(0), &Value::Null)
        );
        for (query, ids) in [("", live), ("&deleted=true", deleted)] {
            let path = format!("/api/links?include=counts&limit=100{query}");
            let found = by_id(&self.get(client, &path).await);
            assert_eq!(found.len(), ids.len(), "{path}");
            for id in ids {
                assert_eq!(counts(&found[id]), self.raw.of_link(*id), "{id} {path}");
            }
        }
        let gone = self.raw.of_link(deleted[0]);
        assert_ne!(gone["clicks"], 0);
        for id in live {
            let path = format!("/api/links/{id}");
            let plain = self.get(client, &path).await;
            assert_eq!(counts(&plain), json!({}));
            let mut link = self.get(client, &format!("{path}?include=counts")).await;
            let found = counts(&link);
            assert_eq!(found, self.raw.of_link(*id));
            // Without them it is the same link.
            for name in found.as_object().unwrap().keys() {
                link.as_object_mut().unwrap().remove(name);
            }
            assert_eq!(link, plain);
            let summary = format!("/api/analytics/{id}/summary");
            let summary = self.get(client, &summary).await;
            for name in ["clicks", "uniqueClicks", "conversions", "revenue"] {
                assert_eq!(found[name], summary["allTime"][name], "{id} {name}");
            }
            assert_eq!(found["lastClickedAt"], summary["link"]["lastClickedAt"]);
        }
    }

    async fn assert_qr_codes(&self, client: &Client) {
        let list = format!("/api/qr/links/{}", self.links[1]);
        let plain = self.get(client, &list).await;
        let found = by_id(&self.get(client, &format!("{list}?include=counts")).await);
        assert_eq!(found.len(), 2);
        for id in &self.qr_codes {
            let scans = self.raw.scans(*id);
            assert!(scans > 0);
            assert_eq!(found[id]["scans"], json!(scans));
            assert_eq!(by_id(&plain)[id].get("scans"), None);
            let one = format!("/api/qr/{id}?include=counts");
            assert_eq!(self.get(client, &one).await, found[id]);
            let report = format!("/api/qr/{id}/scans?interval=all");
            let report = self.get(client, &report).await;
            assert_eq!(report["allTime"]["scans"], json!(scans));
            assert_eq!(report["totals"]["scans"], json!(scans));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_have_the_numbers_of_the_raw_rows_of_reports_and_of_the_events_api() {
    let system = System::start().await;
    let client = &system.client;
    sqlx::raw_sql(
        "DELETE FROM fx_rates;
        INSERT INTO fx_rates (currency, day, usd_pico) VALUES ('EUR', '2020-01-01', 1250000000000)",
    )
    .execute(&system.main)
    .await
    .unwrap();
    let (ada, bob) = (
        shop(&system, "ada", 31).await,
        shop(&system, "bob", 41).await,
    );
    for shop in [&ada, &bob] {
        shop.assert_links(client).await;
        shop.assert_qr_codes(client).await;
    }
    assert_ne!(ada.raw.of_link(ada.links[1]), bob.raw.of_link(bob.links[1]));
    // Clicks of the own workspace on a link of another one count for neither.
    let path = format!("/api/links/{}?include=counts", bob.links[1]);
    let answer = client.get_as(&ada.owner.token, &path).await;
    assert_eq!(refusal(&answer), (404, "NOT_FOUND".to_owned()));

    // The list, the report and the events of the same clicks.
    let (_, key) = make_key(client, &ada.owner.token, &["analytics:read"]).await;
    let events = EventsApi {
        client: client.clone(),
        creator: ada.owner.clone(),
        key,
    };
    for link in &ada.links[..3] {
        let path = format!("/api/links/{link}?include=counts");
        let listed = ada.get(client, &path).await["clicks"].clone();
        let path = format!("/api/analytics/workspace/overview?linkId={link}&days=365");
        let reported = ada.get(client, &path).await["totals"]["clicks"].clone();
        let query = format!("from=2026-04-01&to=2027-03-05&limit=1000&shortUrlId=url_{link}");
        let page = events.page(&query).await;
        assert_eq!(page["hasMore"], false, "{page}");
        let streamed = page["data"].as_array().unwrap().len();
        assert_eq!((&listed, &reported), (&json!(streamed), &json!(streamed)));
        assert!(streamed > 20, "{streamed}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_take_the_permission_of_reports() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let body = json!({ "destinationUrl": "https://shop.example/" });
    let link = made(client, &ada, "/api/links", body).await;
    let codes = format!("/api/qr/links/{link}");
    let qr = made(client, &ada, &codes, json!({})).await;
    let reads = ["links:read", "qr:read"];
    let (_, without) = make_key(client, &ada.token, &reads).await;
    let (_, with) = make_key(
        client,
        &ada.token,
        &[&reads[..], &["analytics:read"]].concat(),
    )
    .await;
    for path in [
        "/api/links".to_owned(),
        format!("/api/links/{link}"),
        codes,
        format!("/api/qr/{qr}"),
    ] {
        let counted = format!("{path}?include=counts");
        assert_eq!(client.get_as(&without, &path).await.status, 200, "{path}");
        let refused = client.get_as(&without, &counted).await;
        assert_eq!(refusal(&refused), (403, "FORBIDDEN".to_owned()), "{path}");
        assert_eq!(client.get_as(&with, &counted).await.status, 200, "{path}");
        let wrong = client.get_as(&with, &format!("{path}?include=views")).await;
        assert_eq!(refusal(&wrong), (400, "VALIDATION_ERROR".to_owned()));
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_that_cannot_be_read_are_null_and_hold_up_no_command() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let body = json!({ "destinationUrl": "https://shop.example/" });
    let link = made(client, &ada, "/api/links", body).await;
    let codes = format!("/api/qr/links/{link}");
    let qr = made(client, &ada, &codes, json!({})).await;
    let one = format!("/api/links/{link}?include=counts");
    let scans = format!("/api/qr/{qr}?include=counts");
    let none = json!({
        "clicks": null, "uniqueClicks": null, "conversions": null, "leads": null, "sales": null,
        "revenue": null, "currency": null, "lastClickedAt": null,
    });
    let mut holder = system.analytics.begin().await.unwrap();
    let lock = "LOCK TABLE hits IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *holder).await.unwrap();
    let paths = [&*one, "/api/links?include=counts", &scans, &one].map(str::to_owned);
    let waiting = paths.map(|path| {
        let (client, token) = (client.clone(), ada.token.clone());
        tokio::spawn(async move { client.get_as(&token, &path).await })
    });
    until_running(&system.analytics, 4).await;
    // More requests wait for counts than may have a turn at the main database.
    let path = format!("/api/links/{link}");
    let title = json!({ "title": "Shop" });
    client.patch_as(&ada.token, &path, &title).await.assert_ok();
    until_running(&system.analytics, 4).await;
    let answers = join_all(waiting).await.into_iter();
    let answers: Vec<Answer> = answers.map(Result::unwrap).collect();
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(counts(&answers[0].data()), none);
    assert_eq!(counts(&answers[1].data()[0]), none);
    assert_eq!(answers[2].data()["scans"], Value::Null);
    assert!(answers[2].data().as_object().unwrap().contains_key("scans"));
    // Their statements are cancelled.
    until_running(&system.analytics, 0).await;
    holder.rollback().await.unwrap();
    let counted = client.get_as(&ada.token, &one).await.data();
    assert_eq!(
        (&counted["clicks"], &counted["currency"]),
        (&json!(0), &json!("USD"))
    );

    sqlx::raw_sql("ALTER TABLE hits RENAME TO hits_kept")
        .execute(&system.analytics)
        .await
        .unwrap();
    let answer = client.get_as(&ada.token, &one).await;
    assert_eq!(counts(&answer.data()), none);
    let metrics = client.get("/metrics").await.text;
    assert!(
        metrics.contains("\napi_counts_missing_total 5\n"),
        "{metrics}"
    );
    let request = client.request(Method::GET, "/api/links?include=");
    let answer = client.send(request.bearer_auth(&ada.token)).await;
    assert_eq!(counts(&answer.data()[0]), json!({}));
    system.finish().await;
}

//! The end of a workspace: what it had is gone on every instance, what others have is not touched, and
//! its events stay.

use super::{
    domains::{add, prove, start, verify},
    objects::{get_with_key, join, make_key, refusal},
};
use crate::{
    clicks::{open, until_answered},
    conversions::click_id,
};
use api::{ConversionHistory, PastConversion, PastOutcome};
use jiff::SignedDuration;
use kit::{
    Answer, Client, Creator, System,
    system::{PATIENCE, SECRET},
};
use reqwest::Method;
use runtime::{Clock, jwt};
use schemas::{EventId, IdMaker, Keyring, WorkspaceId};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub const OWN_HOST: &str = "footfall.test";
const DESTINATION: &str = "https://shop.example/secret-sale";
/// Rounds of deletions. One of them must be quick: a cache with a lifetime is slow in all, and a busy
/// machine in some.
const ROUNDS: usize = 3;

/// A workspace of a user who need not have a creator.
pub async fn make_workspace(system: &System, sub: &str) -> Creator {
    let token = system.client.token(sub);
    let body = json!({ "name": "Shop" });
    let made = system.client.post_as(&token, "/api/workspaces", &body);
    let made = made.await;
    assert_eq!(made.status, 201, "{}", made.text);
    Creator {
        id: Uuid::nil(),
        workspace_id: made.id(),
        page: Uuid::nil(),
        token,
    }
}

/// Deletes a workspace.
pub async fn delete(client: &Client, token: &str, workspace_id: Uuid) -> Answer {
    let path = format!("/api/workspaces/{workspace_id}");
    client.delete_as(token, &path).await
}

/// Makes a link in the workspace of a caller.
pub async fn make_link(system: &System, by: &Creator, body: &Value) -> Answer {
    let request = system.client.request(Method::POST, "/api/links").json(body);
    let request = request.bearer_auth(&by.token);
    let wanted = by.workspace_id.to_string();
    system
        .client
        .send(request.header("x-workspace-id", wanted))
        .await
}

/// Waits until an instance answers a code with 404.
pub async fn until_gone(client: &Client, host: &str, code: &str) {
    let begun = Instant::now();
    while open(client, host, &format!("/{code}?no-track"), &[])
        .await
        .status
        != 404
    {
        assert!(begun.elapsed() < PATIENCE, "{code} on {host}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_links_hosts_and_keys_end_on_every_instance_within_a_second() {
    let (system, dns) = start().await;
    let other = system.beside().await;
    let both = [&system.client, &other.client];
    let client = &system.client;
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let carol = make_workspace(&system, &format!("carol-{round}")).await;
        let (code, host) = (format!("promo-{round}"), format!("go-{round}.example"));
        let domain = add(&system, &carol, &host).await;
        prove(&dns, &domain);
        verify(&system, &carol, &domain).await.assert_ok();
        for domain in [Value::Null, domain["id"].clone()] {
            let body =
                json!({"destinationUrl": DESTINATION, "shortCode": code, "domainId": domain});
            assert_eq!(make_link(&system, &carol, &body).await.status, 201);
        }
        let (_, key) = make_key(client, &carol.token, &["links:read"]).await;
        for instance in both {
            until_answered(instance, OWN_HOST, &code, 302).await;
            until_answered(instance, &host, &code, 302).await;
            let listed = get_with_key(instance, &key, "/api/links").await;
            assert_eq!(listed.status, 200, "{}", listed.text);
        }
        let by = both[round % 2];
        let deleted = delete(by, &carol.token, carol.workspace_id).await;
        assert_eq!(deleted.json(), json!({"success": true, "data": {}}));
        let begun = Instant::now();
        for instance in both {
            // Keys and members are looked up with each request.
            let answer = get_with_key(instance, &key, "/api/links").await;
            assert_eq!(refusal(&answer), (401, "INVALID_API_KEY".to_owned()));
            let answer = instance.get_as(&carol.token, "/api/links").await;
            assert_eq!(refusal(&answer), (403, "FORBIDDEN".to_owned()));
            until_gone(instance, OWN_HOST, &code).await;
            until_gone(instance, &host, &code).await;
            for path in ["/robots.txt", "/.well-known/assetlinks.json"] {
                assert_eq!(open(instance, &host, path, &[]).await.status, 404);
            }
        }
        rounds.push(begun.elapsed());
    }
    let quickest = rounds.iter().min();
    assert!(quickest < Some(&Duration::from_secs(1)), "{rounds:?}");
    other.stop().await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_unknown_to_its_members_and_no_default_of_theirs() {
    let system = System::start().await;
    let client = &system.client;
    let carol = make_workspace(&system, "carol").await;
    let dan = join(&system, carol.workspace_id, "dan", "admin").await;
    let erin = join(&system, carol.workspace_id, "erin", "editor").await;
    let fay = join(&system, carol.workspace_id, "fay", "viewer").await;
    let (key_id, key) = make_key(client, &carol.token, &["analytics:read"]).await;
    let forbidden = (403, "FORBIDDEN".to_owned());
    let (unauthorized, missing) = ("UNAUTHORIZED".to_owned(), "NOT_FOUND".to_owned());
    let id = carol.workspace_id;
    // Only owners, and only with a token: no scope of a key is enough.
    for (token, expected) in [
        (&*dan, forbidden.clone()),
        (&erin, forbidden.clone()),
        (&fay, forbidden.clone()),
        (&key, (401, unauthorized.clone())),
        (&client.token("eve"), (404, missing.clone())),
    ] {
        assert_eq!(refusal(&delete(client, token, id).await), expected);
    }
    let path = format!("/api/workspaces/{id}");
    let request = client.request(Method::DELETE, &path);
    let answer = client.send(request.header("x-api-key", &key)).await;
    assert_eq!(refusal(&answer), (401, unauthorized));
    let body = json!({"name": "A key", "scopes": ["workspace:delete"]});
    let answer = client.post_as(&carol.token, "/api/keys", &body).await;
    assert_eq!(refusal(&answer), (400, "VALIDATION_ERROR".to_owned()));
    // Keys of earlier versions may have that scope.
    sqlx::query("UPDATE api_keys SET scopes = scopes || '{workspace:delete}'")
        .execute(&system.main)
        .await
        .unwrap();
    let path_of_key = format!("/api/keys/{key_id}/rotate");
    let rotated = client.post_as(&carol.token, &path_of_key, &json!({})).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let key = rotated.data()["key"].as_str().unwrap().to_owned();
    let answer = delete(client, &key, id).await;
    assert_eq!(refusal(&answer), (401, "UNAUTHORIZED".to_owned()));

    let at_once = (0..4).map(|_| delete(client, &carol.token, id));
    let answers = futures::future::join_all(at_once).await;
    let mut statuses: Vec<u16> = answers.iter().map(|a| a.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404, 404, 404]);
    assert_eq!(
        refusal(&delete(client, &carol.token, id).await),
        (404, missing.clone())
    );

    let second = make_workspace(&system, "carol").await;
    let claimed = jwt::mint(
        SECRET,
        "carol",
        Some(id.to_string()),
        system.clock.now(),
        SignedDuration::from_hours(1),
    );
    let answer = client.get_as(&claimed.unwrap(), "/api/links").await;
    assert_eq!(refusal(&answer), forbidden);
    for token in [&carol.token, &dan] {
        let request = client.request(Method::GET, "/api/links").bearer_auth(token);
        let request = request.header("x-workspace-id", id.to_string());
        assert_eq!(refusal(&client.send(request).await), forbidden);
        let path = format!("/api/workspaces/{id}");
        let answer = client.patch_as(token, &path, &json!({"name": "x"})).await;
        assert!([403, 404].contains(&answer.status.as_u16()));
    }
    let answer = client.get_as(&carol.token, &path).await;
    assert_eq!(refusal(&answer), (404, missing));
    let answer = client.get_as(&dan, "/api/links").await;
    assert!(
        answer.text.contains("POST /api/workspaces"),
        "{}",
        answer.text
    );
    let listed = client.get_as(&carol.token, "/api/workspaces").await.data();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["id"], json!(second.workspace_id));
    let default = client.get_as(&carol.token, "/api/members").await.data();
    assert_eq!(default.as_array().map(Vec::len), Some(1));
    for path in [
        "/link/external/v1/analytics/events",
        "/link/external/v1/analytics/events/export?format=csv",
        "/api/analytics/workspace/overview",
    ] {
        let answer = get_with_key(client, &key, path).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text);
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_waited_for_the_deletion_is_refused() {
    let system = System::start().await;
    let carol = make_workspace(&system, "carol").await;
    let mut tx = system.main.begin().await.unwrap();
    sqlx::query("UPDATE workspaces SET ended_at = now() WHERE id = $1")
        .bind(carol.workspace_id)
        .execute(&mut *tx)
        .await
        .unwrap();
    let body = json!({"destinationUrl": DESTINATION, "shortCode": "promo"});
    let deleting = async {
        let sql = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let begun = Instant::now();
        loop {
            let waiting: i64 = sqlx::query_scalar(sql)
                .fetch_one(&system.main)
                .await
                .unwrap();
            if waiting == 1 {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{waiting}");
            sleep(Duration::from_millis(5)).await;
        }
        tx.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(make_link(&system, &carol, &body), deleting);
    assert_eq!(refusal(&answer), (403, "FORBIDDEN".to_owned()));
    let links: i64 = sqlx::query_scalar("SELECT count(*) FROM links")
        .fetch_one(&system.main)
        .await
        .unwrap();
    assert_eq!(links, 0);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_clicks_take_no_more_conversions() {
    let system = System::start().await;
    let client = &system.client;
    let carol = make_workspace(&system, "carol").await;
    let made = client.request(Method::PUT, "/api/conversions/postback-token");
    let made = client.send(made.bearer_auth(&carol.token)).await;
    let token = made.data()["token"].as_str().unwrap().to_owned();
    let click = async |random: u8| {
        click_id(&system, carol.workspace_id, random, SignedDuration::ZERO).await
    };
    let report = async |random: u8| {
        let click = click(random).await;
        let body = json!({"clickId": click, "event": "purchase", "value": 50});
        let tracked = client.post("/api/conversions/track", &body).await;
        let body = json!({"click_id": click, "event": "upgrade", "value": "5"});
        let s2s = client.post("/conversions/s2s", &body).await;
        let path = "/api/conversions/postback";
        let path = format!("{path}?lw_cid={click}&event=a&token={token}");
        let posted = client.get(&path).await;
        let pixel = format!("/api/conversions/pixel.gif?lw_cid={click}&event=b");
        assert_eq!(
            client.get(&pixel).await.headers["content-type"],
            "image/gif"
        );
        (tracked, posted, s2s.data())
    };
    let count = async || {
        let sql = "SELECT count(*) FROM conversions WHERE workspace_id = $1";
        let counting = sqlx::query_scalar(sql).bind(carol.workspace_id);
        let count: i64 = counting.fetch_one(&system.main).await.unwrap();
        count
    };
    let (tracked, posted, s2s) = report(1).await;
    assert_eq!(
        (tracked.status.as_u16(), posted.status.as_u16()),
        (200, 200)
    );
    assert_eq!(s2s["attributed"], true);
    // The token keeps pixels out.
    assert_eq!(count().await, 3);
    delete(client, &carol.token, carol.workspace_id)
        .await
        .assert_ok();
    let (tracked, posted, s2s) = report(2).await;
    let mut made_up = click(3).await.0.into_bytes();
    made_up[15] ^= 1;
    let body = json!({"clickId": Uuid::from_bytes(made_up), "event": "purchase"});
    let unknown = client.post("/api/conversions/track", &body).await;
    for refused in [tracked, posted] {
        assert_eq!(refused.json(), unknown.json());
        assert_eq!(refused.status, 400);
    }
    assert_eq!(s2s["attributed"], false);
    assert_eq!(count().await, 3);
    // A call that found its workspace before the deletion, and waited since.
    let history = ConversionHistory {
        pool: system.main.clone(),
        clock: Arc::clone(&system.context.clock),
        ids: Arc::clone(&system.context.ids),
    };
    let click_id = click(4).await;
    let ids = IdMaker::new(Keyring::parse(SECRET).unwrap());
    let (workspace_no, _) = ids.verify_click(click_id).unwrap();
    let late = PastConversion {
        event_id: EventId(Uuid::from_u128(4)),
        workspace_no,
        workspace_id: WorkspaceId(carol.workspace_id),
        click_id: Some(click_id),
        occurred_at: system.clock.now(),
        members: serde_json::Map::new(),
    };
    let outcome = history.record(&late).await.unwrap();
    assert!(
        matches!(outcome, PastOutcome::Refused("invalid_click", _)),
        "{outcome:?}"
    );
    assert_eq!(count().await, 3);
    // What was recorded before still reaches the tables.
    let begun = Instant::now();
    loop {
        let folded: i64 = sqlx::query_scalar("SELECT count(*) FROM conversions")
            .fetch_one(&system.analytics)
            .await
            .unwrap();
        if folded == 3 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{folded}");
        sleep(Duration::from_millis(10)).await;
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_may_have_its_host_and_its_slug_but_not_its_codes() {
    let (system, dns) = start().await;
    let client = &system.client;
    let carol = make_workspace(&system, "carol").await;
    let path = format!("/api/workspaces/{}", carol.workspace_id);
    let body = json!({"slug": "shop"});
    client
        .patch_as(&carol.token, &path, &body)
        .await
        .assert_ok();
    let domain = add(&system, &carol, "go.example").await;
    prove(&dns, &domain);
    verify(&system, &carol, &domain).await.assert_ok();
    for domain in [Value::Null, domain["id"].clone()] {
        let body = json!({"destinationUrl": DESTINATION, "shortCode": "promo", "domainId": domain});
        assert_eq!(make_link(&system, &carol, &body).await.status, 201);
    }
    until_answered(client, "go.example", "promo", 302).await;
    let eve = client.creator("eve").await;
    let loops = json!({"destinationUrl": "https://go.example/promo"});
    assert_eq!(make_link(&system, &eve, &loops).await.status, 400);
    delete(client, &carol.token, carol.workspace_id)
        .await
        .assert_ok();
    until_gone(client, "go.example", "promo").await;

    let body = json!({"name": "Another", "slug": "shop"});
    let taken = client.post_as(&eve.token, "/api/workspaces", &body).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    // A printed link stays its workspace's, as after the deletion of the link.
    let body = json!({"destinationUrl": "https://eve.example/", "shortCode": "promo"});
    let refused = make_link(&system, &eve, &body).await;
    assert_eq!(refusal(&refused), (409, "SHORT_CODE_EXISTS".to_owned()));
    // The host is none of ours now.
    let leads = json!({"destinationUrl": "https://go.example/elsewhere"});
    assert_eq!(make_link(&system, &eve, &leads).await.status, 201);
    let eves = add(&system, &eve, "go.example").await;
    assert_eq!(eves["state"], "pending");
    prove(&dns, &eves);
    verify(&system, &eve, &eves).await.assert_ok();
    until_answered(client, "go.example", "robots.txt", 200).await;
    assert_eq!(open(client, "go.example", "/promo", &[]).await.status, 404);
    let body = json!({"destinationUrl": "https://eve.example/", "shortCode": "promo", "domainId": eves["id"]});
    assert_eq!(make_link(&system, &eve, &body).await.status, 201);
    let answer = until_answered(client, "go.example", "promo", 302).await;
    assert_eq!(answer.headers["location"], "https://eve.example/");
    system.finish().await;
}

/// Runs the statement of the operator's guide that begins like this, for a workspace.
pub async fn run_of_guide(system: &System, beginning: &str, workspace_id: Uuid) {
    let guide = include_str!("../../../docs/OPERATIONS.md");
    let statements = guide.split("```sql\n").skip(1);
    let mut statements = statements.filter_map(|rest| rest.split("```").next());
    let found = statements.find(|statement| statement.starts_with(beginning));
    let given = found
        .unwrap()
        .replace("<workspace id>", &workspace_id.to_string());
    let running = sqlx::raw_sql(AssertSqlSafe(given));
    running.execute(&system.main).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creators_workspace_and_with_it_its_pages_cannot_be_deleted() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let bob = join(&system, ada.workspace_id, "bob", "owner").await;
    for token in [&ada.token, &bob] {
        let answer = delete(client, token, ada.workspace_id).await;
        let expected = (409, "WORKSPACE_OF_CREATOR".to_owned());
        assert_eq!(refusal(&answer), expected);
        assert!(answer.text.contains("bio pages"), "{}", answer.text);
    }
    let session = client.session(ada.page, "v").await;
    client.view(session, None).await;
    client.heartbeat(session).await.assert_ok();
    system.settle().await;
    assert_eq!(client.report(&ada, "overview").await["totalViews"], 1);
    // A workspace beside it may go.
    let second = make_workspace(&system, "ada").await;
    delete(client, &ada.token, second.workspace_id)
        .await
        .assert_ok();
    let listed = client.get_as(&ada.token, "/api/workspaces").await.data();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    system.finish().await;
}

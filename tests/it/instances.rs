//! Two instances over one log and one database: a change made through one applies to the links of both.

use crate::clicks::open;
use kit::{Answer, Client, System, system::PATIENCE};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const HOST: &str = "footfall.test";
const FIRST: &str = "https://shop.example/first";
const SECOND: &str = "https://shop.example/second";

/// Rounds of changes. One of them must be quick at every step: a cache with a lifetime is slow in all,
/// and a busy machine in some.
const ROUNDS: usize = 3;

/// Waits until every instance answers as expected, and returns how long that took. Instances send no
/// notification of a change.
async fn until_all(
    instances: [&Client; 2],
    code: &str,
    expected: impl Fn(&Answer) -> bool,
) -> Duration {
    let begun = Instant::now();
    for instance in instances {
        loop {
            let answer = open(instance, HOST, &format!("/{code}?no-track"), &[]).await;
            assert_eq!(answer.headers["cache-control"], "private, no-store");
            if expected(&answer) {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{}", answer.status);
            sleep(Duration::from_millis(5)).await;
        }
    }
    begun.elapsed()
}

fn leads_to(location: &str) -> impl Fn(&Answer) -> bool {
    move |answer| {
        answer
            .headers
            .get("location")
            .is_some_and(|given| given == location)
    }
}

fn is(status: u16) -> impl Fn(&Answer) -> bool {
    move |answer| answer.status == status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_closed_deleted_or_new_link_is_so_on_every_instance_within_a_second() {
    let system = System::start().await;
    let other = system.beside().await;
    let both = [&system.client, &other.client];
    let token = system.client.creator("ada").await.token;
    let send = async |instance: usize, method: Method, path: &str, body: &Value| {
        let request = both[instance].request(method, path).json(body);
        let answer = both[instance].send(request.bearer_auth(&token)).await;
        answer.assert_ok();
        answer
    };
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let code = format!("promo-{round}");
        let link = |url: &str| json!({"destinationUrl": url, "shortCode": code});
        let made = send(0, Method::POST, "/api/links", &link(FIRST)).await;
        let path = format!("/api/links/{}", made.id());
        let mut took = vec![until_all(both, &code, leads_to(FIRST)).await];
        let change = async |instance: usize, body: Value| {
            send(instance, Method::PATCH, &path, &body).await;
        };
        change(1, json!({"destinationUrl": SECOND})).await;
        took.push(until_all(both, &code, leads_to(SECOND)).await);
        change(0, json!({"expiresAt": "2027-03-05T12:00:00Z"})).await;
        took.push(until_all(both, &code, is(410)).await);
        change(1, json!({"expiresAt": null, "clicksLimit": 1})).await;
        took.push(
            until_all(both, &code, |answer| {
                answer.status == 302 || answer.status == 410
            })
            .await,
        );
        change(0, json!({"clicksLimit": null})).await;
        took.push(until_all(both, &code, is(302)).await);
        send(1, Method::DELETE, &path, &json!({})).await;
        took.push(until_all(both, &code, is(404)).await);
        send(0, Method::POST, "/api/links", &link(FIRST)).await;
        took.push(until_all(both, &code, leads_to(FIRST)).await);
        rounds.push(took);
    }
    for step in 0..rounds[0].len() {
        let quickest = rounds.iter().map(|took| took[step]).min();
        assert!(quickest < Some(Duration::from_secs(1)), "{rounds:?}");
    }
    other.stop().await;
    system.finish().await;
}

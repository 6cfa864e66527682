//! Hosts of short URLs: nothing is served without a proof, and the newest proof wins.

use super::{
    dns::Dns,
    objects::{audit, refusal},
};
use jiff::SignedDuration;
use kit::{Creator, System, SystemBuilder};
use schemas::directory::{Domain, Entry};
use serde_json::{Value, json};

/// A system, and the DNS server that it asks.
pub async fn start() -> (System, Dns) {
    let dns = Dns::start().await;
    let builder = SystemBuilder::default().set("DNS_SERVER", dns.address.clone());
    (builder.start().await, dns)
}

/// Adds a host.
pub async fn add(system: &System, by: &Creator, host: &str) -> Value {
    let body = json!({ "host": host });
    let answer = system
        .client
        .post_as(&by.token, "/api/domains", &body)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.data()
}

/// Asks for the verification of a domain.
pub async fn verify(system: &System, by: &Creator, domain: &Value) -> kit::Answer {
    let id = domain["id"].as_str().unwrap();
    let path = format!("/api/domains/{id}/verify");
    system.client.post_as(&by.token, &path, &json!({})).await
}

/// Puts the proof of a domain into DNS, in place of all others.
pub fn prove(dns: &Dns, domain: &Value) {
    let proof = &domain["verification"];
    let (name, value) = (proof["name"].as_str(), proof["value"].as_str());
    dns.set(name.unwrap(), &["v=spf1 -all", value.unwrap()]);
}

/// What was published or waits to be, of hosts: whose, verified, deleted.
async fn published(system: &System) -> Vec<Domain> {
    let records = system.log.read(schemas::topics::DIRECTORY).await;
    let entries = records
        .into_iter()
        .filter_map(|record| serde_json::from_slice(&record.payload).ok());
    entries
        .filter_map(|entry| match entry {
            Entry::Domain(domain) => Some(domain),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_verified_by_its_own_txt_record_only() {
    let (system, dns) = start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let domain = add(&system, &ada, "GO.Example.:8443").await;
    assert_eq!(
        (&domain["host"], &domain["state"]),
        (&json!("go.example"), &json!("pending"))
    );
    assert_eq!(domain["verification"]["name"], "_footfall.go.example");
    let missing = (409, "CONFLICT".to_owned());
    assert_eq!(refusal(&verify(&system, &ada, &domain).await), missing);
    let value = domain["verification"]["value"].as_str().unwrap();
    dns.set("_footfall.go.example", &[&value[..value.len() - 1]]);
    assert_eq!(refusal(&verify(&system, &ada, &domain).await), missing);
    dns.set("go.example", &[value]);
    assert_eq!(refusal(&verify(&system, &ada, &domain).await), missing);
    prove(&dns, &domain);
    for _ in 0..2 {
        let verified = verify(&system, &ada, &domain).await.data();
        assert_eq!(verified["state"], "verified");
    }
    let actions = audit(&system, ada.workspace_id).await;
    let actions: Vec<String> = actions.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(
        actions,
        ["creator.created", "domain.created", "domain.verified"]
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dangling_host_serves_no_workspace_until_a_new_owner_proves_it() {
    let (system, dns) = start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let eve = client.creator("eve").await;
    let adas = add(&system, &ada, "go.example").await;
    prove(&dns, &adas);
    verify(&system, &ada, &adas).await.assert_ok();
    let path = format!("/api/domains/{}", adas["id"].as_str().unwrap());
    client.delete_as(&ada.token, &path).await.assert_ok();
    // Ada's record is still in DNS, and does not prove Eve's.
    let eves = add(&system, &eve, "go.example").await;
    assert_eq!(verify(&system, &eve, &eves).await.status, 409);
    prove(&dns, &eves);
    verify(&system, &eve, &eves).await.assert_ok();
    // Ada's next proof takes it back.
    let again = add(&system, &ada, "go.example").await;
    assert_ne!(
        again["verification"]["value"],
        adas["verification"]["value"]
    );
    prove(&dns, &again);
    verify(&system, &ada, &again).await.assert_ok();
    let path = format!("/api/domains/{}", eves["id"].as_str().unwrap());
    let lost = client.get_as(&eve.token, &path).await.data();
    assert_eq!(lost["state"], "pending");
    // Eve's pending one says nothing about Ada's when it goes.
    client.delete_as(&eve.token, &path).await.assert_ok();
    let sql = "SELECT count(*) FROM outbox";
    let begun = tokio::time::Instant::now();
    // The publisher sends no notification when it is done.
    while sqlx::query_scalar::<_, i64>(sql)
        .fetch_one(&system.main)
        .await
        .unwrap()
        > 0
    {
        assert!(begun.elapsed() < kit::system::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let told = published(&system).await;
    let states: Vec<(u32, bool, bool)> = told
        .iter()
        .map(|domain| (domain.workspace_no.0, domain.verified, domain.deleted))
        .collect();
    let (ada_no, eve_no) = (states[0].0, states[2].0);
    assert_ne!(ada_no, eve_no);
    assert_eq!(
        states,
        [
            (ada_no, true, false),
            (ada_no, true, true),
            (eve_no, true, false),
            (ada_no, true, false),
        ]
    );
    let versions: Vec<i64> = told.iter().map(|domain| domain.row_version).collect();
    assert!(
        versions.is_sorted_by(|one, next| one < next),
        "{versions:?}"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_host_is_always_there_and_a_default_is_verified() {
    let (system, dns) = start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let body = json!({"host": "Footfall.test"});
    let answer = client.post_as(&ada.token, "/api/domains", &body).await;
    assert_eq!(refusal(&answer), (409, "CONFLICT".to_owned()));
    let first = add(&system, &ada, "bücher.example").await;
    // Domains are listed in the order of their creation.
    system.clock.advance(SignedDuration::from_secs(1));
    let second = add(&system, &ada, "s.example").await;
    let body = json!({"host": "xn--bcher-kva.example"});
    let answer = client.post_as(&ada.token, "/api/domains", &body).await;
    assert_eq!(refusal(&answer), (409, "CONFLICT".to_owned()));
    let prefer = async |domain: &Value, is_default: bool| {
        let path = format!("/api/domains/{}", domain["id"].as_str().unwrap());
        let body = json!({ "isDefault": is_default });
        client
            .patch_as(&ada.token, &path, &body)
            .await
            .status
            .as_u16()
    };
    let defaults = async || {
        let listed = client.get_as(&ada.token, "/api/domains").await.data();
        let hosts = listed.as_array().unwrap().iter();
        let hosts = hosts.filter(|domain| domain["isDefault"] == true);
        hosts
            .map(|domain| domain["host"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(defaults().await, ["footfall.test"]);
    assert_eq!(prefer(&first, true).await, 409);
    for domain in [&first, &second] {
        prove(&dns, domain);
        verify(&system, &ada, domain).await.assert_ok();
        assert_eq!(prefer(domain, true).await, 200);
        assert_eq!(defaults().await, [domain["host"].as_str().unwrap()]);
    }
    assert_eq!(prefer(&second, false).await, 200);
    assert_eq!(defaults().await, ["footfall.test"]);
    let mut hosts = Vec::new();
    for page in 1..=3 {
        let path = format!("/api/domains?limit=1&page={page}");
        let answer = client.get_as(&ada.token, &path).await;
        assert_eq!(answer.json()["pagination"]["total"], 3);
        hosts.push(answer.data()[0]["host"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        hosts,
        ["footfall.test", "xn--bcher-kva.example", "s.example"]
    );
    system.finish().await;
}

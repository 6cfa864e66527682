//! One set of clicks has one number: in the overview, in its series, in the summaries of the links, on the
//! events API, and in its file.

use crate::{
    clicks::{code, open, until_folded, until_known},
    events_api::{EventsApi, ids},
};
use jiff::SignedDuration;
use kit::System;
use serde_json::{Value, json};

const HOST: &str = "footfall.test";

fn agent(version: u8) -> String {
    format!("Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_of_the_same_clicks_has_the_same_number() {
    let system = System::start().await;
    let api = EventsApi::of(&system).await;
    let (client, ada) = (&system.client, &api.creator);
    let bio = client.link(ada, "Shop", "https://shop.example/").await;
    let body = json!({"destinationUrl": "https://shop.example/x", "shortCode": "promo"});
    let promo = client.post_as(&ada.token, "/api/links", &body).await.id();
    let code = code(&system, bio).await;
    until_known(&system, &code).await;
    until_known(&system, "promo").await;
    // Three visitors of one link, one of them again, and machines; one of them on the other link, too.
    let mut rows = [0, 0];
    for (link, path, agent) in [
        (0, "/promo", agent(120)),
        (0, "/promo", agent(121)),
        (0, "/promo?qr=x", agent(122)),
        (0, "/promo", agent(120)),
        (0, "/promo", "Twitterbot/1.0".to_owned()),
        (0, "/promo", "curl/8.5.0".to_owned()),
        (1, &*format!("/{code}"), agent(120)),
    ] {
        open(client, HOST, path, &[("user-agent", &agent)]).await;
        rows[link] += 1;
        until_folded(&system.analytics, [promo, bio][link], rows[link]).await;
    }
    // A tap on the page.
    let session = client.session(ada.page, "v").await;
    client.view(session, Some(bio)).await;
    until_folded(&system.analytics, bio, 2).await;
    // A window ends now, and these clicks have happened now.
    system.clock.advance(SignedDuration::from_secs(1));

    let clicks = |data: &Value| data["clicks"].as_u64().unwrap();
    let report = async |path: &str| {
        let path = format!("/api/analytics/{path}");
        client.get_as(&ada.token, &path).await.data()
    };
    // Asked for machines, the events API also has the repeats of visitors; a report counts no visitor twice.
    for (bots, expected, repeats) in [("", 5, 0), ("&includeBots=true", 7, 1)] {
        let overview = report(&format!("workspace/overview?days=7{bots}")).await;
        assert_eq!(clicks(&overview["totals"]), expected, "{overview}");
        let series = report(&format!("workspace/timeseries?days=7{bots}")).await;
        let buckets = series["timeseries"].as_array().unwrap();
        assert_eq!(
            buckets.iter().map(clicks).sum::<u64>(),
            expected,
            "{series}"
        );
        let mut of_links = 0;
        for link in [promo, bio] {
            let summary = report(&format!("{link}/summary?days=7{bots}")).await;
            of_links += clicks(&summary["totals"]);
        }
        assert_eq!(of_links, expected);
        let count = |events: usize| u64::try_from(events).unwrap();
        let window = "from=2027-03-01&to=2027-03-31";
        for query in ["since=2027-03-01", window] {
            let page = api.page(&format!("{query}{bots}")).await;
            assert_eq!(
                count(ids(&page).len()),
                expected + repeats,
                "{query}: {page}"
            );
        }
        let file = api.export(&format!("{window}{bots}")).await;
        assert_eq!(
            count(file.text.lines().count()),
            expected + repeats,
            "{}",
            file.text
        );
        let of_promo = api
            .page(&format!("{window}{bots}&shortUrlId=url_{promo}"))
            .await;
        let summary = report(&format!("{promo}/summary?days=7{bots}")).await;
        let counted = clicks(&summary["totals"]);
        assert_eq!(count(ids(&of_promo).len()), counted + repeats);
    }
    system.finish().await;
}

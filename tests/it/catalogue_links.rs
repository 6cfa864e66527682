//! Every report of links, on random traffic of pages and short links, equals plain loops over the
//! raw rows.

mod questions;
mod shop;

use crate::catalogue::{append, site};
use api::catalog::{REPORTS, Report, Surface};
use kit::{
    System,
    link_traffic::{self, Means},
    noon,
    oracle::differences,
    raw::{Names, Rows},
    traffic,
};
use questions::questions;
use shop::shop;

/// Replaces the rates by one of each currency, whatever the day.
async fn set_rates(system: &System) {
    sqlx::query("DELETE FROM fx_rates")
        .execute(&system.main)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO fx_rates (currency, day, usd_pico)
        VALUES ('EUR', '2020-01-01', 1250000000000), ('JPY', '2020-01-01', 7812500000)",
    )
    .execute(&system.main)
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_of_links_equals_plain_loops_over_the_raw_rows() {
    let system = System::start().await;
    set_rates(&system).await;
    let shop = shop(&system).await;
    let ours = site(&system, &shop.ada, vec![shop.ada.page], shop.links.clone()).await;
    let means = Means {
        campaigns: shop.known.campaigns.keys().copied().collect(),
        rules: shop.rules.clone(),
        qr_codes: shop.qr_codes.map(|qr| (shop.links[1], qr)).to_vec(),
    };
    let mut campaigns = means.campaigns.clone();
    campaigns.sort_unstable();
    let means = Means { campaigns, ..means };
    let mut events = traffic::records(&ours, 21, 150, noon(), 60);
    for (seed, clicks, days) in [(22, 500, 31), (23, 500, 500)] {
        let records = link_traffic::records(&ours, &means, seed, clicks, (noon(), days));
        events.extend(records);
    }
    append(&system, &ours, &events).await;
    system.settle().await;

    let no = i32::try_from(ours.workspace_no.0).unwrap();
    let rows = Rows::read(&system.analytics, no, Names::new()).await;
    let (mut asked, mut wrong) = (0, Vec::new());
    let of_links = |report: &&Report| report.surface == Surface::Workspace;
    for report in REPORTS.iter().filter(of_links) {
        for ask in questions(report, &shop, &rows) {
            let url = ask.url();
            let answer = system.client.get_as(&shop.ada.token, &url).await;
            assert_eq!(answer.status, 200, "{url}: {}", answer.text);
            let expected = rows.expect_of_links(&ask, &shop.known, noon());
            differences(&url, &answer.json(), &expected, &mut wrong);
            asked += 1;
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(30)]
    );
    assert!(asked > 120, "{asked}");
    // The traffic is large enough for the comparison to mean something.
    let month = system
        .client
        .get_as(&shop.ada.token, "/api/analytics/workspace/overview?days=30")
        .await
        .data();
    for name in [
        "clicks",
        "qrScans",
        "leads",
        "sales",
        "botClicks",
        "cost",
        "cpa",
    ] {
        assert!(
            month["totals"][name].as_f64() > Some(0.0),
            "{name}: {month}"
        );
        assert!(month["change"][name].is_number(), "{name}: {month}");
    }
    for (list, length) in [("topLinks", 5), ("topCampaigns", 5), ("topReferrers", 5)] {
        assert_eq!(
            month[list].as_array().map(Vec::len),
            Some(length),
            "{month}"
        );
    }
    system.finish().await;
}

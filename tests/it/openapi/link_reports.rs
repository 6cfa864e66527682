//! Uses the reports of links, for the comparison of all answers with the document.

use super::{answers::UNKNOWN_ID, checker::Checker};
use crate::workspaces::{
    objects::make_key,
    refused_reports::{About, reports},
};
use api::catalog::{Param, Values};
use kit::Creator;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const SOME_ID: &str = "00000000-0000-0000-0000-000000000002";

/// A success and each error of every report.
pub async fn use_link_reports(checker: &Checker<'_>, ada: &Creator, eve: &Creator, clicked: Uuid) {
    let client = &checker.system.client;
    let nobody = client.token("nobody");
    let (_, other) = make_key(client, &eve.token, &["links:read"]).await;
    let own = About::make(client, eve).await;
    let clicked = About::of(client, ada, clicked).await;
    for report in reports() {
        let ask = async |credential: &str, about: &About, query: &str, status: u16| {
            let path = format!("{}{query}", about.path(report));
            let answer = checker
                .ask(Method::GET, &path, Some(credential), Value::Null)
                .await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
            answer
        };
        let takes = |param: Param| report.params.contains(&param);
        let plain = ask(&ada.token, &clicked, "?days=60", 200).await.data();
        let shown = plain["totals"]
            .get("clicks")
            .unwrap_or(&plain["timeseries"]);
        assert_ne!(*shown, json!(0), "{plain}");
        for query in [
            "?timezone=Asia/Kathmandu&days=7",
            "?start=2027-03-01&end=2027-03-03T12:00:00Z",
            "?includeBots=true",
        ] {
            ask(&ada.token, &clicked, query, 200).await;
        }
        if takes(Param::Compare) {
            for (word, has) in [("previous", true), ("yoy", true), ("none", false)] {
                let query = format!("?compare={word}");
                let answer = ask(&ada.token, &clicked, &query, 200).await.data();
                assert_eq!(answer.get("change").is_some(), has, "{answer}");
            }
        }
        if takes(Param::Granularity) {
            for word in ["hour", "day", "month"] {
                let query = format!("?days=7&granularity={word}");
                let answer = ask(&ada.token, &clicked, &query, 200).await.data();
                assert_eq!(answer["granularity"], word);
            }
        }
        for filter in report.filters {
            let (known, out) = match filter.values {
                Values::Words(words) => (words[0], words[1]),
                Values::Known => (SOME_ID, filter.null_label),
                _ => ("TR", "Chile"),
            };
            let query = format!("?{}={known},-{out}", filter.id);
            ask(&ada.token, &clicked, &query, 200).await;
        }
        // Nothing was ever clicked.
        ask(&eve.token, &own, "", 200).await;
        ask(&ada.token, &clicked, "?colour=red", 400).await;
        ask(&nobody, &own, "", 403).await;
        ask(&other, &own, "", 403).await;
        ask("lw_live_x", &own, "", 401).await;
        let request = client.request(Method::GET, &own.path(report));
        let request = request.bearer_auth(&eve.token);
        let request = request.header("x-workspace-id", UNKNOWN_ID.to_string());
        assert_eq!(checker.send(request).await.status, 403, "{}", report.id);
        if report.path.contains('{') {
            ask(&eve.token, &About::NOTHING, "", 404).await;
        }
        for (param, name) in [
            (Param::Campaign, "campaignId"),
            (Param::Link, "linkId"),
            (Param::Folder, "folderId"),
            (Param::Tag, "tagId"),
        ] {
            if takes(param) {
                ask(&eve.token, &own, &format!("?{name}={UNKNOWN_ID}"), 404).await;
            }
        }
    }
}

//! Uses the events API, for the comparison of all answers with the document.

use super::checker::Checker;
use crate::workspaces::objects::make_key;
use kit::{Answer, Creator};
use reqwest::Method;

/// A success and each error of both routes.
pub async fn use_events(checker: &Checker<'_>, ada: &Creator) {
    let client = &checker.system.client;
    // The smallest plan has one key.
    checker.set_plan(ada, "enterprise").await;
    let (_, key) = make_key(client, &ada.token, &["analytics:read"]).await;
    let (_, links) = make_key(client, &ada.token, &["links:write"]).await;
    let ask = async |path_and_query: &str, key: Option<&str>, status: u16| -> Answer {
        let path = format!("/link/external/v1/analytics/events{path_and_query}");
        let mut request = client.request(Method::GET, &path);
        if let Some(key) = key {
            request = request.header("X-API-KEY", key);
        }
        let answer = checker.send(request).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let page = ask("?since=2020-01-01&limit=1", Some(&key), 200).await;
    assert_eq!(page.json()["hasMore"], true, "{}", page.text);
    let window = "?from=2027-01-01&to=2027-12-31";
    ask(&format!("{window}&limit=1"), Some(&key), 200).await;
    ask(&format!("/export{window}&limit=1"), Some(&key), 200).await;
    for path in ["", "/export"] {
        ask(&format!("{path}?from=2027-01-01"), Some(&key), 400).await;
        ask(path, None, 401).await;
        ask(path, Some("lw_live_0"), 401).await;
        ask(path, Some(&links), 403).await;
    }
}

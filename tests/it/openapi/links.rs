//! Opens short links, for the comparison of all answers with the document.

use super::checker::Checker;
use kit::Creator;
use reqwest::Method;
use serde_json::json;

/// Opens a short link, once the directory has it.
pub async fn open_links(checker: &Checker<'_>, ada: &Creator) {
    let system = checker.system;
    let link = system
        .client
        .link(ada, "Short", "https://shop.example/x?a=1&b=%2B")
        .await;
    let code = crate::clicks::code(system, link).await;
    let open = |path: String, more: (&'static str, &'static str)| {
        let request = system
            .client
            .request(Method::GET, &path)
            .header("host", "footfall.test");
        request.header(more.0, more.1)
    };
    crate::clicks::until_known(system, &code).await;
    // One link for each further answer.
    for (code, status, member, value) in [
        ("moved", 301, "redirectStatus", json!(301)),
        ("kept", 307, "redirectStatus", json!(307)),
        ("final", 308, "redirectStatus", json!(308)),
        ("asking", 200, "password", json!("secret")),
        ("nowhere", 204, "redirectBehavior", json!("never")),
        ("closed", 410, "enabled", json!(false)),
    ] {
        let body =
            json!({"destinationUrl": "https://shop.example/", "shortCode": code, member: value});
        let made = system.client.post_as(&ada.token, "/api/links", &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        crate::clicks::until_answered(&system.client, "footfall.test", code, status).await;
        for accept in ["*/*", "text/html"] {
            let answer = checker
                .send(open(format!("/{code}"), ("accept", accept)))
                .await;
            assert_eq!(answer.status, status, "{}", answer.text);
        }
    }
    let page = open("/unknown-code".to_owned(), ("accept", "text/html"));
    assert_eq!(checker.send(page).await.status, 404);
    for (path, more, status) in [
        (format!("/{code}"), ("dnt", "1"), 302),
        (format!("/{code}"), ("purpose", "prefetch"), 503),
        ("/unknown-code".to_owned(), ("dnt", "1"), 404),
    ] {
        let answer = checker.send(open(path, more)).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "private, no-store");
    }
}

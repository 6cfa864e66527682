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
    send_passwords(checker, ada).await;
}

/// Sends forms with passwords, for each answer to them.
async fn send_passwords(checker: &Checker<'_>, ada: &Creator) {
    let client = &checker.system.client;
    for (code, member, value, status) in [
        ("gone", "enabled", json!(false), 410),
        ("silent", "redirectBehavior", json!("never"), 200),
        ("waiting", "redirectDelayMs", json!(1_000), 200),
        ("ruled", "redirectBehavior", json!("rule_only"), 200),
        ("open", "redirectStatus", json!(308), 200),
    ] {
        let body = json!({
            "destinationUrl": "https://shop.example/", "shortCode": code, "password": "secret", member: value,
        });
        let made = client.post_as(&ada.token, "/api/links", &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        crate::clicks::until_answered(client, "footfall.test", code, status).await;
    }
    let send = async |code: &str, password: &str, more: (&'static str, &'static str)| {
        let request = client.request(Method::POST, &format!("/{code}"));
        let request = request.header("host", "footfall.test");
        let form = request.form(&[("password", password)]);
        let answer = checker.send(form.header(more.0, more.1)).await;
        assert_eq!(answer.headers["cache-control"], "private, no-store");
        answer
    };
    let huge = "x".repeat(5_000);
    for (code, password, status) in [
        ("open", "secret", 303),
        ("open", "wrong", 403),
        ("open", &huge, 413),
        ("waiting", "secret", 200),
        ("silent", "secret", 204),
        ("gone", "secret", 410),
        ("ruled", "secret", 404),
        ("moved", "secret", 405),
        ("unknown-code", "secret", 405),
    ] {
        for accept in ["*/*", "text/html"] {
            let answer = send(code, password, ("accept", accept)).await;
            assert_eq!(answer.status, status, "{code}: {}", answer.text);
        }
    }
    let ahead = send("open", "secret", ("purpose", "prefetch")).await;
    assert_eq!(ahead.status, 503);
    // Two wrong ones were sent before.
    for _ in 0..8 {
        assert_eq!(send("open", "wrong", ("dnt", "1")).await.status, 403);
    }
    let blocked = send("open", "secret", ("dnt", "1")).await;
    assert_eq!(blocked.status, 429);
}

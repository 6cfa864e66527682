//! Opens short links, for the comparison of all answers with the document.

use super::checker::Checker;
use kit::Creator;
use reqwest::Method;

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

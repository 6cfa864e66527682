//! A page as visitors get it: as JSON, as HTML with the tracker, and as an error.

use jiff::SignedDuration;
use kit::{Answer, Creator, System, SystemBuilder};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

async fn add(system: &System, creator: &Creator, link: &Value) -> Uuid {
    let path = format!("/api/v1/creators/{}/links", creator.id);
    let answer = system.client.post_as(&creator.token, &path, link).await;
    answer.id()
}

async fn change(instance: &System, creator: &Creator, settings: &Value) {
    let path = format!("/api/v1/creators/{}/bio", creator.id);
    let client = &instance.client;
    let answer = client.patch_as(&creator.token, &path, settings).await;
    answer.assert_ok();
}

/// The links that an instance shows right now, as titles and as HTML.
async fn seen(instance: &System, name: &str) -> (Vec<String>, String) {
    let path = format!("/api/v1/bio/{name}");
    let page = instance.client.get(&path).await.data();
    let titles = titles(&page).into_iter().map(str::to_owned).collect();
    let html = instance.client.get(&format!("/@{name}")).await.text;
    (titles, html)
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer
        .headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// The value of the first attribute with that name.
fn attribute<'a>(html: &'a str, name: &str) -> &'a str {
    let start = format!(" {name}=\"");
    let (_, rest) = html.split_once(&start).unwrap();
    rest.split_once('"').unwrap().0
}

fn titles(page: &Value) -> Vec<&str> {
    let links = page["links"].as_array().unwrap();
    links
        .iter()
        .map(|link| link["title"].as_str().unwrap())
        .collect()
}

fn assert_error_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(header(answer, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(answer, "cache-control"), "no-store");
    let nonce = attribute(&answer.text, "nonce");
    let policy = header(answer, "content-security-policy");
    assert!(
        policy.contains(&format!("style-src 'nonce-{nonce}'")),
        "{policy}"
    );
    assert!(
        answer
            .text
            .contains(&format!("<p class=\"status\">{status}</p>"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_with_the_token_of_the_page_is_counted() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let shop = add(
        &system,
        &ada,
        &json!({"title": "Tom & Jerry's <3", "url": "https://shop.example/?a=1&b=2"}),
    )
    .await;
    add(
        &system,
        &ada,
        &json!({"title": "Off", "url": "https://off.example", "active": false}),
    )
    .await;
    add(
        &system,
        &ada,
        &json!({"title": "Film", "url": "https://youtu.be/dQw4w9WgXcQ"}),
    )
    .await;

    let answer = client.get("/api/v1/bio/ADA").await;
    assert_eq!(
        header(&answer, "cache-control"),
        "public, s-maxage=60, stale-while-revalidate=300"
    );
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    let page = answer.data();
    assert_eq!(page["username"], "ada");
    assert_eq!(page["bioPageId"], json!(ada.page));
    assert_eq!(titles(&page), ["Tom & Jerry's <3", "Film"]);
    assert_eq!(page["links"][0]["id"], json!(shop));
    assert_eq!(page["links"][1]["embedMeta"]["videoId"], "dQw4w9WgXcQ");
    for hidden in ["userId", "creatorId", "workspace", "token", "consent"] {
        assert!(!answer.text.contains(hidden), "{hidden} in {}", answer.text);
    }

    let shown = client.get("/@Ada").await;
    assert_eq!(shown.status, 200);
    assert_eq!(header(&shown, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&shown, "cache-control"), "no-cache");
    assert_eq!(header(&shown, "x-content-type-options"), "nosniff");
    assert_eq!(
        header(&shown, "referrer-policy"),
        "strict-origin-when-cross-origin"
    );
    let nonce = attribute(&shown.text, "nonce");
    let policy = header(&shown, "content-security-policy");
    assert!(
        policy.contains(&format!("script-src 'nonce-{nonce}'")),
        "{policy}"
    );
    assert!(shown.text.contains("Tom &#38; Jerry&#39;s &#60;3"));
    assert!(
        shown
            .text
            .contains("href=\"https://shop.example/?a=1&#38;b=2\"")
    );
    assert!(!shown.text.contains("off.example"));
    assert!(shown.text.contains("href=\"http://footfall.test/@ada\""));
    let again = client.get("/@ada").await;
    assert_ne!(attribute(&again.text, "nonce"), nonce);

    let script = client.get(attribute(&shown.text, "src")).await;
    assert_eq!(
        header(&script, "content-type"),
        "text/javascript; charset=utf-8"
    );
    assert_eq!(
        header(&script, "cache-control"),
        "public, max-age=31536000, immutable"
    );

    let mut body = client.session_body(ada.page, "visitor");
    body["bioPageId"] = json!(attribute(&shown.text, "data-page"));
    body["trackingToken"] = json!(attribute(&shown.text, "data-token"));
    let session = client.post("/api/v1/analytics/session", &body).await.id();
    let link = attribute(&shown.text, "data-footfall-link")
        .parse()
        .unwrap();
    client.view(session, None).await;
    client.view(session, Some(link)).await;
    system.settle().await;
    assert_eq!(client.report(&ada, "overview").await["totalViews"], 2);
    let links = client.report(&ada, "links").await;
    assert_eq!(links["links"][0]["id"], json!(shop));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_the_tracker_are_compressed_for_clients_that_accept_it() {
    let system = System::start().await;
    system.client.creator("ada").await;
    for path in ["/@ada", "/footfall.js"] {
        let request = system.client.request(Method::GET, path);
        let answer = system
            .client
            .send(request.header("accept-encoding", "gzip"))
            .await;
        assert_eq!(header(&answer, "content-encoding"), "gzip", "{path}");
        assert_eq!(header(&answer, "vary"), "accept-encoding", "{path}");
    }
    let plain = system.client.get("/@ada").await;
    assert_eq!(header(&plain, "content-encoding"), "");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_visible_at_once_on_every_instance() {
    let system = System::start().await;
    let other = SystemBuilder::default()
        .log(system.log.shared())
        .databases(system.databases.clone())
        .without_projector()
        .seed(1 << 32)
        .start()
        .await;
    let ada = system.client.creator("ada").await;
    let (client, token) = (&system.client, &ada.token);
    let one = add(
        &system,
        &ada,
        &json!({"title": "One", "url": "https://a.example"}),
    )
    .await;
    for instance in [&system, &other] {
        let (titles, html) = seen(instance, "ada").await;
        assert_eq!(titles, ["One"]);
        assert!(html.contains(">One<"), "{html}");
    }
    let two = add(
        &system,
        &ada,
        &json!({"title": "Two", "url": "https://b.example"}),
    )
    .await;
    let path = format!("/api/v1/creators/links/{one}");
    let title = json!({"title": "First"});
    client.patch_as(token, &path, &title).await.assert_ok();
    let order = format!("/api/v1/creators/{}/links/reorder", ada.id);
    let ids = json!({"linkIds": [two, one]});
    client.post_as(token, &order, &ids).await.assert_ok();
    change(&system, &ada, &json!({"bio": "New words"})).await;
    for instance in [&other, &system] {
        let (titles, html) = seen(instance, "ada").await;
        assert_eq!(titles, ["Two", "First"]);
        let places = [">New words<", ">Two<", ">First<"].map(|text| html.find(text));
        assert!(
            places.is_sorted() && !places.contains(&None),
            "{places:?} {html}"
        );
    }
    client.delete_as(token, &path).await.assert_ok();
    for instance in [&other, &system] {
        let (titles, html) = seen(instance, "ada").await;
        assert_eq!(titles, ["Two"]);
        assert!(!html.contains(">First<"), "{html}");
    }
    change(&other, &ada, &json!({"published": false})).await;
    for instance in [&system, &other] {
        assert_error_page(&instance.client.get("/@ada").await, 404);
        let answer = instance.client.get("/api/v1/bio/ada").await;
        assert_eq!(answer.error().2, "creator.bio.not_found");
    }
    let _shared = other.stop().await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_appear_and_disappear_on_schedule() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let link = json!({
        "title": "Sale", "url": "https://sale.example",
        "scheduledStart": "2027-03-05T13:00:00Z", "scheduledEnd": "2027-03-05T14:00:00Z",
    });
    add(&system, &ada, &link).await;
    for (minutes, shown) in [(59, false), (1, true), (60, true), (1, false), (-30, true)] {
        system.clock.advance(SignedDuration::from_mins(minutes));
        let page = system.client.get("/api/v1/bio/ada").await.data();
        assert_eq!(titles(&page).len(), usize::from(shown));
        let html = system.client.get("/@ada").await.text;
        assert_eq!(html.contains("https://sale.example"), shown);
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_further_page_has_its_own_address_below_its_creator() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    client.creator("bob").await;
    let path = format!("/api/v1/creators/{}/bio", ada.id);
    let body = json!({"slug": "second", "bio": "The second one"});
    let second = client.post_as(&ada.token, &path, &body).await.id();

    for path in ["/@ada/second", "/@ada/second/", "/%40ada/second"] {
        let html = client.get(path).await.text;
        assert!(html.contains("The second one"), "{path}: {html}");
        assert_eq!(attribute(&html, "data-page"), second.to_string());
        assert!(html.contains("href=\"http://footfall.test/@ada/second\""));
    }
    let page = client.get("/api/v1/bio/ada?page=second").await.data();
    assert_eq!(
        (&page["slug"], &page["bioPageId"]),
        (&json!("second"), &json!(second))
    );
    // The first page's slug is another form of its address.
    let html = client.get("/@ada/main").await.text;
    assert!(html.contains("href=\"http://footfall.test/@ada\""));

    for name in [
        "bob/second",
        "ada/third",
        "nobody",
        "ada/second/third",
        "a%00b",
        "%FF",
        "",
        "embed",
    ] {
        assert_error_page(&client.get(&format!("/@{name}")).await, 404);
    }
    for path in [
        "bio/nobody",
        "bio/bob?page=second",
        "bio/ada?page=",
        "bio/a%00b",
        "bio/%FF",
        "bio/embed/nobody",
        "bio/ada?page=%00",
    ] {
        let answer = client.get(&format!("/api/v1/{path}")).await;
        let expected = (
            404,
            "RESOURCE_NOT_FOUND".to_owned(),
            "creator.bio.not_found".to_owned(),
        );
        assert_eq!(answer.error(), expected, "{path}");
    }
    let answer = client.send(client.request(Method::POST, "/@ada")).await;
    assert_error_page(&answer, 405);
    assert_eq!(header(&answer, "allow"), "GET,HEAD");
    assert_eq!(
        client.get("/nothing/here").await.error().2,
        "error.route_not_found"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_embeddable_only_if_its_creator_enables_it() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    // A new page refuses frames until its creator allows them.
    assert_eq!(client.get("/api/v1/bio/embed/ada").await.status, 403);
    assert_eq!(
        client.get("/api/v1/bio/ada").await.data()["embedEnabled"],
        false
    );
    change(&system, &ada, &json!({"embedEnabled": true})).await;
    let answer = client.get("/api/v1/bio/embed/ada").await;
    assert_eq!(answer.data()["username"], "ada");
    assert_eq!(header(&answer, "x-frame-options"), "ALLOWALL");
    let policy = |answer: &Answer| header(answer, "content-security-policy").to_owned();
    assert!(policy(&client.get("/@ada").await).ends_with("frame-ancestors *"));

    change(&system, &ada, &json!({"embedEnabled": false})).await;
    let answer = client.get("/api/v1/bio/embed/ada").await;
    let expected = (
        403,
        "AUTH_FORBIDDEN".to_owned(),
        "creator.bio.embed_disabled".to_owned(),
    );
    assert_eq!(answer.error(), expected);
    assert!(policy(&client.get("/@ada").await).ends_with("frame-ancestors 'none'"));
    assert_eq!(client.get("/api/v1/bio/ada").await.status, 200);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_pages_for_people_and_envelopes_for_programs() {
    let system = SystemBuilder::default()
        .set("RATE_LIMITS", "on")
        .set("RATE_LIMIT_BIO_PAGE", "2/60")
        .set("RATE_LIMIT_BIO_PUBLIC", "2/60")
        .start()
        .await;
    let client = &system.client;
    client.creator("ada").await;
    for remaining in ["1", "0"] {
        for path in ["/@ada", "/api/v1/bio/ada"] {
            let answer = client.get(path).await;
            assert_eq!(answer.status, 200);
            assert_eq!(header(&answer, "x-ratelimit-remaining"), remaining);
        }
    }
    let answer = client.get("/@ada").await;
    assert_error_page(&answer, 429);
    assert_eq!(header(&answer, "retry-after"), "30");
    let answer = client.get("/api/v1/bio/ada").await;
    assert_eq!(answer.error().1, "RATE_LIMITED");
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");

    system.clock.advance(SignedDuration::from_mins(1));
    let broken = "ALTER TABLE creators RENAME TO elsewhere";
    sqlx::query(broken).execute(&system.main).await.unwrap();
    let answer = client.get("/@ada").await;
    assert_error_page(&answer, 500);
    assert!(answer.text.contains(header(&answer, "x-request-id")));
    assert!(!answer.text.contains("creators"), "{}", answer.text);
    system.finish().await;
}

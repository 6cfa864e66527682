//! Settings of pages, including further pages.

use crate::link_changes::{directory, reorder, traces};
use kit::{Answer, Creator, System, SystemBuilder};
use schemas::directory::Entry;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) async fn change(system: &System, creator: &Creator, body: &Value) -> Answer {
    let path = format!("/api/v1/creators/{}/bio", creator.id);
    system.client.patch_as(&creator.token, &path, body).await
}

async fn page(system: &System, creator: &Creator, page: Uuid) -> Value {
    let path = format!("/api/v1/creators/{}/bio?bioPageId={page}", creator.id);
    system.client.get_as(&creator.token, &path).await.data()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_settings_affects_only_the_mentioned_members_and_null_clears() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let template = Uuid::from_u128(5);
    let mut expected = page(&system, &creator, creator.page).await;
    assert_eq!(expected["consent"], "banner");
    let mut version = 1;
    for (body, changes) in [
        (json!({}), json!({})),
        (
            json!({"bio": "<i>Hi</i>\n&amp; bye", "unknown": 1}),
            json!({"bio": "Hi\n& bye"}),
        ),
        (json!({"bio": "Hi\n& bye", "published": true}), json!({})),
        (
            json!({"bio": null, "consent": null, "published": null}),
            json!({}),
        ),
        (
            json!({"templateId": template}),
            json!({"templateId": template}),
        ),
        (
            json!({"themeOverride": {"colors": {"accent": "#fff", "list": [1, 2.5, null]}}}),
            json!({"themeOverride": {"colors": {"accent": "#fff", "list": [1, 2.5, null]}}}),
        ),
        (
            json!({"customCss": "a::after{content:'🎉'}", "consent": "assumed"}),
            json!({"customCss": "a::after{content:'🎉'}", "consent": "assumed"}),
        ),
        (
            json!({"embedEnabled": false, "published": false, "emailCollectionEnabled": true}),
            json!({"embedEnabled": false, "published": false, "emailCollectionEnabled": true}),
        ),
        (
            json!({"templateId": null, "themeOverride": null, "customCss": null, "bio": ""}),
            json!({"templateId": null, "themeOverride": null, "customCss": null, "bio": ""}),
        ),
    ] {
        let answer = change(&system, &creator, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (200, json!({"success": true})),
            "{body}: {}",
            answer.text
        );
        let changes = changes.as_object().unwrap();
        for (name, value) in changes {
            expected[name] = value.clone();
        }
        assert_eq!(
            page(&system, &creator, creator.page).await,
            expected,
            "{body}"
        );
        version += i64::from(!changes.is_empty());
        assert_eq!(traces(&system, creator.page).await.0, version, "{body}");
    }
    let (_, audit) = traces(&system, creator.page).await;
    let (action, subject, detail) = &audit[1];
    assert_eq!(
        (action.as_str(), *subject),
        ("bio_page.updated", creator.page)
    );
    assert_eq!(
        *detail,
        json!({"changes": {"bio": {"from": "", "to": "Hi\n& bye"}}})
    );
    assert_eq!(audit.len(), 7);
    let published: Vec<i64> = directory(&system)
        .await
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Page(page) if page.page_id.0 == creator.page => Some(page.row_version),
            _ => None,
        })
        .collect();
    assert_eq!(published, [1, 2, 3, 4, 5, 6, 7]);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_further_page_has_settings_links_and_an_order_of_its_own() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let client = &system.client;
    let bio = format!("/api/v1/creators/{}/bio", creator.id);
    let mut pages = vec![creator.page];
    for number in 2..=6 {
        let body = json!({ "slug": format!("page-{number}") });
        pages.push(client.post_as(&creator.token, &bio, &body).await.id());
    }
    let second = pages[1];
    let links = format!("/api/v1/creators/{}/links", creator.id);
    let first_link = client
        .link(&creator, "First", "https://first.example")
        .await;
    let mut ids = Vec::new();
    for title in ["A", "B"] {
        let body = json!({"title": title, "url": "https://x.example", "bioPageId": second});
        ids.push(client.post_as(&creator.token, &links, &body).await.id());
    }
    let body = json!({"bio": "Second", "published": false, "bioPageId": second});
    change(&system, &creator, &body).await.assert_ok();
    // `bioPageId` may be in the body or in the query.
    let query = format!("{bio}?bioPageId={second}");
    let answer = client
        .patch_as(&creator.token, &query, &json!({"consent": "assumed"}))
        .await;
    answer.assert_ok();
    ids.reverse();
    reorder(
        &system,
        &creator,
        &json!({"linkIds": ids, "bioPageId": second}),
    )
    .await
    .assert_ok();

    let changed = page(&system, &creator, second).await;
    assert_eq!(
        (&changed["bio"], &changed["published"], &changed["consent"]),
        (&json!("Second"), &json!(false), &json!("assumed"))
    );
    let titles = |page: &Value| -> Vec<Value> {
        page["links"]
            .as_array()
            .unwrap()
            .iter()
            .map(|link| link["title"].clone())
            .collect()
    };
    assert_eq!(titles(&changed), ["B", "A"]);
    for other in pages.iter().filter(|page| **page != second) {
        let untouched = page(&system, &creator, *other).await;
        assert_eq!(
            (&untouched["bio"], &untouched["published"]),
            (&json!(""), &json!(true))
        );
        let links = usize::from(*other == creator.page);
        assert_eq!(titles(&untouched).len(), links);
        assert_eq!(
            traces(&system, *other).await.0,
            1 + i64::from(*other == creator.page)
        );
    }
    // Two new links, two changes of settings, one reorder.
    assert_eq!(traces(&system, second).await.0, 6);

    // Links of the creator's other page do not belong to this one.
    for (link_ids, page) in [
        (json!([first_link]), second),
        (json!([ids[0], first_link]), second),
        (json!([ids[0]]), creator.page),
    ] {
        let body = json!({"linkIds": link_ids, "bioPageId": page});
        let answer = reorder(&system, &creator, &body).await;
        let expected = "creator.links.not_owned".to_owned();
        assert_eq!(
            answer.error(),
            (400, "VALIDATION_ERROR".to_owned(), expected),
            "{body}"
        );
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_with_forbidden_words_change_nothing() {
    let words = std::env::temp_dir().join(format!("words-{}", std::process::id()));
    std::fs::write(&words, "# ours\ncasino\n").unwrap();
    let list = words.to_str().unwrap();
    let system = SystemBuilder::default()
        .set("CONTENT_WORDS_FILE", list)
        .start()
        .await;
    std::fs::remove_file(&words).unwrap();
    let creator = system.client.creator("ada").await;
    let link = system
        .client
        .link(&creator, "Shop", "https://shop.example")
        .await;
    let before = (
        page(&system, &creator, creator.page).await,
        traces(&system, creator.page).await,
    );
    let body = json!({"bio": "My <b>Casino</b>!", "published": false});
    let answer = change(&system, &creator, &body).await;
    let expected = (
        400,
        "VALIDATION_ERROR".to_owned(),
        "creator.bio.content_flagged".to_owned(),
    );
    assert_eq!(answer.error(), expected);
    let path = format!("/api/v1/creators/links/{link}");
    let body = json!({"title": "&lt;b&gt;CASINO&lt;/b&gt; night", "url": "https://c.example"});
    let answer = system.client.patch_as(&creator.token, &path, &body).await;
    let expected = (
        400,
        "VALIDATION_ERROR".to_owned(),
        "creator.links.content_flagged".to_owned(),
    );
    assert_eq!(answer.error(), expected);
    let after = (
        page(&system, &creator, creator.page).await,
        traces(&system, creator.page).await,
    );
    assert_eq!(after, before);
    // A title from before the list grew does not prevent other changes.
    sqlx::query("UPDATE bio_links SET title = 'casino' WHERE link_id = $1")
        .bind(link)
        .execute(&system.main)
        .await
        .unwrap();
    let answer = system
        .client
        .patch_as(&creator.token, &path, &json!({"active": false}))
        .await;
    assert_eq!(answer.data()["active"], false);
    system.finish().await;
}

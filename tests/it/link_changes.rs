//! Changes of links: updates, order, deletion, and the traces of each change.

use jiff::SignedDuration;
use kit::{Answer, Creator, System, SystemBuilder, oracle, system::PATIENCE};
use schemas::{
    directory::{Entry, Link},
    topics::DIRECTORY,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use std::time::Duration;
use uuid::Uuid;

pub(crate) async fn update(system: &System, creator: &Creator, link: Uuid, body: &Value) -> Answer {
    let path = format!("/api/v1/creators/links/{link}");
    system.client.patch_as(&creator.token, &path, body).await
}

async fn remove(system: &System, creator: &Creator, link: Uuid) -> Answer {
    let path = format!("/api/v1/creators/links/{link}");
    system.client.delete_as(&creator.token, &path).await
}

pub(crate) async fn reorder(system: &System, creator: &Creator, body: &Value) -> Answer {
    let path = format!("/api/v1/creators/{}/links/reorder", creator.id);
    system.client.post_as(&creator.token, &path, body).await
}

/// The links of a page in its owner's view.
async fn links(system: &System, creator: &Creator, page: Uuid) -> Vec<Value> {
    let path = format!("/api/v1/creators/{}/bio?bioPageId={page}", creator.id);
    let page = system.client.get_as(&creator.token, &path).await.data();
    page["links"].as_array().unwrap().clone()
}

/// Ids and positions, in the order of the page.
async fn places(system: &System, creator: &Creator) -> Vec<(Uuid, i64)> {
    let links = links(system, creator, creator.page).await;
    let place = |link: &Value| {
        let id = link["id"].as_str()?.parse().ok()?;
        Some((id, link["sortOrder"].as_i64()?))
    };
    links.iter().filter_map(place).collect()
}

/// The traces of changes: the page's content version and the rows of the audit log.
pub(crate) async fn traces(system: &System, page: Uuid) -> (i64, Vec<(String, Uuid, Value)>) {
    let version = sqlx::query_scalar("SELECT content_version FROM bio_pages WHERE id = $1")
        .bind(page)
        .fetch_one(&system.main)
        .await
        .unwrap();
    let audit = sqlx::query("SELECT action, subject, detail, actor FROM audit_log ORDER BY id")
        .fetch_all(&system.main)
        .await
        .unwrap();
    assert!(audit.iter().all(|row| row.get::<String, _>(3) == "ada"));
    let row = |row: &sqlx::postgres::PgRow| (row.get(0), row.get(1), row.get(2));
    (version, audit.iter().map(row).collect())
}

/// Every entry of the directory, once all changes are published.
pub(crate) async fn directory(system: &System) -> Vec<Entry> {
    let published = async {
        let waiting = "SELECT count(*) FROM outbox";
        while sqlx::query_scalar::<_, i64>(waiting)
            .fetch_one(&system.main)
            .await
            .unwrap()
            > 0
        {
            // The tables send no notification of changes.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, published)
        .await
        .expect("changes were not published");
    let records = system.log.read(DIRECTORY).await;
    let entry = |payload: &[u8]| serde_json::from_slice(payload).unwrap();
    records
        .iter()
        .map(|stored| entry(&stored.payload))
        .collect()
}

async fn link_entries(system: &System, id: Uuid) -> Vec<Link> {
    let entries = directory(system).await.into_iter();
    let link = |entry| match entry {
        Entry::Link(link) if link.link_id.0 == id => Some(*link),
        _ => None,
    };
    entries.filter_map(link).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_link_affects_only_the_mentioned_members_and_null_clears() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let path = format!("/api/v1/creators/{}/links", creator.id);
    let body = json!({
        "title": "Shop", "url": "https://shop.example", "icon": "bag", "platform": "web",
        "scheduledStart": "2027-03-01T00:00:00Z", "scheduledEnd": "2027-03-31T00:00:00Z",
    });
    let made = system.client.post_as(&creator.token, &path, &body).await;
    let (id, mut expected) = (made.id(), made.data());
    let other = system
        .client
        .link(&creator, "Other", "https://o.example")
        .await;
    let video = json!({ "videoId": "dQw4w9WgXcQ" });
    for (body, changes) in [
        (json!({}), json!({})),
        (
            json!({"unknown": 1, "isSocial": true, "platform": "x"}),
            json!({}),
        ),
        (
            json!({"title": "<b>Tom</b> &amp; Jerry"}),
            json!({"title": "Tom & Jerry"}),
        ),
        (json!({"title": null, "active": null}), json!({})),
        (
            json!({"active": false, "sortOrder": 1000}),
            json!({"active": false, "sortOrder": 1000}),
        ),
        (json!({"icon": null}), json!({"icon": null})),
        (
            json!({"scheduledEnd": "2027-03-02T01:00:00+01:00"}),
            json!({"scheduledEnd": "2027-03-02T00:00:00.000Z"}),
        ),
        (
            json!({"scheduledStart": null}),
            json!({"scheduledStart": null}),
        ),
        (json!({"scheduledEnd": null}), json!({"scheduledEnd": null})),
        (
            json!({"url": " https://youtu.be/dQw4w9WgXcQ\n"}),
            json!({"url": "https://youtu.be/dQw4w9WgXcQ", "embedType": "YOUTUBE", "embedMeta": video}),
        ),
        (
            json!({"embedType": "CUSTOM", "embedMeta": {"html": ["<b>"]}}),
            json!({"embedType": "CUSTOM", "embedMeta": {"html": ["<b>"]}}),
        ),
        (
            json!({"url": "https://münchen.example/ä?q=ü"}),
            json!({"url": "https://münchen.example/ä?q=ü", "embedType": null, "embedMeta": null}),
        ),
    ] {
        let answer = update(&system, &creator, id, &body).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text);
        for (name, value) in changes.as_object().unwrap() {
            expected[name] = value.clone();
        }
        assert_eq!(answer.data(), expected, "{body}");
        let links = links(&system, &creator, creator.page).await;
        assert!(links.contains(&expected), "{body}: {links:?}");
    }
    let links = links(&system, &creator, creator.page).await;
    assert_eq!((links.len(), &links[0]["id"]), (2, &json!(other)));
    let last = link_entries(&system, id).await.pop().unwrap();
    assert_eq!(last.destination, "https://münchen.example/ä?q=ü");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_leaves_a_trace_and_a_repeated_one_leaves_none() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let a = system.client.link(&creator, "A", "https://a.example").await;
    let b = system.client.link(&creator, "B", "https://b.example").await;
    let before = traces(&system, creator.page).await;
    assert_eq!((before.0, before.1.len()), (3, 3));

    let title = json!({"title": "A+", "url": "https://a.example"});
    for _ in 0..2 {
        update(&system, &creator, a, &title).await.assert_ok();
    }
    let order = json!({ "linkIds": [b, a] });
    for body in [
        &json!({"linkIds": []}),
        &order,
        &order,
        &json!({"linkIds": [b]}),
    ] {
        let answer = reorder(&system, &creator, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (200, json!({"success": true}))
        );
    }
    let answer = remove(&system, &creator, b).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (200, json!({"success": true}))
    );
    let answer = remove(&system, &creator, b).await;
    assert_eq!(answer.error().2, "creator.links.not_found");
    let answer = update(&system, &creator, b, &title).await;
    assert_eq!(answer.error().2, "creator.links.not_found");

    let (version, audit) = traces(&system, creator.page).await;
    let page = creator.page;
    assert_eq!(version, before.0 + 3);
    assert_eq!(audit[..3], before.1);
    let changes = json!({"title": {"from": "A", "to": "A+"}});
    assert_eq!(
        audit[3..],
        [
            (
                "link.updated".to_owned(),
                a,
                json!({"bioPageId": page, "changes": changes})
            ),
            ("links.reordered".to_owned(), page, order),
            (
                "link.deleted".to_owned(),
                b,
                json!({"bioPageId": page, "title": "B", "url": "https://b.example"}),
            ),
        ]
    );
    // The remaining link keeps its position.
    assert_eq!(places(&system, &creator).await, [(a, 1)]);
    let deleted = link_entries(&system, b).await;
    let versions: Vec<(i64, bool)> = deleted
        .iter()
        .map(|link| (link.row_version, link.deleted))
        .collect();
    assert_eq!(versions, [(1, false), (2, true)]);
    assert_eq!(deleted[0].short_code, deleted[1].short_code);
    assert_eq!(link_entries(&system, a).await.len(), 2);
    let kept = sqlx::query("SELECT deleted_at IS NOT NULL, destination FROM links WHERE id = $1")
        .bind(b)
        .fetch_one(&system.main)
        .await
        .unwrap();
    assert_eq!((kept.get(0), kept.get(1)), (true, "https://b.example"));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_cannot_be_published_is_rolled_back() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let a = system.client.link(&creator, "A", "https://a.example").await;
    let b = system.client.link(&creator, "B", "https://b.example").await;
    let before = (
        traces(&system, creator.page).await,
        links(&system, &creator, creator.page).await,
    );
    sqlx::raw_sql(
        "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE 'full'; END $$ LANGUAGE plpgsql;
        CREATE TRIGGER refuse BEFORE INSERT ON outbox EXECUTE FUNCTION refuse();",
    )
    .execute(&system.main)
    .await
    .unwrap();
    let page = format!("/api/v1/creators/{}/bio", creator.id);
    let settings = json!({ "bio": "x" });
    for answer in [
        update(
            &system,
            &creator,
            a,
            &json!({"title": "x", "url": "https://x.example"}),
        )
        .await,
        remove(&system, &creator, a).await,
        reorder(&system, &creator, &json!({ "linkIds": [b, a] })).await,
        system
            .client
            .patch_as(&creator.token, &page, &settings)
            .await,
    ] {
        assert_eq!(answer.error().1, "INTERNAL_ERROR");
        assert!(!answer.text.contains("full"), "{}", answer.text);
    }
    let after = (
        traces(&system, creator.page).await,
        links(&system, &creator, creator.page).await,
    );
    assert_eq!(after, before);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_of_a_deleted_link_stay_as_unknown_and_a_renamed_link_has_its_new_name() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let client = &system.client;
    let old = client.link(&creator, "Old", "https://old.example").await;
    let shop = client.link(&creator, "Shop", "https://shop.example").await;
    let session = client.session(creator.page, "v").await;
    for link in [None, Some(old), Some(old), Some(shop)] {
        client.view(session, link).await;
    }
    system.settle().await;
    let named = client.report(&creator, "links").await;
    assert_eq!(named["links"][0]["title"], "Old");

    remove(&system, &creator, old).await.assert_ok();
    let body = json!({"title": "Store", "url": "https://store.example"});
    update(&system, &creator, shop, &body).await.assert_ok();
    let expected = json!({
        "links": [
            {"id": old, "title": "Unknown", "url": "", "clicks": 2, "ctr": 50},
            {"id": shop, "title": "Store", "url": "https://store.example", "clicks": 1, "ctr": 25},
        ],
        "totalViews": 4,
    });
    assert_eq!(client.report(&creator, "links").await, expected);
    // Clicks after the deletion count as well.
    client.view(session, Some(old)).await;
    system.settle().await;
    assert_eq!(
        client.report(&creator, "links").await["links"][0]["clicks"],
        3
    );
    oracle::assert_reports(&system, &creator).await;
    system.finish().await;
}

/// Distinct numbers in a seemingly random order.
fn shuffled(count: usize, seed: usize) -> impl Iterator<Item = usize> {
    // 7, 11 and 13 have no factor in common with 8, so each step reaches every index.
    let step = [1, 7, 11, 13][seed % 4];
    (0..count).map(move |index| (index * step + seed) % count)
}

#[tokio::test(flavor = "multi_thread")]
async fn listed_links_get_their_index_and_the_others_keep_their_place() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    // The order of creation decides where positions collide.
    let mut expected: Vec<(Uuid, i64)> = Vec::new();
    for place in 0..8 {
        let link = system.client.link(&creator, "x", "https://x.example").await;
        expected.push((link, place));
        system.clock.advance(SignedDuration::from_secs(1));
    }
    for round in 0..12 {
        let named: Vec<usize> = shuffled(8, round).take(round % 9).collect();
        let ids: Vec<Uuid> = named.iter().map(|index| expected[*index].0).collect();
        for (place, index) in (0..).zip(&named) {
            expected[*index].1 = place;
        }
        reorder(&system, &creator, &json!({ "linkIds": ids }))
            .await
            .assert_ok();
        let mut shown = expected.clone();
        shown.sort_by_key(|(_, place)| *place);
        assert_eq!(places(&system, &creator).await, shown, "round {round}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_changes_happen_one_at_a_time_and_none_is_lost() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(system.client.link(&creator, "x", "https://x.example").await);
    }
    let (before, _) = traces(&system, creator.page).await;
    let bodies: Vec<Value> = vec![
        json!({"title": "new"}),
        json!({"url": "https://new.example"}),
        json!({"icon": "new"}),
        json!({"active": false}),
        json!({"scheduledStart": "2027-01-01"}),
        json!({"scheduledEnd": "2027-01-02"}),
    ];
    let edits = bodies
        .iter()
        .map(|body| update(&system, &creator, ids[0], body));
    let back: Vec<Uuid> = ids.iter().rev().copied().collect();
    let order = json!({ "linkIds": back });
    let (changed, ordered) = futures::join!(
        futures::future::join_all(edits),
        reorder(&system, &creator, &order)
    );
    assert!(changed.iter().all(|answer| answer.status == 200));
    ordered.assert_ok();
    let links_now = links(&system, &creator, creator.page).await;
    let expected = json!({
        "id": ids[0], "title": "new", "url": "https://new.example", "icon": "new", "sortOrder": 3,
        "active": false, "isSocial": false, "platform": null, "embedType": null, "embedMeta": null,
        "scheduledStart": "2027-01-01T00:00:00.000Z", "scheduledEnd": "2027-01-02T00:00:00.000Z",
    });
    assert_eq!(links_now[3], expected);
    assert_eq!(traces(&system, creator.page).await.0, before + 7);

    // Other requests name a link while it is deleted: each gets the true result.
    let change = json!({"title": "newer"});
    let (updates, removals) = futures::join!(
        futures::future::join_all((0..4).map(|_| update(&system, &creator, ids[1], &change))),
        futures::future::join_all((0..3).map(|_| remove(&system, &creator, ids[1]))),
    );
    let told = |answers: &[Answer], status: u16| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!((told(&removals, 200), told(&removals, 404)), (1, 2));
    assert_eq!(told(&updates, 200) + told(&updates, 404), 4);
    assert_eq!(links(&system, &creator, creator.page).await.len(), 3);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_has_thirty_requests_an_hour_on_each_route() {
    let system = SystemBuilder::default()
        .set("RATE_LIMITS", "on")
        .start()
        .await;
    let creator = system.client.creator("ada").await;
    let link = system.client.link(&creator, "x", "https://x.example").await;
    let other = system.client.creator("bob").await;
    let page = format!("/api/v1/creators/{}/bio", creator.id);
    let empty = json!({});
    for index in 0..31 {
        let answers = [
            update(&system, &creator, link, &empty).await,
            remove(&system, &creator, Uuid::from_u128(1)).await,
            reorder(&system, &creator, &json!({ "linkIds": [] })).await,
            system.client.patch_as(&creator.token, &page, &empty).await,
        ];
        let statuses = answers.each_ref().map(|answer| answer.status.as_u16());
        if index < 30 {
            assert_eq!(statuses, [200, 404, 200, 200], "{index}");
        } else {
            assert_eq!(statuses, [429; 4]);
        }
        for answer in &answers {
            assert_eq!(answer.headers["x-ratelimit-limit"], "30");
            assert_eq!(answer.headers.contains_key("retry-after"), index == 30);
        }
    }
    assert_eq!(update(&system, &other, link, &empty).await.error().0, 403);
    system.clock.advance(SignedDuration::from_mins(2));
    assert_eq!(update(&system, &creator, link, &empty).await.status, 200);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_of_a_full_page_can_be_ordered_and_a_removal_frees_a_place() {
    let system = SystemBuilder::default()
        .set("BIO_MAX_LINKS", "3")
        .start()
        .await;
    let creator = system.client.creator("ada").await;
    let path = format!("/api/v1/creators/{}/links", creator.id);
    let body = json!({"title": "x", "url": "https://x.example"});
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(
            system
                .client
                .post_as(&creator.token, &path, &body)
                .await
                .id(),
        );
    }
    let full = system.client.post_as(&creator.token, &path, &body).await;
    assert_eq!(full.error().2, "creator.links.limit_reached");
    ids.reverse();
    reorder(&system, &creator, &json!({ "linkIds": ids }))
        .await
        .assert_ok();
    remove(&system, &creator, ids[0]).await.assert_ok();
    // Its default position is the number of links, which another link has already: positions may collide.
    let added = system.client.post_as(&creator.token, &path, &body).await;
    assert_eq!(added.data()["sortOrder"], 2);
    let orders: Vec<i64> = places(&system, &creator)
        .await
        .iter()
        .map(|(_, place)| *place)
        .collect();
    assert_eq!(orders, [1, 2, 2]);
    let rows = "SELECT count(*) FROM links";
    let rows: i64 = sqlx::query_scalar(AssertSqlSafe(rows))
        .fetch_one(&system.main)
        .await
        .unwrap();
    assert_eq!(rows, 4);
    system.finish().await;
}

//! Migrations are the files of their folders, and keep what earlier versions stored.

use crate::clicks::until_answered;
use kit::{SystemBuilder, postgres};
use runtime::database;
use sqlx::PgPool;

#[test]
fn every_file_of_a_schema_is_one_of_its_migrations() {
    for (schema, migrator) in [
        ("api", &api::MIGRATIONS),
        ("projector", &projector::MIGRATIONS),
    ] {
        let folder = format!("{}/../{schema}/migrations", env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        files.sort();
        let known: Vec<(String, String)> = migrator
            .iter()
            .map(|migration| {
                let description = migration.description.replace(' ', "_");
                let name = format!("{:04}_{description}.sql", migration.version);
                (name, migration.sql.as_str().to_owned())
            })
            .collect();
        assert_eq!(files, known, "{schema}");
    }
}

/// A creator with a page, a link on it, two links whose codes differ by case, and a deleted one, as
/// the first version stored them.
const OF_THE_FIRST_VERSION: &str = "
    INSERT INTO workspaces (id, created_at) VALUES ('00000000-0000-0000-0000-0000000000a1', '2026-01-01');
    INSERT INTO creators (id, workspace_id, sub, username, display_name, created_at)
    VALUES ('00000000-0000-0000-0000-0000000000a2', '00000000-0000-0000-0000-0000000000a1', 'ada', 'ada', 'Ada', '2026-01-01');
    INSERT INTO bio_pages (id, creator_id, slug, position, created_at)
    VALUES ('00000000-0000-0000-0000-0000000000a3', '00000000-0000-0000-0000-0000000000a2', 'ada', 0, '2026-01-01');
    INSERT INTO links (id, workspace_id, destination, short_code, created_at, deleted_at)
    SELECT ('00000000-0000-0000-0000-0000000000b' || number)::uuid, '00000000-0000-0000-0000-0000000000a1',
           'https://shop.example/' || number, code, ('2026-01-0' || number)::timestamptz, deleted_at::timestamptz
    FROM (VALUES (1, 'Promo12', NULL), (2, 'promo12', NULL), (3, 'Spring1', NULL), (4, 'Gone123', '2026-02-01'))
         AS former (number, code, deleted_at);
    INSERT INTO bio_links (link_id, page_id, title, sort_order, created_at)
    VALUES ('00000000-0000-0000-0000-0000000000b3', '00000000-0000-0000-0000-0000000000a3', 'Shop', 0, '2026-01-03')";

#[tokio::test(flavor = "multi_thread")]
async fn links_and_creators_of_the_first_version_go_on() {
    let databases = postgres::empty_databases().await;
    let [(_, url), ..] = databases.settings();
    let pool = PgPool::connect(&url).await.unwrap();
    let first = include_str!("../../api/migrations/0001_base.sql");
    let first = database::migrations(&[(1, "base", first)]);
    first.run(&pool).await.unwrap();
    sqlx::raw_sql(OF_THE_FIRST_VERSION)
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;

    let system = SystemBuilder::default().databases(databases).start().await;
    let client = &system.client;
    let token = client.token("ada");
    let profile = client.get_as(&token, "/api/v1/creators/me").await;
    assert_eq!(profile.data()["username"], "ada", "{}", profile.text);
    let workspaces = client.get_as(&token, "/api/workspaces").await.data();
    let kept = ["name", "slug", "plan", "role"].map(|name| workspaces[0][name].clone());
    assert_eq!(kept, ["Ada", "workspace-1", "enterprise", "owner"]);
    let links = client
        .get_as(&token, "/api/links?sort=createdAt&order=asc")
        .await;
    let links = links.data();
    let codes = links.as_array().unwrap().iter();
    let codes: Vec<&str> = codes
        .map(|link| link["shortCode"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["Promo12", "promo12", "Spring1"]);
    // Of two codes that differ by case, the older link answers.
    for (code, destination) in [
        ("promo12", "https://shop.example/1"),
        ("SPRING1", "https://shop.example/3"),
    ] {
        let answer = until_answered(client, "footfall.test", code, 302).await;
        assert_eq!(answer.headers["location"], destination);
    }
    until_answered(client, "footfall.test", "gone123", 404).await;
    // Its owner may manage it further.
    let change = serde_json::json!({ "destinationUrl": "https://shop.example/new" });
    let path = "/api/links/00000000-0000-0000-0000-0000000000b3";
    let changed = client.patch_as(&token, path, &change).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    system.finish().await;
}

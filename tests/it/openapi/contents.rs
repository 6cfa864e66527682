//! Uses the routes of what links are made of, for the comparison of all answers with the document.

use super::{answers::UNKNOWN_ID, checker::Checker};
use kit::{Answer, Creator};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Sends requests of one workspace.
struct Asking<'a> {
    checker: &'a Checker<'a>,
    token: &'a str,
}

impl Asking<'_> {
    async fn ask(&self, method: Method, path: &str, body: Value, status: u16) -> Answer {
        let answer = self.checker.ask(method, path, Some(self.token), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    }

    async fn post(&self, path: &str, body: Value, status: u16) -> Answer {
        self.ask(Method::POST, path, body, status).await
    }

    async fn patch(&self, path: &str, body: Value, status: u16) {
        self.ask(Method::PATCH, path, body, status).await;
    }

    async fn get(&self, path: &str, status: u16) {
        self.ask(Method::GET, path, Value::Null, status).await;
    }

    async fn delete(&self, path: &str) {
        self.ask(Method::DELETE, path, Value::Null, 200).await;
    }

    /// Runs a statement about an id, such as one that fills a table up to a limit: requests for it
    /// would be too many.
    async fn fill(&self, statement: &'static str, id: Uuid) {
        let filling = sqlx::query(statement).bind(id);
        filling.execute(&self.checker.system.main).await.unwrap();
    }
}

/// A success and each error of every route.
pub async fn use_contents(checker: &Checker<'_>, ada: &Creator) {
    let token = &*ada.token;
    let asking = Asking { checker, token };
    use_groups(&asking, ada).await;
    use_links(&asking, ada).await;
    use_rules(&asking, ada).await;
    use_qr_codes(&asking, ada).await;
}

async fn use_links(asking: &Asking<'_>, ada: &Creator) {
    let all = json!({
        "destinationUrl": "https://shop.example/x", "shortCode": "all", "title": "All", "description": "x",
        "tags": ["a"], "enabled": true, "expiresAt": "2028-01-01T00:00:00Z", "clicksLimit": 1, "password": "x",
        "redirectBehavior": "auto", "redirectStatus": 302, "forwardUtms": true, "preserveQueryParams": true,
        "redirectDelayMs": 1, "utmSource": "a", "utmMedium": "b", "utmCampaign": "c", "utmTerm": "d",
        "utmContent": "e", "deepLinkEnabled": true, "deepLinkIos": "a://b", "deepLinkAndroid": "a://b",
        "deepLinkAndroidPackage": "a.b", "deepLinkFallbackUrl": "https://shop.example/", "previewTitle": "x",
        "previewDescription": "x", "previewImageUrl": "https://shop.example/i.png", "conversionTracking": true,
        "trackingType": "s2s", "publicStats": true,
    });
    let path = format!(
        "/api/links/{}",
        asking.post("/api/links", all.clone(), 201).await.id()
    );
    let plain = json!({"destinationUrl": "https://shop.example/x"});
    let other = asking.post("/api/links", plain.clone(), 201).await.id();
    let other = format!("/api/links/{other}");
    asking.post("/api/links", all, 409).await;
    asking
        .post("/api/links", json!({"destinationUrl": "x"}), 400)
        .await;
    for reference in ["campaignId", "folderId", "domainId"] {
        let mut body = plain.clone();
        body[reference] = json!(UNKNOWN_ID);
        asking.post("/api/links", body.clone(), 404).await;
        asking.patch(&path, body.clone(), 404).await;
        body["shortCode"] = json!("all");
        asking
            .ask(Method::PUT, "/api/links/upsert", body, 404)
            .await;
    }
    asking.patch(&path, json!({"title": "x"}), 200).await;
    asking.patch(&path, json!({"title": 1}), 400).await;
    asking.patch(&other, json!({"shortCode": "all"}), 409).await;
    let upsert = json!({"destinationUrl": "https://shop.example/y", "shortCode": "all"});
    asking
        .ask(Method::PUT, "/api/links/upsert", upsert.clone(), 200)
        .await;
    asking
        .ask(Method::PUT, "/api/links/upsert", plain.clone(), 400)
        .await;
    let bulk = json!({"links": [plain]});
    asking.post("/api/links/bulk", bulk.clone(), 201).await;
    asking
        .post("/api/links/bulk", json!({"links": [7]}), 400)
        .await;
    asking.get("/api/links?limit=2&sort=title&tag=a", 200).await;
    asking.get("/api/links?include=counts", 200).await;
    asking.get("/api/links?include=views", 400).await;
    asking.get(&format!("{path}?include=counts"), 200).await;
    asking.get(&format!("{path}?include=views"), 400).await;
    asking.get("/api/links?sort=size", 400).await;
    asking.get(&path, 200).await;
    asking.delete(&path).await;
    let again = asking
        .post(
            "/api/links",
            json!({"destinationUrl": "https://shop.example/", "shortCode": "all"}),
            201,
        )
        .await
        .id();
    let restore = format!("{path}/restore");
    asking.post(&restore, Value::Null, 409).await;
    asking.delete(&format!("/api/links/{again}")).await;
    asking.post(&restore, Value::Null, 200).await;
    // The workspace had this host once.
    let move_away = "UPDATE links SET host = 'lost.example' WHERE id = $1";
    asking.fill(move_away, path[11..].parse().unwrap()).await;
    asking
        .patch(&path, json!({"shortCode": "moved"}), 409)
        .await;
    asking.delete(&path).await;
    asking.post(&restore, Value::Null, 409).await;
    asking
        .fill(
            "UPDATE links SET host = NULL WHERE id = $1",
            path[11..].parse().unwrap(),
        )
        .await;

    // Another workspace has the code.
    let eve = asking.checker.system.client.creator("dave").await;
    let theirs = json!({"destinationUrl": "https://shop.example/", "shortCode": "theirs"});
    let answer = asking
        .checker
        .system
        .client
        .post_as(&eve.token, "/api/links", &theirs)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    asking
        .ask(Method::PUT, "/api/links/upsert", theirs, 409)
        .await;
    asking.checker.set_plan(ada, "starter").await;
    let fill = "\
        INSERT INTO links (id, workspace_id, destination, short_code, created_at, updated_at) \
        SELECT gen_random_uuid(), $1, 'https://shop.example/', 'x', now(), now() FROM generate_series(1, 25)";
    asking.fill(fill, ada.workspace_id).await;
    asking.post("/api/links", plain.clone(), 403).await;
    asking.post("/api/links/bulk", bulk, 403).await;
    asking.post(&restore, Value::Null, 403).await;
    let new = json!({"destinationUrl": "https://shop.example/y", "shortCode": "new"});
    asking.ask(Method::PUT, "/api/links/upsert", new, 403).await;
    asking.checker.set_plan(ada, "enterprise").await;
}

async fn use_groups(asking: &Asking<'_>, ada: &Creator) {
    for (kind, body, more) in [
        (
            "campaigns",
            json!({
                "name": "a", "status": "active", "costModel": "cpc", "costRate": 1, "revsharePct": 1, "currency": "EUR",
                "dailyBudget": 1, "totalBudget": 1, "alertThresholds": [0.5], "startsAt": "2026-01-01T00:00:00Z",
                "endsAt": "2027-01-01T00:00:00Z",
            }),
            json!({"name": "b"}),
        ),
        (
            "folders",
            json!({"name": "a", "color": "#000000"}),
            json!({"name": "b"}),
        ),
        (
            "tags",
            json!({"name": "first", "color": "#000000"}),
            json!({"name": "second"}),
        ),
    ] {
        let list = format!("/api/{kind}");
        let path = format!(
            "{list}/{}",
            asking.post(&list, body.clone(), 201).await.id()
        );
        asking.post(&list, json!({}), 400).await;
        asking.get(&list, 200).await;
        asking.get(&format!("{list}?page=0"), 400).await;
        asking.get(&path, 200).await;
        asking.patch(&path, more, 200).await;
        asking.patch(&path, json!({"name": 7}), 400).await;
        match kind {
            "folders" => {
                let (_, id) = path.rsplit_once('/').unwrap();
                asking.patch(&path, json!({"parentId": id}), 400).await;
                asking
                    .patch(&path, json!({"parentId": UNKNOWN_ID}), 404)
                    .await;
                asking
                    .post(&list, json!({"name": "x", "parentId": UNKNOWN_ID}), 404)
                    .await;
                nest_too_deep(asking).await;
            }
            "tags" => {
                let third = json!({"name": "third"});
                asking.post(&list, third.clone(), 201).await;
                asking.post(&list, third.clone(), 409).await;
                asking.patch(&path, third, 409).await;
            }
            _ => {}
        }
        asking.delete(&path).await;
        if kind == "campaigns" {
            let restore = format!("{path}/restore");
            asking.post(&restore, Value::Null, 200).await;
            asking.delete(&path).await;
            let fill = "\
                INSERT INTO campaigns (id, workspace_id, name, status, terms, created_at, updated_at) \
                SELECT gen_random_uuid(), $1, 'x', 'active', '{}', now(), now() FROM generate_series(1, 10000)";
            asking.fill(fill, ada.workspace_id).await;
            asking.post(&restore, Value::Null, 403).await;
        } else if kind == "folders" {
            let fill = "\
                INSERT INTO folders (id, workspace_id, name, created_at, updated_at) \
                SELECT gen_random_uuid(), $1, 'x', now(), now() FROM generate_series(1, 1000)";
            asking.fill(fill, ada.workspace_id).await;
        } else {
            let fill = "\
                INSERT INTO tags (id, workspace_id, name, folded, created_at, updated_at) \
                SELECT gen_random_uuid(), $1, n::text, n::text, now(), now() FROM generate_series(1, 10000) AS n";
            asking.fill(fill, ada.workspace_id).await;
        }
        asking.post(&list, body, 403).await;
        let sql = match kind {
            "campaigns" => "DELETE FROM campaigns WHERE workspace_id = $1 AND name = 'x'",
            "folders" => "DELETE FROM folders WHERE workspace_id = $1 AND name = 'x'",
            _ => {
                "DELETE FROM tags WHERE workspace_id = $1 AND name = folded AND folded ~ '^[0-9]+$'"
            }
        };
        asking.fill(sql, ada.workspace_id).await;
    }
}

/// Ten levels of folders, and one more than allowed.
async fn nest_too_deep(asking: &Asking<'_>) {
    let mut parent = Value::Null;
    for _ in 0..10 {
        let body = json!({"name": "level", "parentId": parent});
        parent = json!(asking.post("/api/folders", body, 201).await.id());
    }
    let body = json!({"name": "level", "parentId": parent});
    asking.post("/api/folders", body, 400).await;
    let top = asking
        .post("/api/folders", json!({"name": "top"}), 201)
        .await
        .id();
    let path = format!("/api/folders/{top}");
    asking.patch(&path, json!({"parentId": parent}), 400).await;
}

async fn use_rules(asking: &Asking<'_>, ada: &Creator) {
    let link = json!({"destinationUrl": "https://shop.example/"});
    let link = asking.post("/api/links", link, 201).await.id();
    let all = json!({
        "linkId": link, "name": "All", "description": "x", "type": "geo", "conditionLogic": "OR", "priority": 1,
        "conditions": {"countries": ["DE"]}, "destinationUrl": "https://shop.example/de", "enabled": true,
        "forwardUtms": true, "preserveQueryParams": false, "redirectDelayMs": 1, "deepLinkEnabled": true,
        "deepLinkIos": "a://b", "deepLinkAndroid": "a://b", "deepLinkAndroidPackage": "a.b",
        "deepLinkFallbackUrl": "https://shop.example/",
    });
    let path = format!(
        "/api/rules/{}",
        asking.post("/api/rules", all.clone(), 201).await.id()
    );
    let with = |changes: Value| {
        let mut body = all.clone();
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    asking
        .post("/api/rules", with(json!({"linkId": UNKNOWN_ID})), 404)
        .await;
    asking
        .post(
            "/api/rules",
            with(json!({"linkId": null, "campaignId": UNKNOWN_ID})),
            404,
        )
        .await;
    asking
        .post("/api/rules", with(json!({"linkId": null})), 400)
        .await;
    asking
        .post("/api/rules", with(json!({"name": ""})), 400)
        .await;
    asking.get(&format!("/api/rules?linkId={link}"), 200).await;
    asking.get("/api/rules?linkId=x", 400).await;
    asking.get(&path, 200).await;
    asking
        .ask(Method::PUT, &path, json!({"priority": 2}), 200)
        .await;
    asking
        .ask(Method::PUT, &path, json!({"priority": -1}), 400)
        .await;
    asking.checker.set_plan(ada, "starter").await;
    let fill = "\
        INSERT INTO rules (id, workspace_id, link_id, name, priority, conditions, logic, destination, enabled, behavior, \
                           created_at, updated_at) \
        SELECT gen_random_uuid(), $1, link_id, name, priority, conditions, logic, destination, enabled, behavior, \
               created_at, updated_at \
        FROM rules, generate_series(1, 9)";
    asking.fill(fill, ada.workspace_id).await;
    asking.post("/api/rules", all.clone(), 403).await;
    asking.checker.set_plan(ada, "enterprise").await;
    exceed_the_log(asking, ada).await;
    asking.delete(&path).await;
}

/// A link with more rules than a record of the log can have.
async fn exceed_the_log(asking: &Asking<'_>, ada: &Creator) {
    let link = json!({"destinationUrl": "https://shop.example/", "shortCode": "large"});
    let link = asking.post("/api/links", link, 201).await.id();
    let rule = json!({
        "linkId": link, "name": "Large", "destinationUrl": "https://shop.example/de", "conditions": [],
    });
    let path = format!(
        "/api/rules/{}",
        asking.post("/api/rules", rule.clone(), 201).await.id()
    );
    let codes = format!("/api/qr/links/{link}");
    let qr = asking.post(&codes, json!({}), 201).await.id();
    let qr = format!("/api/qr/{qr}");
    let fill = "\
        INSERT INTO rules (id, workspace_id, link_id, name, priority, conditions, logic, destination, enabled, behavior, \
                           created_at, updated_at) \
        SELECT gen_random_uuid(), $1, link_id, name, priority, \
               jsonb_build_array(jsonb_build_object('field', 'city', 'operator', 'equals', 'value', repeat('x', 7900))), \
               logic, destination, enabled, behavior, created_at, updated_at \
        FROM rules, generate_series(1, 80) \
        WHERE name = 'Large'";
    asking.fill(fill, ada.workspace_id).await;
    asking.post("/api/rules", rule, 400).await;
    asking
        .ask(Method::PUT, &path, json!({"name": "Larger"}), 400)
        .await;
    asking
        .patch(&format!("/api/links/{link}"), json!({"title": "x"}), 400)
        .await;
    asking.post(&codes, json!({}), 400).await;
    asking.patch(&qr, json!({"name": "Larger"}), 400).await;
    asking.ask(Method::DELETE, &qr, Value::Null, 400).await;
    let upsert = json!({"destinationUrl": "https://shop.example/z", "shortCode": "large"});
    asking
        .ask(Method::PUT, "/api/links/upsert", upsert, 400)
        .await;
}

async fn use_qr_codes(asking: &Asking<'_>, ada: &Creator) {
    let link = json!({"destinationUrl": "https://shop.example/"});
    let link = asking.post("/api/links", link, 201).await.id();
    let list = format!("/api/qr/links/{link}");
    let all = json!({
        "code": "poster", "name": "Poster", "size": 300, "format": "svg", "errorCorrection": "Q", "margin": 2,
        "foregroundColor": "#000080", "backgroundColor": "#fffff0", "logoArea": false,
    });
    let qr = asking.post(&list, all.clone(), 201).await.id();
    let path = format!("/api/qr/{qr}");
    asking.post(&list, all, 409).await;
    asking.post(&list, json!({"size": 1}), 400).await;
    let unknown = format!("/api/qr/links/{UNKNOWN_ID}");
    asking.post(&unknown, json!({}), 404).await;
    asking.get(&unknown, 404).await;
    asking.get(&list, 200).await;
    asking.get(&format!("{list}?page=0"), 400).await;
    asking.get(&format!("{list}?include=counts"), 200).await;
    asking.get(&format!("{path}?include=counts"), 200).await;
    asking.get(&format!("{path}?include=views"), 400).await;
    asking.get(&path, 200).await;
    asking.patch(&path, json!({"logoArea": true}), 200).await;
    asking.patch(&path, json!({"margin": -1}), 400).await;
    for ending in ["png", "svg"] {
        let picture = format!("{path}/image.{ending}");
        asking.get(&picture, 200).await;
        asking.get(&format!("{picture}?size=1"), 400).await;
    }
    let fill = "\
        INSERT INTO qr_codes (id, workspace_id, link_id, code, name, design, created_at, updated_at) \
        SELECT gen_random_uuid(), $1, link_id, 'n' || n, name, design, created_at, updated_at \
        FROM qr_codes, generate_series(1, 99) AS n \
        WHERE code = 'poster'";
    asking.fill(fill, ada.workspace_id).await;
    asking.post(&list, json!({}), 403).await;
    asking.delete(&path).await;
}

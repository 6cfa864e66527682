//! Uses the routes of workspaces, for the comparison of all answers with the document.

use super::{answers::UNKNOWN_ID, checker::Checker, contents::use_contents};
use crate::workspaces::{
    dns::Dns,
    objects::{join, make, make_key, object, of_members, request},
};
use kit::Creator;
use reqwest::Method;
use serde_json::{Value, json};

/// A success and each error of every route.
pub async fn use_workspaces(checker: &Checker<'_>, dns: &Dns, ada: &Creator, eve: &Creator) {
    refuse_callers(checker, eve).await;
    create_workspaces(checker).await;
    change_workspaces(checker, ada).await;
    use_members(checker, ada).await;
    use_domains(checker, dns, ada).await;
    use_mobile_apps(checker, ada).await;
    use_webhooks(checker, ada).await;
    use_contents(checker, ada).await;
    use_keys(checker, ada).await;
}

/// What every route answers to callers that may not call it, and about objects that do not exist.
async fn refuse_callers(checker: &Checker<'_>, eve: &Creator) {
    let client = &checker.system.client;
    let nobody = client.token("nobody");
    let (_, links) = make_key(client, &eve.token, &["links:write"]).await;
    let (_, reports) = make_key(client, &eve.token, &["analytics:read"]).await;
    for command in of_members() {
        let other = if command.permission.0.starts_with("links:") {
            &reports
        } else {
            &links
        };
        let id = match object(command) {
            Some(object) => make(checker.system, eve, object).await,
            None => UNKNOWN_ID,
        };
        for (credential, status) in [(&*nobody, 403), (other, 403), ("lw_live_x", 401)] {
            let request = request(client, command, &id.to_string());
            let answer = checker.send(request.bearer_auth(credential)).await;
            assert_eq!(answer.status, status, "{}: {}", command.id, answer.text);
        }
        let request = request(client, command, &id.to_string()).bearer_auth(&eve.token);
        let request = request.header("x-workspace-id", UNKNOWN_ID.to_string());
        assert_eq!(checker.send(request).await.status, 403, "{}", command.id);
        if object(command).is_some() {
            let request = self::request(client, command, &UNKNOWN_ID.to_string());
            let answer = checker.send(request.bearer_auth(&eve.token)).await;
            assert_eq!(answer.status, 404, "{}: {}", command.id, answer.text);
        }
    }
}

async fn create_workspaces(checker: &Checker<'_>) {
    let token = checker.system.client.token("carol");
    let create = async |body: Value, status: u16| {
        let path = "/api/workspaces";
        let answer = checker.ask(Method::POST, path, Some(&token), body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    };
    create(json!({"name": "One", "slug": "one"}), 201).await;
    create(json!({"name": "Another", "slug": "one"}), 409).await;
    create(json!({"name": ""}), 400).await;
    for _ in 1..100 {
        create(json!({"name": "One more"}), 201).await;
    }
    create(json!({"name": "One too many"}), 403).await;
    let path = "/api/workspaces";
    let list = async || {
        let listed = checker.ask(Method::GET, path, Some(&token), Value::Null);
        listed.await.data().as_array().unwrap().clone()
    };
    let all = list().await;
    assert_eq!(all.len(), 100);
    let id = all[99]["id"].as_str().unwrap();
    let admin = join(checker.system, id.parse().unwrap(), "an-admin", "admin").await;
    for (token, status) in [(&admin, 403), (&token, 200), (&token, 404)] {
        let path = format!("{path}/{id}");
        let answer = checker.ask(Method::DELETE, &path, Some(token), Value::Null);
        assert_eq!(answer.await.status, status);
    }
    assert_eq!(list().await.len(), 99);
    // A deleted one has used a number up too.
    create(json!({"name": "One too many"}), 403).await;
}

async fn use_keys(checker: &Checker<'_>, ada: &Creator) {
    let ask = async |method: Method, path: &str, body: Value, status: u16| {
        let answer = checker.ask(method, path, Some(&ada.token), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let body =
        json!({"name": "Shop", "scopes": ["links:write"], "expiresAt": "2028-01-01T00:00:00Z"});
    let mut ids = Vec::new();
    for _ in 0..4 {
        let made = ask(Method::POST, "/api/keys", body.clone(), 201).await;
        ids.push(format!("/api/keys/{}", made.id()));
    }
    let wrong = json!({"name": "Shop", "scopes": ["everything"]});
    ask(Method::POST, "/api/keys", wrong, 400).await;
    ask(Method::GET, "/api/keys?page=0", Value::Null, 400).await;
    ask(Method::GET, "/api/keys?limit=2", Value::Null, 200).await;
    let rotate = |path: &str| format!("{path}/rotate");
    let overlap = json!({"overlapSeconds": 60});
    ask(Method::POST, &rotate(&ids[0]), overlap, 201).await;
    ask(Method::GET, &ids[0], Value::Null, 200).await;
    ask(Method::DELETE, &ids[1], Value::Null, 200).await;
    ask(Method::GET, &ids[1], Value::Null, 200).await;
    checker.set_plan(ada, "starter").await;
    ask(Method::POST, "/api/keys", body, 403).await;
    ask(Method::POST, &rotate(&ids[2]), json!({}), 403).await;
}

async fn change_workspaces(checker: &Checker<'_>, ada: &Creator) {
    let path = format!("/api/workspaces/{}", ada.workspace_id);
    let ask = async |method: Method, body: Value, status: u16| {
        let answer = checker.ask(method, &path, Some(&ada.token), body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        answer
    };
    ask(Method::PATCH, json!({"name": "Ada's", "slug": "adas"}), 200).await;
    ask(Method::PATCH, json!({"slug": "one"}), 409).await;
    ask(Method::PATCH, json!({"timezone": "Mars"}), 400).await;
    ask(Method::PATCH, json!({"plan": "starter"}), 403).await;
    ask(Method::DELETE, Value::Null, 409).await;
    let read = ask(Method::GET, Value::Null, 200).await.data();
    assert_eq!(
        (&read["name"], &read["slug"]),
        (&json!("Ada's"), &json!("adas"))
    );
}

async fn use_members(checker: &Checker<'_>, ada: &Creator) {
    let ask = async |method: Method, path: &str, body: Value, status: u16| {
        let answer = checker.ask(method, path, Some(&ada.token), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let list = "/api/members";
    let body = json!({"userId": "olga", "role": "owner"});
    let olga = ask(Method::POST, list, body.clone(), 201).await.id();
    ask(Method::POST, list, body.clone(), 409).await;
    ask(
        Method::POST,
        list,
        json!({"userId": "x", "role": "king"}),
        400,
    )
    .await;
    ask(Method::GET, "/api/members?limit=0", Value::Null, 400).await;
    let all = ask(Method::GET, list, Value::Null, 200).await.data();
    let mut all = all.as_array().unwrap().iter();
    let own = all.find(|member| member["userId"] == "ada").unwrap();
    let own = own["id"].as_str().unwrap();
    let (own, olga) = (format!("{list}/{own}"), format!("{list}/{olga}"));
    // An admin may not touch owners.
    let body = json!({"userId": "adam", "role": "admin"});
    let adam = ask(Method::POST, list, body, 201).await.id();
    let admin = checker.system.client.token("adam");
    for (method, path, body) in [
        (Method::POST, list, json!({"userId": "y", "role": "owner"})),
        (Method::PATCH, &olga, json!({"role": "viewer"})),
        (Method::DELETE, &olga, Value::Null),
    ] {
        let answer = checker.ask(method, path, Some(&admin), body).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
    }
    ask(Method::PATCH, &olga, json!({"role": "viewer"}), 200).await;
    ask(Method::PATCH, &olga, json!({"role": "king"}), 400).await;
    ask(Method::PATCH, &own, json!({"role": "viewer"}), 409).await;
    ask(Method::DELETE, &own, Value::Null, 409).await;
    ask(Method::DELETE, &olga, Value::Null, 200).await;
    checker.set_plan(ada, "starter").await;
    ask(
        Method::POST,
        list,
        json!({"userId": "z", "role": "viewer"}),
        403,
    )
    .await;
    ask(Method::DELETE, &format!("{list}/{adam}"), Value::Null, 200).await;
    checker.set_plan(ada, "enterprise").await;
}

async fn use_domains(checker: &Checker<'_>, dns: &Dns, ada: &Creator) {
    let ask = async |method: Method, path: &str, body: Value, status: u16| {
        let answer = checker.ask(method, path, Some(&ada.token), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let list = "/api/domains";
    let made = ask(Method::POST, list, json!({"host": "go.example"}), 201).await;
    for (host, status) in [
        ("go.example", 409),
        ("footfall.test", 409),
        ("127.0.0.1", 400),
    ] {
        ask(Method::POST, list, json!({ "host": host }), status).await;
    }
    ask(Method::GET, "/api/domains?limit=1000", Value::Null, 400).await;
    ask(Method::GET, list, Value::Null, 200).await;
    let (one, proof) = (
        format!("{list}/{}", made.id()),
        &made.data()["verification"],
    );
    ask(Method::GET, &one, Value::Null, 200).await;
    ask(Method::PATCH, &one, json!({"isDefault": true}), 409).await;
    ask(Method::PATCH, &one, json!({}), 400).await;
    let verify = format!("{one}/verify");
    ask(Method::POST, &verify, Value::Null, 409).await;
    let (name, value) = (proof["name"].as_str(), proof["value"].as_str());
    dns.set(name.unwrap(), &[value.unwrap()]);
    ask(Method::POST, &verify, Value::Null, 200).await;
    ask(Method::PATCH, &one, json!({"isDefault": true}), 200).await;
    checker.set_plan(ada, "starter").await;
    ask(Method::POST, list, json!({"host": "s.example"}), 403).await;
    checker.set_plan(ada, "enterprise").await;
    ask(Method::DELETE, &one, Value::Null, 200).await;
}

async fn use_mobile_apps(checker: &Checker<'_>, ada: &Creator) {
    let ask = async |method: Method, path: &str, body: Value, status: u16| {
        let answer = checker.ask(method, path, Some(&ada.token), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let list = "/api/mobile-apps";
    let android = json!({
        "platform": "android", "packageId": "com.example.shop", "name": "Shop",
        "fingerprints": [(["AB"; 32].join(":"))], "storeUrl": "https://store.example/shop",
    });
    let ios = json!({"platform": "ios", "packageId": "com.example.shop", "teamId": "A1B2C3D4E5"});
    let one = ask(Method::POST, list, ios.clone(), 201).await.id();
    let other = ask(Method::POST, list, android, 201).await.id();
    let (one, other) = (format!("{list}/{one}"), format!("{list}/{other}"));
    ask(Method::POST, list, ios.clone(), 409).await;
    ask(Method::POST, list, json!({"platform": "web"}), 400).await;
    ask(Method::GET, list, Value::Null, 200).await;
    ask(Method::GET, "/api/mobile-apps?page=0", Value::Null, 400).await;
    ask(Method::GET, &other, Value::Null, 200).await;
    ask(Method::PATCH, &other, json!({"fingerprints": null}), 200).await;
    ask(Method::PATCH, &other, json!({"teamId": "A1B2C3D4E5"}), 400).await;
    let second = json!({"platform": "ios", "packageId": "com.example.other"});
    ask(Method::POST, list, second, 201).await;
    ask(
        Method::PATCH,
        &one,
        json!({"packageId": "com.example.other"}),
        409,
    )
    .await;
    ask(Method::DELETE, &one, Value::Null, 200).await;
    let fill = "\
        INSERT INTO mobile_apps (id, workspace_id, platform, package, name, fingerprints, created_at, updated_at) \
        SELECT gen_random_uuid(), $1, 'ios', 'of-' || number, 'x', '{}', now(), now() \
        FROM generate_series(1, 98) AS number";
    let filling = sqlx::query(fill).bind(ada.workspace_id);
    filling.execute(&checker.system.main).await.unwrap();
    ask(Method::POST, list, ios, 403).await;
    let clear = sqlx::query("DELETE FROM mobile_apps WHERE workspace_id = $1 AND name = 'x'");
    clear
        .bind(ada.workspace_id)
        .execute(&checker.system.main)
        .await
        .unwrap();
}

async fn use_webhooks(checker: &Checker<'_>, ada: &Creator) {
    let ask = async |method: Method, path: &str, body: Value, status: u16| {
        let answer = checker.ask(method, path, Some(&ada.token), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let list = "/api/webhooks";
    let body = json!({"url": "https://hooks.example/in", "events": ["click", "conversion"]});
    let made = ask(Method::POST, list, body.clone(), 201).await;
    let one = format!("{list}/{}", made.id());
    let elsewhere = json!({"url": "https://10.0.0.1/", "events": ["click"]});
    let of_link =
        json!({"url": "https://hooks.example/", "events": ["click"], "linkId": UNKNOWN_ID});
    let of_campaign =
        json!({"url": "https://hooks.example/", "events": ["click"], "campaignId": UNKNOWN_ID});
    for (body, status) in [(elsewhere, 400), (of_link, 404), (of_campaign, 404)] {
        ask(Method::POST, list, body.clone(), status).await;
        ask(Method::PATCH, &one, body, status).await;
    }
    ask(Method::GET, "/api/webhooks?page=0", Value::Null, 400).await;
    ask(Method::GET, list, Value::Null, 200).await;
    ask(Method::GET, &one, Value::Null, 200).await;
    let change = json!({"description": "Orders", "enabled": false});
    ask(Method::PATCH, &one, change, 200).await;
    let rotate = format!("{one}/rotate-secret");
    ask(Method::POST, &rotate, Value::Null, 200).await;
    use_deliveries(checker, ada, &one).await;
    for _ in 1..20 {
        ask(Method::POST, list, body.clone(), 201).await;
    }
    ask(Method::POST, list, body, 403).await;
    ask(Method::DELETE, &one, Value::Null, 200).await;
}

async fn use_deliveries(checker: &Checker<'_>, ada: &Creator, one: &str) {
    let ask = async |method: Method, path: &str, body: Value, status: u16| {
        let answer = checker.ask(method, path, Some(&ada.token), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let (list, test) = (format!("{one}/deliveries"), format!("{one}/test"));
    ask(Method::POST, &test, Value::Null, 409).await;
    ask(Method::PATCH, one, json!({"enabled": true}), 200).await;
    let sent = ask(Method::POST, &test, Value::Null, 202).await.id();
    let again = format!("{list}/{sent}/redeliver");
    // It waits, because its host does not exist.
    ask(Method::POST, &again, Value::Null, 409).await;
    let finish = "UPDATE webhook_deliveries SET state = 'failed', next_attempt_at = NULL, finished_at = now()";
    let main = &checker.system.main;
    sqlx::query(finish).execute(main).await.unwrap();
    ask(Method::POST, &again, Value::Null, 202).await;
    let unknown = format!("{list}/{UNKNOWN_ID}/redeliver");
    ask(Method::POST, &unknown, Value::Null, 404).await;
    ask(Method::GET, &format!("{list}?state=lost"), Value::Null, 400).await;
    ask(Method::GET, &list, Value::Null, 200).await;
    // Switched off, and then with a full queue.
    ask(Method::PATCH, one, json!({"enabled": false}), 200).await;
    sqlx::query(finish).execute(main).await.unwrap();
    ask(Method::POST, &again, Value::Null, 409).await;
    let fill = "INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, payload, state, next_attempt_at, created_at)
                SELECT gen_random_uuid(), webhook_id, event_id, 'test', '{}', 'waiting', '2100-01-01', created_at
                FROM webhook_deliveries, generate_series(1, 1000)";
    sqlx::query(fill).execute(main).await.unwrap();
    ask(Method::PATCH, one, json!({"enabled": true}), 200).await;
    ask(Method::POST, &again, Value::Null, 409).await;
    ask(Method::POST, &test, Value::Null, 409).await;
}

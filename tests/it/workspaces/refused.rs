//! Every command of workspaces refuses callers without a role, scope or object of their own. A walk over the
//! rows, so that a new command is tested by its row.

use super::{
    deleted::make_workspace,
    objects::{join, make, make_key, object, of_members, refusal, request},
};
use api::{Command, Subject, commands};
use kit::{System, SystemBuilder};
use std::collections::BTreeMap;
use uuid::Uuid;

const UNKNOWN: Uuid = Uuid::from_u128(1);
const ROLES: [&str; 4] = ["viewer", "editor", "admin", "owner"];

/// The roles with a permission, as the contract lists them: viewers read; editors also write what links
/// are made of; admins also members, keys, domains, webhooks, settings; owners everything.
fn roles_with(permission: &str) -> &'static [&'static str] {
    let (thing, action) = permission.split_once(':').unwrap();
    let least = match thing {
        "api_keys" | "webhooks" => 2,
        "billing" => 3,
        _ if action == "read" => 0,
        "links" | "rules" | "campaigns" | "folders" | "tags" | "qr" | "customers"
        | "conversions" => 1,
        "workspace" if action == "delete" => 3,
        "members" | "domains" | "mobile_apps" | "workspace" => 2,
        _ => panic!("the contract names no role for {permission}"),
    };
    &ROLES[least..]
}

/// A scope that does not cover the command.
fn other_scope(command: &Command) -> &'static str {
    if command.permission.0 == "analytics:read" {
        "links:write"
    } else {
        "analytics:read"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_do_what_the_contract_says() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let mut tokens = BTreeMap::new();
    for role in ROLES {
        let token = join(&system, ada.workspace_id, role, role).await;
        tokens.insert(role, token);
    }
    for command in of_members() {
        for role in ROLES {
            // An unknown object, so that nothing disappears that a later command needs.
            let request = request(client, command, &UNKNOWN.to_string());
            let answer = client.send(request.bearer_auth(&tokens[role])).await;
            let what = format!("{} as {role}: {}", command.id, answer.text);
            if roles_with(command.permission.0).contains(&role) {
                let status = answer.status.as_u16();
                assert!(![401, 403, 405, 500].contains(&status), "{what}");
                let is_missing = object(command).is_some_and(|of| of.id != "workspaceId");
                assert!(!is_missing || status == 404, "{what}");
            } else {
                assert_eq!(refusal(&answer), (403, "FORBIDDEN".to_owned()), "{what}");
            }
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_do_what_its_scopes_say() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let forbidden = (403, "FORBIDDEN".to_owned());
    for command in of_members() {
        let permission = command.permission.0;
        let (thing, action) = permission.split_once(':').unwrap();
        let mut scopes = vec![permission.to_owned()];
        if ["create", "update", "delete"].contains(&action) && thing != "workspace" {
            scopes.push(format!("{thing}:write"));
        }
        for scope in scopes {
            let (_, key) = make_key(client, &ada.token, &[&scope]).await;
            let request = request(client, command, &UNKNOWN.to_string());
            let answer = client.send(request.header("x-api-key", &key)).await;
            let what = format!("{} with {scope}: {}", command.id, answer.text);
            assert!(
                ![401, 403, 405, 500].contains(&answer.status.as_u16()),
                "{what}"
            );
        }
        let (_, key) = make_key(client, &ada.token, &[other_scope(command)]).await;
        let request = request(client, command, &UNKNOWN.to_string());
        let answer = client.send(request.header("x-api-key", &key)).await;
        assert_eq!(refusal(&answer), forbidden, "{}", command.id);
        // Its member is an owner no more.
        let bob = join(&system, ada.workspace_id, command.id, "owner").await;
        let (_, key) = make_key(client, &bob, &[permission]).await;
        for (role, expected) in [("viewer", 403), ("", 401)] {
            let sql = if role.is_empty() {
                "DELETE FROM members WHERE sub = $1 AND $2 = ''"
            } else {
                "UPDATE members SET role = $2 WHERE sub = $1"
            };
            let changing = sqlx::query(sql).bind(command.id).bind(role);
            changing.execute(&system.main).await.unwrap();
            let request = self::request(client, command, &UNKNOWN.to_string());
            let answer = client.send(request.bearer_auth(&key)).await;
            let allowed = expected == 403 && roles_with(permission).contains(&"viewer");
            let what = format!("{} {role}: {}", command.id, answer.text);
            assert!(allowed || answer.status.as_u16() == expected, "{what}");
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_user_does_with_an_own_workspace_depends_on_the_role_there_and_no_key_may_do_it() {
    let system = System::start().await;
    let client = &system.client;
    let is_own = |command: &&Command| matches!(command.subject, Subject::OwnWorkspace(_));
    let (forbidden, missing) = ("FORBIDDEN".to_owned(), "NOT_FOUND".to_owned());
    let unauthorized = (401, "UNAUTHORIZED".to_owned());
    for command in commands().filter(is_own) {
        for role in ROLES {
            let of = make_workspace(&system, "carol").await;
            let id = of.workspace_id.to_string();
            let sub = format!("{role} {id}");
            // The user's default workspace is another one.
            make_workspace(&system, &sub).await;
            let token = join(&system, of.workspace_id, &sub, role).await;
            let answer = client
                .send(request(client, command, &id).bearer_auth(&token))
                .await;
            let what = format!("{} as {role}: {}", command.id, answer.text);
            if roles_with(command.permission.0).contains(&role) {
                assert!(answer.status.is_success(), "{what}");
            } else {
                assert_eq!(refusal(&answer), (403, forbidden.clone()), "{what}");
            }
        }
        let of = make_workspace(&system, "dan").await;
        let id = of.workspace_id.to_string();
        let (_, key) = make_key(client, &of.token, &["workspace:update", "billing:manage"]).await;
        let asked = || request(client, command, &id);
        for request in [
            asked(),
            asked().bearer_auth(&key),
            asked().header("x-api-key", &key),
        ] {
            let answer = client.send(request).await;
            assert_eq!(refusal(&answer), unauthorized, "{}", command.id);
        }
        let eve = client.token("eve");
        for (token, id) in [
            (&eve, &*id),
            (&of.token, &UNKNOWN.to_string()),
            (&of.token, "x"),
            (&of.token, "%ff"),
        ] {
            let answer = client
                .send(request(client, command, id).bearer_auth(token))
                .await;
            let what = format!("{} {id}: {}", command.id, answer.text);
            assert_eq!(refusal(&answer), (404, missing.clone()), "{what}");
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_or_expired_key_is_refused_everywhere() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    for command in of_members() {
        let scope = command.permission.0;
        let (revoked, first) = make_key(client, &ada.token, &[scope]).await;
        let path = format!("/api/keys/{revoked}");
        client.delete_as(&ada.token, &path).await.assert_ok();
        let (expired, second) = make_key(client, &ada.token, &[scope]).await;
        let sql = "UPDATE api_keys SET expires_at = $2 WHERE id = $1";
        let now = jiff_sqlx::ToSqlx::to_sqlx(kit::noon());
        let changing = sqlx::query(sql).bind(expired).bind(now);
        changing.execute(&system.main).await.unwrap();
        let unknown = format!("lw_live_{}", "0".repeat(64));
        for key in [&*first, &second, &unknown, "lw_test_x", ""] {
            let request = request(client, command, &UNKNOWN.to_string());
            let answer = client.send(request.header("x-api-key", key)).await;
            let expected = (401, "INVALID_API_KEY".to_owned());
            assert_eq!(refusal(&answer), expected, "{} {key}", command.id);
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_workspace_gets_nothing() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let eve = client.creator("eve").await;
    let nobody = client.token("nobody");
    let (_, key) = make_key(client, &eve.token, &["links:read"]).await;
    let forbidden = (403, "FORBIDDEN".to_owned());
    for command in of_members() {
        let id = match object(command) {
            Some(object) => make(&system, &ada, object).await,
            None => UNKNOWN,
        };
        let asked = |id: &str| request(client, command, id);
        for wanted in [
            &*ada.workspace_id.to_string(),
            &UNKNOWN.to_string(),
            "x",
            "",
        ] {
            for credential in [&eve.token, &key] {
                let request = asked(&id.to_string()).bearer_auth(credential);
                let answer = client.send(request.header("x-workspace-id", wanted)).await;
                let what = format!("{} {wanted}", command.id);
                assert_eq!(refusal(&answer), forbidden, "{what}: {}", answer.text);
            }
        }
        let answer = client
            .send(asked(&id.to_string()).bearer_auth(&nobody))
            .await;
        assert_eq!(refusal(&answer), forbidden, "{}", command.id);
        assert!(
            answer.text.contains("POST /api/workspaces"),
            "{}",
            answer.text
        );
        if object(command).is_some() {
            for id in [&*id.to_string(), &UNKNOWN.to_string(), "x", "%ff"] {
                let answer = client.send(asked(id).bearer_auth(&eve.token)).await;
                let what = format!("{} {id}: {}", command.id, answer.text);
                assert_eq!(refusal(&answer), (404, "NOT_FOUND".to_owned()), "{what}");
            }
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_requests_of_a_workspace_share_the_limit_of_its_plan() {
    let builder = SystemBuilder::default()
        .set("RATE_LIMITS", "on")
        .set("RATE_LIMIT_WORKSPACE_PRO", "3/3600")
        .set("WORKSPACE_PLAN", "pro");
    let system = builder.start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let eve = client.creator("eve").await;
    let (_, key) = make_key(client, &ada.token, &["api_keys:read"]).await;
    for remaining in ["1", "0"] {
        let answer = client.get_as(&key, "/api/keys").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["x-ratelimit-limit"], "3");
        assert_eq!(answer.headers["x-ratelimit-remaining"], remaining);
    }
    let answer = client.get_as(&ada.token, "/api/keys").await;
    assert_eq!(refusal(&answer), (429, "RATE_LIMITED".to_owned()));
    assert_eq!(answer.headers["retry-after"], "1200");
    let answer = client.get_as(&eve.token, "/api/keys").await;
    assert_eq!(answer.headers["x-ratelimit-remaining"], "2");
    system.finish().await;
}

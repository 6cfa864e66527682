//! The commands of the api, row by row: their bodies refuse bad values, and the document lists them all.

use api::{Command, commands};
use kit::{Creator, System};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The path of a command on a creator's objects. Other objects need not exist, because the body is checked
/// first.
fn path(command: &Command, of: &Creator) -> String {
    let id = of.id.to_string();
    let parts = command.path.split(['{', '}']).enumerate();
    parts
        .map(|(index, part)| if index % 2 == 1 { &*id } else { part })
        .collect()
}

/// The members of a command's body, from the document.
fn members(document: &Value, command: &Command) -> Vec<String> {
    let method = command.verb.method().as_str().to_lowercase();
    let body = &document["paths"][command.path][&method]["requestBody"];
    let schema = &body["content"]["application/json"]["schema"];
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.map(|(name, _)| name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_checks_every_member_in_the_document() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let document = footfall::openapi::document();
    let mut checked = 0;
    for command in commands() {
        for name in members(&document, command) {
            let mut body = command.example().unwrap();
            // No member of any body is a list of lists.
            body[&name] = json!([[7]]);
            let request = client.request(command.verb.method(), &path(command, &ada));
            let answer = client
                .send(request.bearer_auth(&ada.token).json(&body))
                .await;
            let (status, _, key) = answer.error();
            let what = format!("{} {name}: {}", command.id, answer.text);
            let expected = if command.subject.is_of_workspaces() {
                (400, "")
            } else {
                (400, "error.validation")
            };
            assert_eq!((status, &*key), expected, "{what}");
            let details = answer.json()["error"]["details"].to_string();
            assert!(details.contains(&name), "{what}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
    system.finish().await;
}

#[test]
fn each_command_has_its_own_id_and_route() {
    let ids: BTreeSet<&str> = commands().map(|command| command.id).collect();
    assert_eq!(ids.len(), commands().count());
    let routes = commands().map(|command| (command.path, command.verb.method().to_string()));
    let routes: BTreeSet<(&str, String)> = routes.collect();
    assert_eq!(routes.len(), commands().count());
}

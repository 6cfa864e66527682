//! Deleted workspaces through the router: their links answer like deleted links in every form, their
//! hosts serve nothing, and it does not matter which entry arrives first.

use super::{
    history::take_on,
    kit::*,
    redirect::{LINK, open, opened},
    redirect_gates::{ANDROID, HTML, TELEGRAM, entry, hashed},
};
use crate::{
    directory::{Directory, Serves},
    history::Taken,
};
use axum::{body::Body, http::Request};
use schemas::{
    AppId, LinkId, WorkspaceId, WorkspaceNo,
    directory::{
        App, DeepLink, Domain, Entry, Link, LinkSettings, Platform, Preview, RedirectMode,
        Workspace,
    },
};
use serde_json::json;
use uuid::Uuid;

const OTHER: WorkspaceNo = WorkspaceNo(77);
const HOST_OF_ITS_OWN: &str = "s.example";

fn workspace(no: WorkspaceNo, deleted: bool, row_version: i64) -> Entry {
    let id = match no {
        WORKSPACE_NO => WORKSPACE,
        WorkspaceNo(no) => WorkspaceId(Uuid::from_u128(no.into())),
    };
    Entry::Workspace(Workspace {
        workspace_no: no,
        workspace_id: id,
        deleted,
        row_version,
    })
}

fn link(settings: LinkSettings) -> Entry {
    Entry::Link(Box::new(entry(settings)))
}

/// Links with everything that has a branch of its own in the redirect.
fn forms() -> Vec<LinkSettings> {
    let deep_link = |url: &str| DeepLink {
        platform: Platform::Android,
        url: url.to_owned(),
        fallback: None,
        package: None,
        app_id: None,
    };
    let plain = LinkSettings::default;
    vec![
        plain(),
        LinkSettings {
            password_hash: Some(hashed("secret")),
            ..plain()
        },
        LinkSettings {
            preview: Some(Preview {
                title: Some("Mine".to_owned()),
                ..Preview::default()
            }),
            ..plain()
        },
        LinkSettings {
            deep_links: vec![deep_link("myapp://p/1")],
            ..plain()
        },
        LinkSettings {
            redirect_delay_ms: 1_500,
            ..plain()
        },
        LinkSettings {
            disabled: true,
            title: Some("Mine".to_owned()),
            ..plain()
        },
        LinkSettings {
            mode: RedirectMode::Never,
            ..plain()
        },
    ]
}

/// Requests with everything that has a branch of its own there.
fn requests() -> Vec<Request<Body>> {
    let mut password = open("POST", "/promo", &[HTML]);
    *password.body_mut() = Body::from("password=secret");
    vec![
        open("GET", "/promo", &[]),
        open("GET", "/Promo/?qr=a&bot=1", &[HTML]),
        open("GET", "/promo", &[HTML, ("user-agent", ANDROID)]),
        open("GET", "/promo", &[HTML, TELEGRAM]),
        open("GET", "/promo", &[("sec-purpose", "prefetch")]),
        open("HEAD", "/promo", &[]),
        password,
    ]
}

/// What every request gets from a directory with these entries.
async fn answers(entries: Vec<Entry>) -> Vec<(u16, Vec<(String, String)>, String)> {
    let instance = Instance::new();
    for entry in entries {
        instance.intake.directory().apply(entry);
    }
    let mut answers = Vec::new();
    for request in requests() {
        let answer = instance.call(request).await;
        let headers = answer.headers.iter().filter_map(|(name, value)| {
            let own = ["x-request-id", "date"].contains(&name.as_str());
            (!own).then(|| (name.to_string(), value.to_str().unwrap().to_owned()))
        });
        answers.push((answer.status, headers.collect(), answer.body));
    }
    instance.intake.finish_deliveries().await;
    assert!(instance.sink.take_json().is_empty());
    answers
}

#[tokio::test]
async fn its_links_answer_like_deleted_links_in_every_form_and_any_order_of_entries() {
    let deleted = Entry::Link(Box::new(Link {
        deleted: true,
        ..entry(LinkSettings::default())
    }));
    let expected = answers(vec![deleted]).await;
    assert!(
        expected
            .iter()
            .all(|(status, ..)| *status == 404 || *status == 405)
    );
    for form in forms() {
        let (one, other) = (link(form), workspace(WORKSPACE_NO, true, 2));
        for entries in [
            vec![one.clone(), other.clone()],
            vec![other.clone(), one.clone()],
            // An older entry arrives late.
            vec![other, one, workspace(WORKSPACE_NO, false, 1)],
        ] {
            assert_eq!(answers(entries).await, expected);
        }
    }
}

#[tokio::test]
async fn a_higher_version_brings_everything_back() {
    let instance = Instance::new();
    let directory = instance.intake.directory();
    directory.apply(link(LinkSettings::default()));
    directory.apply(workspace(WORKSPACE_NO, true, 2));
    assert_eq!(opened(&instance, "GET", "/promo", &[]).await.0.status, 404);
    // Its links still change, for instance by what was under way.
    directory.apply(Entry::Link(Box::new(Link {
        row_version: 2,
        ..entry(LinkSettings::default())
    })));
    assert_eq!(opened(&instance, "GET", "/promo", &[]).await.0.status, 404);
    directory.apply(workspace(WORKSPACE_NO, false, 3));
    let (answer, events) = opened(&instance, "GET", "/promo", &[]).await;
    assert_eq!((answer.status, events.len()), (302, 1));
}

#[tokio::test]
async fn its_link_hides_no_link_of_another_workspace_with_the_same_code() {
    let instance = Instance::new();
    let directory = instance.intake.directory();
    directory.apply(workspace(OTHER, false, 1));
    directory.apply(link(LinkSettings::default()));
    let other = "https://other.example/";
    directory.apply(Entry::Link(Box::new(Link {
        link_id: LinkId(Uuid::max()),
        workspace_no: OTHER,
        destination: other.to_owned(),
        ..entry(LinkSettings::default())
    })));
    let location = async || {
        let (answer, _) = opened(&instance, "GET", "/promo", &[]).await;
        answer.header("location").map(str::to_owned)
    };
    assert_ne!(location().await.as_deref(), Some(other));
    directory.apply(workspace(WORKSPACE_NO, true, 2));
    assert_eq!(location().await.as_deref(), Some(other));
}

fn domain(tenant: WorkspaceNo, row_version: i64) -> Entry {
    Entry::Domain(Domain {
        host: HOST_OF_ITS_OWN.to_owned(),
        workspace_no: tenant,
        verified: true,
        deleted: false,
        row_version,
    })
}

#[test]
fn its_hosts_serve_nothing_until_another_workspace_proves_them() {
    let directory = Directory::serving(HOST);
    let app = App {
        app_id: AppId(Uuid::from_u128(1)),
        workspace_no: WORKSPACE_NO,
        platform: Platform::Ios,
        package: "com.example.shop".to_owned(),
        team_id: Some("TEAM".to_owned()),
        fingerprints: Vec::new(),
        store_url: None,
        deleted: false,
        row_version: 1,
    };
    for entry in [
        workspace(WORKSPACE_NO, true, 2),
        domain(WORKSPACE_NO, 1),
        Entry::App(app),
        workspace(OTHER, false, 1),
    ] {
        directory.apply(entry);
    }
    for host in [HOST_OF_ITS_OWN, "www.s.example"] {
        assert_eq!(directory.serves(host), None);
    }
    assert_eq!(directory.serves(HOST), Some(Serves::Everyone));
    directory.apply(domain(OTHER, 2));
    assert_eq!(
        directory.serves(HOST_OF_ITS_OWN),
        Some(Serves::Tenant(OTHER))
    );
}

#[tokio::test]
async fn history_adds_nothing_to_it_and_its_own_records_stay_readable() {
    let instance = Instance::new();
    let directory = instance.intake.directory();
    directory.apply(link(LinkSettings::default()));
    let (_, events) = opened(&instance, "GET", "/promo", &[]).await;
    let record = json!({"event": events[0]});
    let click_id = &record["event"]["body"]["click_id"];
    let (id, at) = (Uuid::from_u128(8), start_time().to_string());
    let conversion = |named: serde_json::Value| {
        let mut line = json!({"kind": "conversion", "eventId": id, "occurredAt": at, "value": "1"});
        let members = line.as_object_mut().unwrap();
        members.extend(named.as_object().unwrap().clone());
        line
    };
    let lines = [
        json!({"kind": "click", "eventId": id, "occurredAt": at, "linkId": LINK}),
        json!({"kind": "click", "eventId": id, "occurredAt": at, "shortCode": "promo"}),
        conversion(json!({"clickId": click_id})),
        conversion(json!({"workspaceId": WORKSPACE, "customerExternalId": "a"})),
    ];
    let take = |line: &serde_json::Value| take_on(directory, line.to_string());
    for line in &lines {
        assert!(take(line).is_ok(), "{line}");
    }
    directory.apply(workspace(WORKSPACE_NO, true, 2));
    for line in &lines {
        assert!(take(line).is_err(), "{line}");
    }
    // What `replay` printed can be imported: it was in the log before.
    assert!(matches!(take(&record), Ok(Taken::Record(_))));
}

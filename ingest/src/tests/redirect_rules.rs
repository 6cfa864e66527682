//! Rules and parameters of short links through the router, and noise that must not break it.

use super::{
    kit::*,
    redirect::{LINK, open, opened},
    redirect_gates::{TO, entry, instance},
};
use proptest::prelude::*;
use schemas::{
    CampaignId, ClickId, LinkId, QrId, RuleId,
    directory::{
        Campaign, DeepLink, Entry, Forward, Link, LinkSettings, Platform, QrCode, RedirectMode,
        Rule, Test,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(0xca));

pub fn is(field: &str, operator: &str, value: Value) -> Test {
    Test::Is {
        field: field.to_owned(),
        operator: operator.to_owned(),
        value,
    }
}

pub fn rule(id: u128, test: Test, destination: &str) -> Rule {
    Rule {
        rule_id: RuleId(Uuid::from_u128(id)),
        name: format!("rule {id}"),
        test,
        destination: destination.to_owned(),
        forward: None,
        redirect_delay_ms: None,
        deep_links: Vec::new(),
    }
}

#[tokio::test]
async fn the_first_rule_that_matches_decides_and_is_recorded() {
    let instance = instance(LinkSettings {
        campaign_id: Some(CAMPAIGN),
        rules: vec![
            rule(
                1,
                is("country", "equals", json!("US")),
                "https://us.example/",
            ),
            rule(
                2,
                is("language", "equals", json!("tr")),
                "https://tr.example/",
            ),
            // Broken, as an older version may have written it: skipped.
            rule(
                3,
                is("shoe", "equals", json!(44)),
                "https://broken.example/",
            ),
            rule(
                4,
                is("deviceType", "equals", json!("mobile")),
                "https://phone.example/",
            ),
        ],
        ..LinkSettings::default()
    });
    instance.intake.directory().apply(Entry::Campaign(Campaign {
        campaign_id: CAMPAIGN,
        workspace_no: WORKSPACE_NO,
        rules: vec![rule(
            5,
            is("country", "equals", json!("GB")),
            "https://gb.example/",
        )],
        deleted: false,
        row_version: 1,
    }));
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0";
    for (headers, destination, id) in [
        (
            &[("accept-language", "tr-TR,en;q=0.5")][..],
            "https://tr.example/",
            Some(2),
        ),
        (
            &[("accept-language", "en,tr;q=0.5")],
            "https://phone.example/",
            Some(4),
        ),
        (&[("user-agent", firefox)], "https://gb.example/", Some(5)),
    ] {
        let (answer, events) = opened(&instance, "GET", "/promo", headers).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, Some(destination))
        );
        let body = &events[0]["body"];
        assert_eq!(body["destination"], destination);
        assert_eq!(body["campaign_id"], json!(CAMPAIGN));
        let id = id.map(|id| RuleId(Uuid::from_u128(id)));
        assert_eq!(body["rule_id"], json!(id));
        assert_eq!(
            body["rule_name"],
            json!(id.map(|id| format!("rule {}", id.0.as_u128())))
        );
    }
    // A campaign of another tenant has no say.
    instance.intake.directory().apply(Entry::Campaign(Campaign {
        campaign_id: CAMPAIGN,
        workspace_no: LATE_WORKSPACE_NO,
        rules: vec![rule(5, Test::All(vec![]), "https://evil.example/")],
        deleted: false,
        row_version: 2,
    }));
    let (answer, events) = opened(&instance, "GET", "/promo", &[("user-agent", firefox)]).await;
    assert_eq!(answer.header("location"), Some(TO));
    assert_eq!(events[0]["body"]["rule_id"], Value::Null);
}

#[tokio::test]
async fn always_ignores_rules_and_rule_only_needs_one() {
    let phones = || {
        vec![rule(
            1,
            is("os", "equals", json!("iOS")),
            "https://phone.example/",
        )]
    };
    let with = |mode| {
        instance(LinkSettings {
            mode,
            rules: phones(),
            ..LinkSettings::default()
        })
    };
    let always = with(RedirectMode::Always);
    let (answer, _) = opened(&always, "GET", "/promo", &[]).await;
    assert_eq!(answer.header("location"), Some(TO));
    let only = with(RedirectMode::RuleOnly);
    let (answer, _) = opened(&only, "GET", "/promo", &[]).await;
    assert_eq!(answer.header("location"), Some("https://phone.example/"));
    let (answer, events) =
        opened(&only, "GET", "/promo", &[("user-agent", "Other/1.0 (X11)")]).await;
    assert_eq!((answer.status, events.len()), (404, 0));
}

#[tokio::test]
async fn a_visitor_is_new_once_and_unknown_when_not_tracked() {
    let state = |state: &str| is("visitorState", "equals", json!(state));
    let instance = instance(LinkSettings {
        rules: vec![
            rule(1, state("new"), "https://new.example/"),
            rule(2, state("returning"), "https://again.example/"),
        ],
        ..LinkSettings::default()
    });
    let to = async |headers: &[(&str, &str)]| {
        let (answer, _) = opened(&instance, "GET", "/promo", headers).await;
        answer.header("location").map(str::to_owned)
    };
    assert_eq!(to(&[("sec-gpc", "1")]).await.as_deref(), Some(TO));
    assert_eq!(to(&[]).await.as_deref(), Some("https://new.example/"));
    assert_eq!(to(&[]).await.as_deref(), Some("https://again.example/"));
}

#[tokio::test]
async fn a_share_of_visitors_stays_on_its_side_when_it_grows() {
    let with = |share: u32| {
        instance(LinkSettings {
            rules: vec![rule(
                1,
                is("percentage", "lt", json!(share)),
                "https://b.example/",
            )],
            ..LinkSettings::default()
        })
    };
    let (ten, quarter) = (with(10), with(25));
    let mut sides = [0, 0];
    for number in 0..200 {
        let agent = format!(
            "Mozilla/5.0 (X11; Linux x86_64; rv:{number}.0) Gecko/20100101 Firefox/{number}.0"
        );
        let mut matched = [false, false];
        for (instance, matched) in [&ten, &quarter].into_iter().zip(&mut matched) {
            let (answer, _) = opened(instance, "GET", "/promo", &[("user-agent", &agent)]).await;
            *matched = answer.header("location") == Some("https://b.example/");
        }
        assert!(!matched[0] || matched[1], "a visitor changed sides");
        sides[0] += usize::from(matched[0]);
        sides[1] += usize::from(matched[1]);
    }
    assert!(
        (5..40).contains(&sides[0]) && (30..75).contains(&sides[1]),
        "{sides:?}"
    );
}

/// The rules of a campaign divide visitors once for all its links; those of each link divide them again.
#[tokio::test]
async fn a_campaign_divides_its_visitors_once_and_each_link_by_itself() {
    let half = |destination: &str| {
        let test = is("percentage", "lt", json!(50));
        rule(1, test, destination)
    };
    let sides = async |of_campaign: bool| {
        let instance = Instance::new();
        let directory = instance.intake.directory();
        let rules = vec![half("https://b.example/")];
        for (id, code) in [(1, "one"), (2, "two")] {
            directory.apply(Entry::Link(Box::new(Link {
                link_id: LinkId(Uuid::from_u128(id)),
                short_code: code.to_owned(),
                ..entry(LinkSettings {
                    campaign_id: of_campaign.then_some(CAMPAIGN),
                    rules: if of_campaign {
                        Vec::new()
                    } else {
                        rules.clone()
                    },
                    ..LinkSettings::default()
                })
            })));
        }
        directory.apply(Entry::Campaign(Campaign {
            campaign_id: CAMPAIGN,
            workspace_no: WORKSPACE_NO,
            rules,
            deleted: false,
            row_version: 1,
        }));
        let mut sides = Vec::new();
        for number in 0..60 {
            let agent = format!("Mozilla/5.0 (X11; rv:{number}.0) Firefox/{number}.0");
            let mut side = [false, false];
            for (path, side) in ["/one", "/two"].into_iter().zip(&mut side) {
                let (answer, _) = opened(&instance, "GET", path, &[("user-agent", &agent)]).await;
                *side = answer.header("location") == Some("https://b.example/");
            }
            sides.push(side);
        }
        sides
    };
    let of_campaign = sides(true).await;
    assert!(of_campaign.iter().all(|[one, two]| one == two));
    let of_links = sides(false).await;
    for combination in [[false, false], [false, true], [true, false], [true, true]] {
        let count = of_links.iter().filter(|side| **side == combination).count();
        assert!((5..30).contains(&count), "{combination:?}: {count}");
    }
}

#[tokio::test]
async fn parameters_go_on_and_a_conversion_learns_the_click() {
    let instance = instance(LinkSettings {
        forward: Forward::Everything,
        utm: vec![("utm_source".to_owned(), "mail".to_owned())],
        conversion_tracking: true,
        qr_codes: vec![QrCode {
            qr_id: QrId(Uuid::from_u128(5)),
            code: "poster".to_owned(),
        }],
        ..LinkSettings::default()
    });
    let (answer, events) = opened(&instance, "GET", "/promo?b=%20&qr=poster", &[]).await;
    let body = &events[0]["body"];
    let id: ClickId = body["click_id"].as_str().unwrap().parse().unwrap();
    let expected = format!("{TO}&utm_source=mail&b=%20&lw_cid={}", id.0);
    assert_eq!(answer.header("location"), Some(expected.as_str()));
    assert_eq!(
        ids_of_ours().verify_click(id),
        Some((WORKSPACE_NO, start_time()))
    );
    assert_eq!(
        (&body["trigger"], &body["qr_id"]),
        (&json!("qr"), &json!(QrId(Uuid::from_u128(5))))
    );
    assert_eq!(
        (&body["destination"], &body["utm"]),
        (&json!(TO), &json!({"source": "mail"}))
    );
    let (_, events) = opened(&instance, "GET", "/promo?qr=none", &[]).await;
    let body = &events[0]["body"];
    assert_eq!(
        (&body["trigger"], &body["qr_id"]),
        (&json!("qr"), &Value::Null)
    );
    for (method, headers) in [("HEAD", &[][..]), ("GET", &[("dnt", "1")])] {
        let (answer, _) = opened(&instance, method, "/promo", headers).await;
        assert!(
            !answer.header("location").unwrap().contains("lw_cid"),
            "{method}"
        );
    }
}

#[tokio::test]
async fn the_switch_of_the_link_decides_on_incoming_parameters() {
    for (forward, expected) in [
        (Forward::Nothing, "https://shop.example/x?ref=x.com"),
        (Forward::Utms, "https://shop.example/x?ref=x.com"),
        (Forward::Everything, "https://shop.example/x?ref=t.co"),
    ] {
        let instance = Instance::new();
        instance
            .intake
            .directory()
            .apply(Entry::Link(Box::new(Link {
                destination: "https://shop.example/x?ref=x.com".to_owned(),
                ..entry(LinkSettings {
                    forward,
                    ..LinkSettings::default()
                })
            })));
        let (answer, _) = opened(&instance, "GET", "/promo?ref=t.co", &[]).await;
        assert_eq!(answer.header("location"), Some(expected), "{forward:?}");
    }
}

#[tokio::test]
async fn an_encoded_line_end_stays_encoded_in_the_only_location() {
    let instance = Instance::new();
    instance
        .intake
        .directory()
        .apply(Entry::Link(Box::new(Link {
            destination: "https://shop.example/%0d%0aset-cookie:a".to_owned(),
            ..entry(LinkSettings {
                forward: Forward::Everything,
                ..LinkSettings::default()
            })
        })));
    let path = "/promo?b=%0D%0ALocation:%20https://evil.example/";
    let (answer, _) = opened(&instance, "GET", path, &[]).await;
    let locations: Vec<_> = answer.headers.get_all("location").iter().collect();
    let expected =
        "https://shop.example/%0d%0aset-cookie:a?b=%0D%0ALocation:%20https://evil.example/";
    assert_eq!(locations, [expected]);
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn an_ipad_that_calls_itself_a_mac_is_a_mac_for_rules_and_apps() {
    let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0.4 Safari/605.1.15";
    let with = |os: &str| {
        instance(LinkSettings {
            deep_links: vec![DeepLink {
                platform: Platform::Ios,
                url: "myapp://p/1".to_owned(),
                fallback: None,
                package: None,
                app_id: None,
            }],
            rules: vec![rule(
                1,
                is("os", "equals", json!(os)),
                "https://mac.example/app",
            )],
            ..LinkSettings::default()
        })
    };
    // An https address opens the app that has claimed it, also after a redirect.
    for (os, destination) in [("macOS", "https://mac.example/app"), ("iOS", TO)] {
        let (answer, _) = opened(&with(os), "GET", "/promo", &[("user-agent", mac)]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, Some(destination))
        );
    }
}

/// Any JSON value, as an old or foreign writer may have left it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("start|end|days|timezone|.{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// For any directory and any request: an answer, at most one `Location`, and only one
    /// that the link or a rule may lead to.
    #[test]
    fn noise_never_breaks_the_redirect(
        field in "(country|city|language|referrer|time|date|percentage|osVersion|query\\.x|utm_term|.{0,8})",
        operator in "(equals|in|between|matches|exists|lt|contains|.{0,4})",
        value in any_json(),
        destination in "(https://b\\.example/[ -~é\r\n]{0,20}|.{0,20})",
        query in "[!-~&&[^#]]{0,40}",
        language in "[ -~]{0,40}",
        agent in "[ -~]{0,60}",
        host in "(go\\.example|[ -~]{0,20})",
        forward in prop_oneof![Just(Forward::Nothing), Just(Forward::Utms), Just(Forward::Everything)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let instance = Instance::new();
            let link = Link {
                settings: LinkSettings {
                    rules: vec![rule(1, is(&field, &operator, value), &destination)],
                    forward,
                    conversion_tracking: true,
                    ..LinkSettings::default()
                },
                ..entry(LinkSettings::default())
            };
            assert_eq!(link.link_id, LINK);
            instance.intake.directory().apply(Entry::Link(Box::new(link)));
            let path = format!("/promo?{query}");
            let headers = [
                ("accept-language", language.as_str()),
                ("user-agent", agent.as_str()),
                ("referer", agent.as_str()),
            ];
            let mut request = open("GET", "/promo", &headers);
            if let Ok(uri) = path.parse() {
                *request.uri_mut() = uri;
            }
            request.headers_mut().insert("host", host.parse().unwrap());
            let answer = instance.call(request).await;
            assert!([302, 404].contains(&answer.status), "{}", answer.status);
            let locations: Vec<_> = answer.headers.get_all("location").iter().collect();
            assert_eq!(locations.len(), usize::from(answer.status == 302));
            if let Some(location) = locations.first() {
                let text = String::from_utf8_lossy(location.as_bytes()).into_owned();
                let is_ours = text.starts_with("https://shop.example/x?") || text.starts_with("https://b.example/");
                assert!(is_ours, "{text}");
            }
        });
    }
}

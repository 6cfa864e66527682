//! How a link redirects, ready for use: its settings and its compiled rules.
//!
//! The one rule: a broken rule never takes its link down. It is skipped, logged and counted.

use axum::http::HeaderValue;
use schemas::{
    RuleId,
    directory::{App, DeepLink, Forward, LinkSettings, Platform, Rule},
    rules::{self, Compiled, Field},
};
use tracing::warn;

/// Schemes that run something in the browser or read the visitor's own disk, and the one that only
/// we make. No app has them.
const NO_APP: [&str; 8] = [
    "javascript",
    "data",
    "vbscript",
    "file",
    "about",
    "blob",
    "intent",
    "filesystem",
];

/// The settings of a link. Rules are compiled, and everything that must not be served is left out.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The settings as they were written, without rules and unusable deep links.
    pub given: LinkSettings,
    /// The rules, in the order of their evaluation.
    pub rules: Box<[RuleOf]>,
}

/// A rule, ready to be asked.
#[derive(Clone, Debug)]
pub struct RuleOf {
    /// The rule.
    pub rule_id: RuleId,
    /// Its name.
    pub name: Box<str>,
    /// Who passes.
    pub test: Compiled,
    /// Where they go.
    pub destination: Box<str>,
    /// Overrides the link's.
    pub forward: Option<Forward>,
    /// Overrides the link's.
    pub redirect_delay_ms: Option<u16>,
    /// Where apps open it.
    pub deep_links: Box<[DeepLink]>,
}

impl Settings {
    /// Reads settings. `None` for those of a link that only has a destination.
    pub(super) fn of(given: &LinkSettings, owner: &dyn std::fmt::Display) -> Option<Box<Self>> {
        if given.is_default() {
            return None;
        }
        let rules = compiled(&given.rules, owner);
        let mut given = given.clone();
        given.rules = Vec::new();
        // One in an app of the workspace is checked when the app is known.
        let is_used = |link: &DeepLink| link.app_id.is_some() || opens_an_app(link);
        given.deep_links.retain(is_used);
        Some(Box::new(Self { given, rules }))
    }
}

/// Compiles the rules of a link or campaign.
pub(super) fn compiled(rules: &[Rule], owner: &dyn std::fmt::Display) -> Box<[RuleOf]> {
    let read = rules.iter().filter_map(|rule| match RuleOf::read(rule) {
        Ok(rule) => Some(rule),
        Err(why) => {
            let id = rule.rule_id;
            metrics::counter!("ingest_rules_skipped_total").increment(1);
            warn!(rule.id = %id, "rule {id} of {owner} is skipped: {why}");
            None
        }
    });
    read.collect()
}

impl RuleOf {
    fn read(rule: &Rule) -> Result<Self, String> {
        if web_address(&rule.destination).is_none() {
            return Err("its destination is not an http or https address".to_owned());
        }
        let test = rules::read(&rule.test).map_err(|problems| {
            let first = problems.first().map(ToString::to_string);
            first.unwrap_or_default()
        })?;
        let apps = rule.deep_links.iter().filter(|app| opens_an_app(app));
        Ok(Self {
            rule_id: rule.rule_id,
            name: rule.name.as_str().into(),
            test,
            destination: rule.destination.as_str().into(),
            forward: rule.forward,
            redirect_delay_ms: rule.redirect_delay_ms,
            deep_links: apps.cloned().collect(),
        })
    }

    /// True if the rule compares visitors who came before with new ones.
    #[must_use]
    pub fn asks_for_state(&self) -> bool {
        self.test.asks_for(&Field::VisitorState)
    }
}

/// The address as a header; `None` when it is not an http or https address that fits into one.
pub(super) fn web_address(text: &str) -> Option<HeaderValue> {
    let is_web = ["http://", "https://"].iter().any(|scheme| {
        let start = text.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    is_web
        .then(|| HeaderValue::from_bytes(text.as_bytes()).ok())
        .flatten()
}

/// An address in an app of the workspace, with the package and the store of that app. `None` when it
/// cannot be served.
pub(super) fn in_app(link: &DeepLink, app: &App) -> Option<DeepLink> {
    let is_android = app.platform == Platform::Android;
    let fallback = link.fallback.as_ref().or(app.store_url.as_ref());
    // Only a web app has an address of its own.
    let url = match fallback {
        Some(own) if app.platform == Platform::Web && link.url.is_empty() => own,
        _ => &link.url,
    };
    let complete = DeepLink {
        url: url.clone(),
        package: is_android.then(|| app.package.clone()),
        fallback: fallback.cloned(),
        ..link.clone()
    };
    (app.platform == link.platform && opens_an_app(&complete)).then_some(complete)
}

/// True for an entry that can be served: an address with a scheme of an app, or of the web, and a
/// fallback on the web. A web app has addresses of the web only.
fn opens_an_app(app: &DeepLink) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic();
    let fallback = app.fallback.as_deref();
    let named = app.package.as_deref().is_none_or(|package| {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
        !package.is_empty() && package.bytes().all(is_name)
    });
    (app.platform != Platform::Web || web_address(&app.url).is_some())
        && named
        && app.url.bytes().all(is_plain)
        && scheme(&app.url).is_some_and(|scheme| {
            !NO_APP
                .iter()
                .any(|known| known.eq_ignore_ascii_case(scheme))
        })
        && fallback.is_none_or(|fallback| web_address(fallback).is_some())
}

/// The scheme of an address.
#[must_use]
pub fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    let mut bytes = scheme.bytes();
    let begins = bytes.next()?.is_ascii_alphabetic();
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    (begins && bytes.all(is_allowed)).then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::directory::Test;
    use serde_json::json;
    use uuid::Uuid;

    fn app(url: &str) -> DeepLink {
        DeepLink {
            platform: Platform::Ios,
            url: url.to_owned(),
            fallback: None,
            package: None,
            app_id: None,
        }
    }

    #[test]
    fn only_apps_and_the_web_are_opened() {
        for url in [
            "myapp://p/1",
            "https://shop.example/a",
            "fb123:x",
            "com.app+x:/",
        ] {
            assert!(opens_an_app(&app(url)), "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "JaVaScript:alert(1)",
            " javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "intent://x#Intent;end",
            "myapp://p\r\nSet-Cookie: a=b",
            "myapp://p 1",
            "shop.example/x",
            "1app:x",
            "",
        ] {
            assert!(!opens_an_app(&app(url)), "{url}");
        }
        let with = |package: &str, fallback: &str| DeepLink {
            fallback: Some(fallback.to_owned()),
            package: Some(package.to_owned()),
            ..app("myapp://p")
        };
        assert!(opens_an_app(&with("com.example.app", "https://a.example/")));
        assert!(!opens_an_app(&with("a;b=c", "https://a.example/")));
        assert!(!opens_an_app(&with(
            "com.example.app",
            "javascript:alert(1)"
        )));
    }

    #[test]
    fn a_broken_rule_is_skipped_and_the_others_stay() {
        let rule = |id: u128, field: &str, destination: &str| Rule {
            rule_id: RuleId(Uuid::from_u128(id)),
            name: "a rule".to_owned(),
            test: Test::Is {
                field: field.to_owned(),
                operator: "equals".to_owned(),
                value: json!("DE"),
            },
            destination: destination.to_owned(),
            forward: None,
            redirect_delay_ms: None,
            deep_links: Vec::new(),
        };
        let rules = compiled(
            &[
                rule(1, "shoe", "https://a.example/"),
                rule(2, "country", "javascript:alert(1)"),
                rule(3, "country", "https://a.example/\r\nx: y"),
                rule(4, "country", "https://a.example/"),
            ],
            &"a test",
        );
        let kept: Vec<u128> = rules.iter().map(|rule| rule.rule_id.0.as_u128()).collect();
        assert_eq!(kept, [4]);
    }
}

//! How links and rules redirect, as the main database keeps it, and as the directory says it.
//!
//! Everything has a default, which is absent in the stored JSON. So a new setting needs no
//! migration.

use schemas::{
    AppId,
    directory::{DeepLink, Forward, LinkSettings, Platform, Preview, RedirectMode, RedirectStatus},
};
use serde::{Deserialize, Serialize};

/// How a link redirects, beyond what is searched, filtered or secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Behavior {
    pub(crate) mode: RedirectMode,
    pub(crate) status: RedirectStatus,
    pub(crate) forward_utms: bool,
    pub(crate) preserve_query_params: bool,
    pub(crate) redirect_delay_ms: u16,
    pub(crate) utm: Utm,
    pub(crate) deep_links: DeepLinks,
    pub(crate) preview: Preview,
    /// True while previews do not show it.
    pub(crate) preview_off: bool,
    /// Its addresses in apps of the workspace.
    pub(crate) app_links: Vec<AppLink>,
    pub(crate) conversion_tracking: bool,
    pub(crate) tracking_type: Option<TrackingType>,
    pub(crate) public_stats: bool,
}

/// How a rule redirects. What it leaves open is the link's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RuleBehavior {
    pub(crate) forward_utms: Option<bool>,
    pub(crate) preserve_query_params: Option<bool>,
    pub(crate) redirect_delay_ms: Option<u16>,
    pub(crate) deep_links: DeepLinks,
}

/// The campaign parameters that a link adds to its destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Utm {
    pub(crate) source: Option<String>,
    pub(crate) medium: Option<String>,
    pub(crate) campaign: Option<String>,
    pub(crate) term: Option<String>,
    pub(crate) content: Option<String>,
}

/// Where apps open a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DeepLinks {
    pub(crate) enabled: bool,
    pub(crate) ios: Option<String>,
    pub(crate) android: Option<String>,
    pub(crate) android_package: Option<String>,
    pub(crate) fallback_url: Option<String>,
}

/// The address of a link in an app of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AppLink {
    pub(crate) app_id: String,
    /// The app's platform, which never changes. `None` for an id that was saved before the
    /// workspace could register apps: it opens nothing.
    pub(crate) platform: Option<Platform>,
    pub(crate) url: String,
    pub(crate) fallback_enabled: bool,
    pub(crate) fallback_url: Option<String>,
}

/// How the owner's site reports conversions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TrackingType {
    Pixel,
    S2s,
}

impl Behavior {
    /// What previews show instead of the destination's own, if anything.
    pub(crate) fn shown_preview(&self) -> Option<Preview> {
        let is_shown = !self.preview_off && self.preview != Preview::default();
        is_shown.then(|| self.preview.clone())
    }

    /// The part of a link's settings in the directory that is kept here.
    pub(crate) fn settings(self) -> LinkSettings {
        let preview = self.shown_preview();
        let own = self.deep_links.entries();
        let in_apps = self.app_links.into_iter().filter_map(AppLink::entry);
        LinkSettings {
            mode: self.mode,
            status: self.status,
            forward: forward(self.forward_utms, self.preserve_query_params),
            redirect_delay_ms: self.redirect_delay_ms,
            utm: self.utm.pairs(),
            // The first of a platform applies, so the link's own come before those in apps.
            deep_links: own.into_iter().chain(in_apps).collect(),
            preview,
            conversion_tracking: self.conversion_tracking,
            ..LinkSettings::default()
        }
    }
}

impl RuleBehavior {
    /// What the rule overrides; `None` when it says nothing about parameters.
    pub(crate) fn forward(&self) -> Option<Forward> {
        let (utms, all) = (self.forward_utms, self.preserve_query_params);
        (utms.is_some() || all.is_some())
            .then(|| forward(utms.unwrap_or(false), all.unwrap_or(false)))
    }
}

const fn forward(utms: bool, everything: bool) -> Forward {
    match (everything, utms) {
        (true, _) => Forward::Everything,
        (false, true) => Forward::Utms,
        (false, false) => Forward::Nothing,
    }
}

impl Utm {
    fn pairs(self) -> Vec<(String, String)> {
        let all = [
            ("utm_source", self.source),
            ("utm_medium", self.medium),
            ("utm_campaign", self.campaign),
            ("utm_term", self.term),
            ("utm_content", self.content),
        ];
        let given = all.into_iter();
        let given = given.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.collect()
    }
}

impl DeepLinks {
    /// The entries of the directory: none while they are switched off.
    pub(crate) fn entries(self) -> Vec<DeepLink> {
        if !self.enabled {
            return Vec::new();
        }
        let fallback = self.fallback_url;
        let entry = |platform, url: Option<String>, package| {
            Some(DeepLink {
                platform,
                url: url?,
                fallback: fallback.clone(),
                package,
                app_id: None,
            })
        };
        let all = [
            entry(Platform::Ios, self.ios, None),
            entry(Platform::Android, self.android, self.android_package),
        ];
        all.into_iter().flatten().collect()
    }
}

impl AppLink {
    /// Its entry of the directory, which ingest completes with what it knows of the app. So a change
    /// of an app needs no new entry of any link.
    fn entry(self) -> Option<DeepLink> {
        let app_id: AppId = self.app_id.parse().ok()?;
        Some(DeepLink {
            platform: self.platform?,
            url: self.url,
            fallback: self.fallback_url.filter(|_| self.fallback_enabled),
            package: None,
            app_id: Some(app_id),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_link_without_settings_has_those_of_the_directory() {
        let stored: Behavior = serde_json::from_value(json!({})).unwrap();
        assert_eq!(stored, Behavior::default());
        assert!(stored.settings().is_default());
    }

    #[test]
    fn deep_links_are_entries_only_while_they_are_on() {
        let mut links = DeepLinks {
            enabled: true,
            ios: Some("myapp://p/1".to_owned()),
            fallback_url: Some("https://shop.example/a".to_owned()),
            ..DeepLinks::default()
        };
        let entries = links.clone().entries();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].platform, Platform::Ios);
        let fallback = entries[0].fallback.as_deref();
        assert_eq!(fallback, Some("https://shop.example/a"));
        links.enabled = false;
        assert_eq!(links.entries(), []);
    }

    #[test]
    fn addresses_in_apps_come_after_those_of_the_link_itself() {
        let id = "0192e000-0000-7000-8000-00000000000a";
        let in_app = |platform, fallback_enabled| AppLink {
            app_id: id.to_owned(),
            platform,
            url: "theirapp://p".to_owned(),
            fallback_enabled,
            fallback_url: Some("https://shop.example/b".to_owned()),
        };
        let mut link = Behavior {
            deep_links: DeepLinks {
                enabled: true,
                ios: Some("myapp://p".to_owned()),
                ..DeepLinks::default()
            },
            app_links: vec![
                in_app(None, true),
                in_app(Some(Platform::Ios), true),
                in_app(Some(Platform::Android), false),
            ],
            ..Behavior::default()
        };
        let entries = link.clone().settings().deep_links;
        let urls: Vec<&str> = entries.iter().map(|entry| &*entry.url).collect();
        assert_eq!(urls, ["myapp://p", "theirapp://p", "theirapp://p"]);
        assert_eq!(entries[0].app_id, None);
        assert_eq!(entries[1].app_id, id.parse().ok());
        let fallback = entries[1].fallback.as_deref();
        assert_eq!(fallback, Some("https://shop.example/b"));
        assert_eq!(entries[2].platform, Platform::Android);
        assert_eq!(entries[2].fallback, None);
        // Switched off, the link's own give way.
        link.deep_links.enabled = false;
        let entries = link.settings().deep_links;
        assert_eq!((entries.len(), &*entries[0].url), (2, "theirapp://p"));
    }

    #[test]
    fn an_id_that_names_no_app_opens_nothing() {
        let stored = json!({"app_links": [{"app_id": "a1b2c3d4e5f6", "url": "myapp://p"}]});
        let mut link: Behavior = serde_json::from_value(stored).unwrap();
        link.app_links[0].platform = Some(Platform::Ios);
        assert_eq!(link.settings().deep_links, []);
    }

    #[test]
    fn a_preview_is_shown_only_while_it_is_on_and_has_something() {
        let mut link = Behavior {
            preview: Preview {
                title: Some("Look".to_owned()),
                ..Preview::default()
            },
            ..Behavior::default()
        };
        let shown = link.clone().settings().preview;
        assert_eq!(
            shown.and_then(|preview| preview.title).as_deref(),
            Some("Look")
        );
        link.preview_off = true;
        assert_eq!(link.settings().preview, None);
        assert_eq!(Behavior::default().settings().preview, None);
    }

    #[test]
    fn a_rule_overrides_parameters_only_when_it_mentions_them() {
        let rule = |forward_utms, preserve_query_params| {
            let rule = RuleBehavior {
                forward_utms,
                preserve_query_params,
                ..RuleBehavior::default()
            };
            rule.forward()
        };
        assert_eq!(rule(None, None), None);
        assert_eq!(rule(Some(false), None), Some(Forward::Nothing));
        assert_eq!(rule(Some(true), None), Some(Forward::Utms));
        assert_eq!(rule(Some(true), Some(true)), Some(Forward::Everything));
    }
}

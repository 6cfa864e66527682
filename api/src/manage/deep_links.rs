//! The members about deep links, which links and rules share.

use super::{
    short_links::{
        DEEP_LINK_ANDROID, DEEP_LINK_ENABLED, DEEP_LINK_FALLBACK, DEEP_LINK_IOS, DEEP_LINK_PACKAGE,
        texts,
    },
    target::{self, Hosts},
};
use crate::{
    behavior::DeepLinks,
    patch::{Change, apply},
};
use runtime::{http::Fields, members::Declared};

/// The members.
pub(crate) const OF_DEEP_LINKS: [&dyn Declared; 5] = [
    &DEEP_LINK_ENABLED,
    &DEEP_LINK_IOS,
    &DEEP_LINK_ANDROID,
    &DEEP_LINK_PACKAGE,
    &DEEP_LINK_FALLBACK,
];

/// What a request says about deep links.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeepLinkEdit {
    enabled: Option<bool>,
    ios: Change<String>,
    android: Change<String>,
    package: Change<String>,
    fallback: Change<String>,
}

impl DeepLinkEdit {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            enabled: DEEP_LINK_ENABLED.read(fields),
            ios: Change::read(fields, &DEEP_LINK_IOS).map(str::to_owned),
            android: Change::read(fields, &DEEP_LINK_ANDROID).map(str::to_owned),
            package: Change::read(fields, &DEEP_LINK_PACKAGE).map(str::to_owned),
            fallback: Change::read(fields, &DEEP_LINK_FALLBACK).map(str::to_owned),
        }
    }

    /// The addresses that it names.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &str> {
        let all = [&self.ios, &self.android, &self.fallback];
        all.into_iter().filter_map(|change| match change {
            Change::Given(text) => Some(text.as_str()),
            Change::Absent | Change::Null => None,
        })
    }

    /// Brings its addresses into the form in which they are stored, and reports every problem.
    pub(crate) fn check(&mut self, hosts: &Hosts, problems: &mut Vec<String>) {
        let mut each = |change: &mut Change<String>, name: &str, read: Read| {
            if let Change::Given(text) = change
                && !text.trim().is_empty()
            {
                match read(text, hosts) {
                    Ok(stored) => *text = stored,
                    Err(problem) => problems.push(format!("{name} {problem}")),
                }
            }
        };
        each(&mut self.ios, "deepLinkIos", target::deep_link);
        each(&mut self.android, "deepLinkAndroid", target::deep_link);
        each(
            &mut self.fallback,
            "deepLinkFallbackUrl",
            target::destination,
        );
    }

    /// Applies the change.
    pub(crate) fn apply(self, stored: &mut DeepLinks) {
        apply(self.enabled, &mut stored.enabled);
        texts(self.ios, &mut stored.ios);
        texts(self.android, &mut stored.android);
        texts(self.package, &mut stored.android_package);
        texts(self.fallback, &mut stored.fallback_url);
    }
}

type Read = fn(&str, &Hosts) -> Result<String, String>;

//! A link in a request: read first, then checked, then applied to a new or a stored link.
//!
//! The one rule: every member has three states. An absent member keeps its value, `null` clears it.

use super::members::{
    ARCHIVED, CAMPAIGN, CLICKS_LIMIT, CONVERSION_TRACKING, DELAY, DESCRIPTION, DESTINATION, DOMAIN,
    ENABLED, EXPIRES_AT, FOLDER, FORWARD_UTMS, KNOWN_CODE, MODE, NEW_DESTINATION, PASSWORD,
    PRESERVE, PREVIEW_DESCRIPTION, PREVIEW_ENABLED, PREVIEW_IMAGE, PREVIEW_TITLE, PUBLIC_STATS,
    SHORT_CODE, STATUS, TAGS, TITLE, TRACKING_TYPE, UTM_CAMPAIGN, UTM_CONTENT, UTM_MEDIUM,
    UTM_SOURCE, UTM_TERM,
};
use crate::{
    behavior::{AppLink, TrackingType},
    manage::{
        deep_links::{DeepLinkEdit, OF_DEEP_LINKS},
        target::{self, Hosts},
    },
    patch::{Change, apply},
    store::short_links::ShortLink,
};
use jiff_sqlx::{Timestamp, ToSqlx};
use runtime::{
    http::Fields,
    members::{Body, Declared, Member, Text},
};
use schemas::directory::{RedirectMode, RedirectStatus};
use uuid::Uuid;

/// What a request says about a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edit {
    pub(crate) destination: Option<String>,
    pub(crate) short_code: Option<String>,
    pub(crate) domain: Change<Uuid>,
    pub(crate) title: Change<String>,
    pub(crate) description: Change<String>,
    pub(crate) enabled: Option<bool>,
    pub(crate) archived: Option<bool>,
    pub(crate) campaign: Change<Uuid>,
    pub(crate) folder: Change<Uuid>,
    pub(crate) tags: Change<Vec<String>>,
    pub(crate) expires_at: Change<Timestamp>,
    pub(crate) clicks_limit: Change<i64>,
    pub(crate) password: Change<String>,
    pub(crate) mode: Option<RedirectMode>,
    pub(crate) status: Option<RedirectStatus>,
    pub(crate) forward_utms: Option<bool>,
    pub(crate) preserve_query_params: Option<bool>,
    pub(crate) redirect_delay_ms: Option<i64>,
    /// Source, medium, campaign, term and content.
    pub(crate) utm: [Change<String>; 5],
    pub(crate) deep_links: DeepLinkEdit,
    /// Title and description.
    pub(crate) preview: [Change<String>; 2],
    pub(crate) preview_image: Change<String>,
    pub(crate) preview_enabled: Option<bool>,
    pub(crate) app_links: Change<Vec<AppLink>>,
    pub(crate) conversion_tracking: Option<bool>,
    pub(crate) tracking_type: Change<TrackingType>,
    pub(crate) public_stats: Option<bool>,
}

/// A new link.
#[derive(Clone, Debug)]
pub(super) struct NewLink(pub(super) Edit);

/// A link by its code, new or not.
#[derive(Clone, Debug)]
pub(super) struct CodedLink(pub(super) Edit);

/// A change of a link.
#[derive(Clone, Debug)]
pub(super) struct LinkChange(pub(super) Edit);

macro_rules! members {
    ($($first:expr),+) => {
        &[
            $($first,)+
            &DOMAIN,
            &TITLE,
            &DESCRIPTION,
            &ENABLED,
            &ARCHIVED,
            &CAMPAIGN,
            &FOLDER,
            &TAGS,
            &EXPIRES_AT,
            &CLICKS_LIMIT,
            &PASSWORD,
            &MODE,
            &STATUS,
            &FORWARD_UTMS,
            &PRESERVE,
            &DELAY,
            &UTM_SOURCE,
            &UTM_MEDIUM,
            &UTM_CAMPAIGN,
            &UTM_TERM,
            &UTM_CONTENT,
            OF_DEEP_LINKS[0],
            OF_DEEP_LINKS[1],
            OF_DEEP_LINKS[2],
            OF_DEEP_LINKS[3],
            OF_DEEP_LINKS[4],
            &PREVIEW_TITLE,
            &PREVIEW_DESCRIPTION,
            &PREVIEW_IMAGE,
            &PREVIEW_ENABLED,
            &CONVERSION_TRACKING,
            &TRACKING_TYPE,
            &PUBLIC_STATS,
        ]
    };
}

impl Body for NewLink {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&NEW_DESTINATION, &SHORT_CODE);

    fn read(fields: &mut Fields<'_>) -> Self {
        let destination = NEW_DESTINATION.read(fields);
        let code = SHORT_CODE.read(fields);
        Self(Edit::read(fields, destination, code))
    }
}

impl Body for CodedLink {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&KNOWN_CODE, &NEW_DESTINATION);

    fn read(fields: &mut Fields<'_>) -> Self {
        let destination = NEW_DESTINATION.read(fields);
        let code = KNOWN_CODE.read(fields);
        Self(Edit::read(fields, destination, code))
    }
}

impl Body for LinkChange {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&DESTINATION, &SHORT_CODE);

    fn read(fields: &mut Fields<'_>) -> Self {
        let destination = DESTINATION.read(fields);
        let code = SHORT_CODE.read(fields);
        Self(Edit::read(fields, destination, code))
    }
}

impl Edit {
    fn read(fields: &mut Fields<'_>, destination: Option<&str>, code: Option<&str>) -> Self {
        let mut text =
            |member: &Member<Text>| Change::read(fields, member).map(|text| text.trim().to_owned());
        let utm = [
            text(&UTM_SOURCE),
            text(&UTM_MEDIUM),
            text(&UTM_CAMPAIGN),
            text(&UTM_TERM),
            text(&UTM_CONTENT),
        ];
        let preview = [text(&PREVIEW_TITLE), text(&PREVIEW_DESCRIPTION)];
        let preview_image = text(&PREVIEW_IMAGE);
        Self {
            title: text(&TITLE),
            description: text(&DESCRIPTION),
            // A password is kept as typed.
            password: Change::read(fields, &PASSWORD).map(str::to_owned),
            destination: destination.map(str::to_owned),
            short_code: code.map(str::to_owned),
            domain: Change::read(fields, &DOMAIN),
            enabled: ENABLED.read(fields),
            archived: ARCHIVED.read(fields),
            campaign: Change::read(fields, &CAMPAIGN),
            folder: Change::read(fields, &FOLDER),
            tags: Change::read(fields, &TAGS),
            expires_at: Change::read(fields, &EXPIRES_AT).map(ToSqlx::to_sqlx),
            clicks_limit: Change::read(fields, &CLICKS_LIMIT),
            mode: MODE.read(fields).and_then(mode),
            status: STATUS.read(fields).and_then(status),
            forward_utms: FORWARD_UTMS.read(fields),
            preserve_query_params: PRESERVE.read(fields),
            redirect_delay_ms: DELAY.read(fields),
            utm,
            deep_links: DeepLinkEdit::read(fields),
            preview,
            preview_image,
            preview_enabled: PREVIEW_ENABLED.read(fields),
            app_links: Change::Absent,
            conversion_tracking: CONVERSION_TRACKING.read(fields),
            tracking_type: Change::read(fields, &TRACKING_TYPE).map(|word| match word {
                "s2s" => TrackingType::S2s,
                _ => TrackingType::Pixel,
            }),
            public_stats: PUBLIC_STATS.read(fields),
        }
    }

    /// The addresses that it names, for the search for loops.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        let apps = match &self.app_links {
            Change::Given(links) => links.as_slice(),
            Change::Absent | Change::Null => &[],
        };
        self.destination
            .as_deref()
            .into_iter()
            .chain(self.deep_links.addresses())
            .chain(apps.iter().map(|link| link.url.as_str()))
            .chain(apps.iter().filter_map(|link| link.fallback_url.as_deref()))
    }

    /// Brings its addresses into the form in which they are stored. The error has every problem.
    pub(super) fn check(&mut self, hosts: &Hosts) -> Result<(), Vec<String>> {
        let mut problems = Vec::new();
        if let Some(given) = &mut self.destination {
            match target::destination(given, hosts) {
                Ok(stored) => *given = stored,
                Err(problem) => problems.push(format!("destinationUrl {problem}")),
            }
        }
        self.deep_links.check(hosts, &mut problems);
        if let Change::Given(links) = &mut self.app_links {
            for (index, link) in links.iter_mut().enumerate() {
                check_app_link(link, index, hosts, &mut problems);
            }
        }
        if let Change::Given(given) = &mut self.preview_image {
            if given.is_empty() {
                self.preview_image = Change::Null;
            } else {
                // A picture may be on any host, ours included.
                match target::destination(given, &Hosts::default()) {
                    Ok(stored) => *given = stored,
                    Err(problem) => problems.push(format!("previewImageUrl {problem}")),
                }
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// Applies everything except code, host, tags and password, which need the database or time.
    pub(super) fn apply(self, link: &mut ShortLink) {
        apply(self.destination, &mut link.destination);
        texts(self.title, &mut link.title);
        texts(self.description, &mut link.description);
        apply(self.enabled, &mut link.enabled);
        apply(self.archived, &mut link.archived);
        if !self.campaign.is_absent() {
            link.campaign_deleted = false;
        }
        self.campaign.apply(&mut link.campaign_id);
        self.folder.apply(&mut link.folder_id);
        self.expires_at.apply(&mut link.expires_at);
        let limit = self.clicks_limit;
        limit
            .map(|limit| i32::try_from(limit).unwrap_or(i32::MAX))
            .apply(&mut link.clicks_limit);
        let behavior = &mut link.behavior.0;
        apply(self.mode, &mut behavior.mode);
        apply(self.status, &mut behavior.status);
        apply(self.forward_utms, &mut behavior.forward_utms);
        apply(
            self.preserve_query_params,
            &mut behavior.preserve_query_params,
        );
        let delay = self.redirect_delay_ms.and_then(|ms| ms.try_into().ok());
        apply(delay, &mut behavior.redirect_delay_ms);
        let [source, medium, campaign, term, content] = self.utm;
        texts(source, &mut behavior.utm.source);
        texts(medium, &mut behavior.utm.medium);
        texts(campaign, &mut behavior.utm.campaign);
        texts(term, &mut behavior.utm.term);
        texts(content, &mut behavior.utm.content);
        self.deep_links.apply(&mut behavior.deep_links);
        let [title, description] = self.preview;
        texts(title, &mut behavior.preview.title);
        texts(description, &mut behavior.preview.description);
        texts(self.preview_image, &mut behavior.preview.image_url);
        let off = self.preview_enabled.map(|on| !on);
        apply(off, &mut behavior.preview_off);
        match self.app_links {
            Change::Absent => {}
            Change::Null => behavior.app_links.clear(),
            Change::Given(links) => behavior.app_links = links,
        }
        apply(self.conversion_tracking, &mut behavior.conversion_tracking);
        self.tracking_type.apply(&mut behavior.tracking_type);
        apply(self.public_stats, &mut behavior.public_stats);
    }
}

fn check_app_link(link: &mut AppLink, index: usize, hosts: &Hosts, problems: &mut Vec<String>) {
    // Whether an app may be without one is known when the app is.
    if !link.url.is_empty() {
        match target::deep_link(&link.url, hosts) {
            Ok(stored) => link.url = stored,
            Err(problem) => problems.push(format!("deepLinks[{index}].deeplinkUrl {problem}")),
        }
    }
    if let Some(fallback) = &mut link.fallback_url {
        match target::destination(fallback, hosts) {
            Ok(stored) => *fallback = stored,
            Err(problem) => problems.push(format!("deepLinks[{index}].fallbackUrl {problem}")),
        }
    }
}

/// Applies a change to a text; the empty text clears it, as `null` does.
pub(crate) fn texts(change: Change<String>, stored: &mut Option<String>) {
    match change {
        Change::Given(text) if text.is_empty() => *stored = None,
        change => change.apply(stored),
    }
}

fn mode(word: &str) -> Option<RedirectMode> {
    Some(match word {
        "auto" => RedirectMode::Auto,
        "always" => RedirectMode::Always,
        "rule_only" => RedirectMode::RuleOnly,
        "never" => RedirectMode::Never,
        _ => return None,
    })
}

const fn status(code: i64) -> Option<RedirectStatus> {
    Some(match code {
        301 => RedirectStatus::MovedPermanently,
        302 => RedirectStatus::Found,
        307 => RedirectStatus::TemporaryRedirect,
        308 => RedirectStatus::PermanentRedirect,
        _ => return None,
    })
}

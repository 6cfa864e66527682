//! A link in answers, and what its owner should know about it.

use crate::{
    behavior::{AppLink, DeepLinks, TrackingType, Utm},
    instant::iso_micros,
    manage::target,
    short_urls::ShortUrls,
    store::short_links::ShortLink,
};
use schemars::JsonSchema;
use schemas::directory::{Platform, Preview, RedirectMode, RedirectStatus};
use serde::Serialize;
use uuid::Uuid;

/// A link.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ShortLink", description = "A link with a short URL.")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are members of the answer"
)]
pub(crate) struct WireShortLink {
    pub(crate) id: Uuid,
    pub(crate) short_code: String,
    /// What people open.
    pub(crate) short_url: String,
    /// The host of the short URL.
    domain: String,
    destination_url: String,
    title: Option<String>,
    description: Option<String>,
    campaign_id: Option<Uuid>,
    folder_id: Option<Uuid>,
    tags: Vec<String>,
    /// Whether it redirects.
    enabled: bool,
    /// Whether it is archived, and so closed.
    archived: bool,
    /// Whether visitors must enter a password.
    password_protected: bool,
    #[schemars(extend("format" = "date-time"))]
    expires_at: Option<String>,
    clicks_limit: Option<i32>,
    #[schemars(with = "String")]
    redirect_behavior: RedirectMode,
    /// 301, 302, 307 or 308.
    redirect_status: u16,
    forward_utms: bool,
    preserve_query_params: bool,
    redirect_delay_ms: u16,
    utm_source: Option<String>,
    utm_medium: Option<String>,
    utm_campaign: Option<String>,
    utm_term: Option<String>,
    utm_content: Option<String>,
    #[serde(flatten)]
    deep_links: WireDeepLinks,
    preview_title: Option<String>,
    preview_description: Option<String>,
    preview_image_url: Option<String>,
    /// Whether previews show these.
    preview_enabled: bool,
    /// Its addresses in the workspace's apps, as the events API keeps them.
    app_links: Vec<WireAppLink>,
    conversion_tracking: bool,
    #[schemars(with = "Option<String>")]
    tracking_type: Option<TrackingType>,
    public_stats: bool,
    /// The bio page that shows it.
    bio_page_id: Option<Uuid>,
    created_by: Option<String>,
    created_via: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    #[schemars(extend("format" = "date-time"))]
    deleted_at: Option<String>,
    /// What may surprise its owner.
    warnings: Vec<String>,
}

/// Where apps open a link or the destination of a rule.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "they are names on the wire")]
pub(crate) struct WireDeepLinks {
    deep_link_enabled: bool,
    deep_link_ios: Option<String>,
    deep_link_android: Option<String>,
    deep_link_android_package: Option<String>,
    deep_link_fallback_url: Option<String>,
}

/// The address of a link in an app.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireAppLink {
    /// The app.
    mobile_app_id: String,
    /// Its platform. `null` for an id from before the workspace could register apps.
    #[schemars(with = "Option<String>")]
    platform: Option<Platform>,
    /// Its address in the app. `null` for the address of a web app.
    deeplink_url: Option<String>,
    /// Whether a device without the app goes to the fallback, before the app's store.
    fallback_enabled: bool,
    fallback_url: Option<String>,
}

impl From<AppLink> for WireAppLink {
    fn from(link: AppLink) -> Self {
        Self {
            mobile_app_id: link.app_id,
            platform: link.platform,
            deeplink_url: Some(link.url).filter(|url| !url.is_empty()),
            fallback_enabled: link.fallback_enabled,
            fallback_url: link.fallback_url,
        }
    }
}

impl From<DeepLinks> for WireDeepLinks {
    fn from(links: DeepLinks) -> Self {
        Self {
            deep_link_enabled: links.enabled,
            deep_link_ios: links.ios,
            deep_link_android: links.android,
            deep_link_android_package: links.android_package,
            deep_link_fallback_url: links.fallback_url,
        }
    }
}

impl WireShortLink {
    pub(crate) fn new(link: ShortLink, urls: &ShortUrls) -> Self {
        let warnings = warnings(&link);
        let time = |at: jiff_sqlx::Timestamp| iso_micros(at.to_jiff());
        let behavior = link.behavior.0;
        let Utm {
            source,
            medium,
            campaign,
            term,
            content,
        } = behavior.utm;
        let Preview {
            title: preview_title,
            description: preview_description,
            image_url: preview_image_url,
        } = behavior.preview;
        Self {
            id: link.id,
            short_url: urls.of(link.host.as_deref(), &link.short_code),
            short_code: link.short_code,
            domain: link.host.unwrap_or_else(|| urls.own_host().to_owned()),
            destination_url: link.destination,
            title: link.title.or(link.page_title),
            description: link.description,
            campaign_id: link.campaign_id.filter(|_| !link.campaign_deleted),
            folder_id: link.folder_id,
            tags: link.tags,
            enabled: link.enabled,
            archived: link.archived,
            password_protected: link.password_hash.is_some(),
            expires_at: link.expires_at.map(time),
            clicks_limit: link.clicks_limit,
            redirect_behavior: behavior.mode,
            redirect_status: code(behavior.status),
            forward_utms: behavior.forward_utms,
            preserve_query_params: behavior.preserve_query_params,
            redirect_delay_ms: behavior.redirect_delay_ms,
            utm_source: source,
            utm_medium: medium,
            utm_campaign: campaign,
            utm_term: term,
            utm_content: content,
            deep_links: behavior.deep_links.into(),
            preview_title,
            preview_description,
            preview_image_url,
            preview_enabled: !behavior.preview_off,
            app_links: behavior.app_links.into_iter().map(Into::into).collect(),
            conversion_tracking: behavior.conversion_tracking,
            tracking_type: behavior.tracking_type,
            public_stats: behavior.public_stats,
            bio_page_id: link.page_id,
            created_by: link.created_by,
            created_via: link.created_via,
            created_at: time(link.created_at),
            updated_at: time(link.updated_at),
            deleted_at: link.deleted_at.map(time),
            warnings,
        }
    }
}

const fn code(status: RedirectStatus) -> u16 {
    match status {
        RedirectStatus::MovedPermanently => 301,
        RedirectStatus::Found => 302,
        RedirectStatus::TemporaryRedirect => 307,
        RedirectStatus::PermanentRedirect => 308,
    }
}

fn warnings(link: &ShortLink) -> Vec<String> {
    let mut warnings = Vec::new();
    let behavior = &link.behavior.0;
    let adds = behavior.conversion_tracking
        || behavior.forward_utms
        || behavior.preserve_query_params
        || behavior.utm != Utm::default();
    if adds && target::is_signed(&link.destination) {
        warnings.push(
            "The destination is signed, so no parameters are added to it: UTM, forwarded parameters and lw_cid have no effect."
                .to_owned(),
        );
    }
    let deep = &behavior.deep_links;
    if deep.enabled && deep.ios.is_none() && deep.android.is_none() {
        warnings.push(
            "Deep links are on, but no app has an address: give deepLinkIos or deepLinkAndroid."
                .to_owned(),
        );
    }
    for (platform, own, name) in [
        (Platform::Ios, &deep.ios, "deepLinkIos"),
        (Platform::Android, &deep.android, "deepLinkAndroid"),
    ] {
        let is_in_app = |link: &AppLink| link.platform == Some(platform);
        if deep.enabled && own.is_some() && behavior.app_links.iter().any(is_in_app) {
            warnings.push(format!(
                "{name} is used, and not the address of appLinks for the same platform."
            ));
        }
    }
    if behavior
        .app_links
        .iter()
        .any(|link| link.platform.is_none())
    {
        warnings.push(
            "An entry of appLinks names no app of the workspace, so it opens nothing.".to_owned(),
        );
    }
    if behavior.mode == RedirectMode::RuleOnly {
        warnings.push(
            "Visitors who match no rule get 404, because redirectBehavior is rule_only.".to_owned(),
        );
    }
    warnings
}

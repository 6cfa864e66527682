//! The errors that several families of routes share, or whose family has no `errors.rs`.
//!
//! Their keys are a contract: clients translate them and branch on them.

use runtime::http::ApiError;
use serde_json::json;
use std::fmt::Display;

/// 403 for a caller whose role or key lacks the permission of the route.
pub(crate) fn permission_missing() -> ApiError {
    ApiError::forbidden(
        "auth.permission_missing",
        "Your role in this workspace, or the scopes of your key, do not allow this.",
    )
}

/// 403 for `X-Workspace-Id` with a workspace that is not the caller's, whether it exists or not.
pub(crate) fn not_a_member() -> ApiError {
    ApiError::forbidden("auth.not_a_member", "This workspace is not yours.")
}

/// 403 for a user without any workspace.
pub(crate) fn no_workspace() -> ApiError {
    ApiError::forbidden(
        "auth.no_workspace",
        "You have no workspace yet; create one with POST /api/workspaces.",
    )
}

/// 401 for an API key that is unknown, revoked or expired.
pub(crate) fn invalid_key() -> ApiError {
    ApiError {
        code: "auth.api_key_invalid",
        message: "This API key is unknown, revoked or expired.".into(),
        ..ApiError::unauthorized()
    }
}

/// 409 for a slug that another workspace has.
pub(crate) fn workspace_slug_taken() -> ApiError {
    ApiError::conflict("workspaces.slug_taken", "Another workspace has this slug.")
}

/// 403 for one more workspace than a user may have.
pub(crate) fn too_many_workspaces(max: u32) -> ApiError {
    ApiError::forbidden(
        "workspaces.limit_reached",
        "You have reached the limit of workspaces.",
    )
    .with_vars(json!({ "max": max }))
}

/// 404 for a workspace in a path that is not the caller's.
pub(crate) fn workspace_not_found() -> ApiError {
    ApiError::not_found("workspaces.not_found", "Workspace not found.")
}

/// 404 for a mobile app of another workspace, or a deleted one.
pub(crate) fn mobile_app_not_found() -> ApiError {
    ApiError::not_found("mobile_apps.not_found", "Mobile app not found.")
}

/// 409 for an app that the workspace has already.
pub(crate) fn mobile_app_exists() -> ApiError {
    ApiError::conflict(
        "mobile_apps.exists",
        "This workspace has an app with this packageId on this platform already.",
    )
}

/// 404 for an API key that is not the workspace's.
pub(crate) fn key_not_found() -> ApiError {
    ApiError::not_found("api_keys.not_found", "API key not found.")
}

/// 403 for one more of a thing than the plan allows.
pub(crate) fn limit_exceeded(max: u32) -> ApiError {
    ApiError::forbidden(
        "plan.limit_exceeded",
        "The plan of this workspace allows no more of these.",
    )
    .with_vars(json!({ "max": max }))
}

/// 403 for a creator that is not the caller's, whether it exists or not.
pub(crate) fn not_owner() -> ApiError {
    ApiError::forbidden("creator.not_owner", "This creator is not yours.")
}

/// 404 for a page that is not the creator's, on the routes that manage links, and for a page that
/// is not public.
pub(crate) fn page_not_found() -> ApiError {
    ApiError::not_found("creator.bio.not_found", "Bio page not found.")
}

/// 403 for a link on another creator's page.
pub(crate) fn not_link_owner() -> ApiError {
    ApiError::forbidden("creator.links.not_owner", "This link is not yours.")
}

/// 404 for a link that is not on any page.
pub(crate) fn link_not_found() -> ApiError {
    ApiError::not_found("creator.links.not_found", "Link not found.")
}

/// 400 for an order with a link that is not on the page, whether the link exists or not.
pub(crate) fn links_not_owned() -> ApiError {
    ApiError::bad_request(
        "creator.links.not_owned",
        "linkIds contains an id that is not a link of this page.",
    )
}

/// 403 for a page that other sites may not show.
pub(crate) fn embed_disabled() -> ApiError {
    ApiError::forbidden(
        "creator.bio.embed_disabled",
        "This page does not allow embedding.",
    )
}

/// 404 for a caller without a creator, on the routes that name none.
pub(crate) fn creator_not_found() -> ApiError {
    ApiError::not_found(
        "error.creator.not_found",
        "You have no creator yet; create one with POST /api/v1/creators.",
    )
}

/// 404 for a page that is not the caller's, on reports.
pub(crate) fn reported_page_not_found() -> ApiError {
    ApiError::not_found("error.creator.bio_not_found", "Bio page not found.")
}

/// 429 when too many reports of a tenant run or wait.
pub(crate) fn report_busy() -> ApiError {
    ApiError {
        code: "error.report.busy",
        message: "Too many of your reports are running; retry after the seconds in Retry-After."
            .into(),
        ..ApiError::rate_limited(2)
    }
}

/// 503 for a report that took longer than allowed.
pub(crate) fn report_timeout(inside: impl Display) -> ApiError {
    ApiError {
        code: "error.report.timeout",
        message: "The report took too long; request fewer days, or retry after the seconds in Retry-After.".into(),
        retry_after_seconds: Some(10),
        ..ApiError::unavailable(inside)
    }
}

/// 400 for a username that breaks the rules or is reserved.
pub(crate) fn invalid_username() -> ApiError {
    ApiError::bad_request(
        "creator.username.invalid",
        "A username must have 2 to 30 characters of a-z and 0-9, with single _, . or - between them, and must not be reserved.",
    )
}

/// 409 for a second creator of one user.
pub(crate) fn creator_exists() -> ApiError {
    ApiError::conflict("creator.already_exists", "You already have a creator.")
}

/// 409 for a username that another creator has.
pub(crate) fn username_taken() -> ApiError {
    ApiError::conflict("creator.username.taken", "This username is taken.")
}

/// 409 for a slug that another page of the creator has.
pub(crate) fn slug_taken() -> ApiError {
    ApiError::conflict(
        "creator.bio.slug_taken",
        "Another page of yours has this slug.",
    )
}

/// 400 for a page's text with a forbidden word.
pub(crate) fn page_flagged() -> ApiError {
    ApiError::bad_request(
        "creator.bio.content_flagged",
        "The text contains a forbidden word.",
    )
}

/// 400 for a link's title with a forbidden word.
pub(crate) fn link_flagged() -> ApiError {
    ApiError::bad_request(
        "creator.links.content_flagged",
        "The title contains a forbidden word.",
    )
}

/// The errors of a link's own members.
pub(crate) fn of_contents() -> [ApiError; 3] {
    [invalid_url(), invalid_schedule(), link_flagged()]
}

/// 400 for a url that is not allowed for links.
pub(crate) fn invalid_url() -> ApiError {
    ApiError::bad_request(
        "creator.links.invalid_url",
        "The url must be a full http or https address, for example https://example.com/page.",
    )
}

/// 400 for a url that would come back here.
pub(crate) fn looping_url() -> ApiError {
    ApiError {
        message: "The url must not lead to a short link of this service, which would be a loop."
            .into(),
        ..invalid_url()
    }
}

/// 400 for a schedule that ends before it starts.
pub(crate) fn invalid_schedule() -> ApiError {
    ApiError::bad_request(
        "creator.links.invalid_schedule",
        "scheduledEnd must be after scheduledStart.",
    )
}

/// 400 for a creator with the maximum of pages.
pub(crate) fn page_limit_reached(max: u32) -> ApiError {
    ApiError::bad_request(
        "creator.bio.limit_reached",
        "You have reached the limit of pages.",
    )
    .with_vars(json!({ "max": max }))
}

/// 400 for a page with the maximum of links.
pub(crate) fn limit_reached(max: u32) -> ApiError {
    ApiError::bad_request(
        "creator.links.limit_reached",
        "You have reached the limit of links on this page.",
    )
    .with_vars(json!({ "max": max }))
}

/// 404 for a link that is not the workspace's, or is deleted.
pub(crate) fn short_link_not_found() -> ApiError {
    ApiError::not_found("links.not_found", "Link not found.")
}

/// 409 for a code that another link has, or had in another workspace.
pub(crate) fn short_code_exists() -> ApiError {
    ApiError::conflict(
        "links.short_code_exists",
        "This short code is taken: choose another one.",
    )
}

/// 404 for a campaign that is not the workspace's, or is deleted.
pub(crate) fn campaign_not_found() -> ApiError {
    ApiError::not_found("campaigns.not_found", "Campaign not found.")
}

/// 404 for a folder that is not the workspace's.
pub(crate) fn folder_not_found() -> ApiError {
    ApiError::not_found("folders.not_found", "Folder not found.")
}

/// 400 for a folder that would be in itself.
pub(crate) fn folder_in_itself() -> ApiError {
    ApiError::bad_request("folders.in_itself", "A folder cannot be inside itself.")
}

/// 400 for a folder below too many others.
pub(crate) fn folder_too_deep() -> ApiError {
    ApiError::bad_request("folders.too_deep", "Folders have at most ten levels.")
}

/// 404 for a tag that is not the workspace's.
pub(crate) fn tag_not_found() -> ApiError {
    ApiError::not_found("tags.not_found", "Tag not found.")
}

/// 409 for a name that another tag has.
pub(crate) fn tag_exists() -> ApiError {
    ApiError::conflict("tags.exists", "Another tag has this name.")
}

/// 404 for a domain that is not the workspace's, or is not verified.
pub(crate) fn domain_not_verified() -> ApiError {
    ApiError::not_found("domains.not_found", "No verified domain has this id.")
}

/// 409 for a link that would take a code on a host that its workspace has lost.
pub(crate) fn host_lost() -> ApiError {
    ApiError::conflict(
        "links.host_lost",
        "The host of this link is not a verified domain of this workspace any more: verify it, or name another one in `domainId`.",
    )
}

/// The errors of a link's members that name other objects.
pub(crate) fn of_references() -> [ApiError; 3] {
    [
        campaign_not_found(),
        folder_not_found(),
        domain_not_verified(),
    ]
}

/// 400 for a link or campaign that is too large for one record of the log.
pub(crate) fn rules_too_large() -> ApiError {
    ApiError::bad_request(
        "rules.too_large",
        "The rules are too large together: use fewer of them, or shorter values.",
    )
}

/// 404 for a rule that is not the workspace's, or is deleted.
pub(crate) fn rule_not_found() -> ApiError {
    ApiError::not_found("rules.not_found", "Rule not found.")
}

/// 400 for a rule without a link and a campaign.
pub(crate) fn owner_missing() -> ApiError {
    ApiError::bad_request("rules.owner_missing", "Give linkId or campaignId.")
}

/// 404 for a QR code that is not the workspace's, or is deleted.
pub(crate) fn qr_not_found() -> ApiError {
    ApiError::not_found("qr.not_found", "QR code not found.")
}

/// 409 for a code that another QR code of the link has, or had.
pub(crate) fn qr_code_exists() -> ApiError {
    ApiError::conflict(
        "qr.code_exists",
        "Another QR code of this link has this code, or had it: prints of it may still exist.",
    )
}

/// 400 on the events API for links that name apps which the workspace does not have. `error` has a line
/// for each of them.
pub(crate) fn events_unknown_app(error: ApiError) -> ApiError {
    ApiError {
        code: EVENTS_UNKNOWN_APP,
        message: "deepLinks names an unknown mobileAppId; see details.".into(),
        ..error
    }
}

/// The code of [`events_unknown_app`].
pub(crate) const EVENTS_UNKNOWN_APP: &str = "events.unknown_app";

/// 400 for a cursor or snapshot whose events are gone, for instance because the log was replaced.
pub(crate) fn events_position_lost() -> ApiError {
    ApiError::bad_request(
        "events.invalid",
        "The position is unknown: start again without cursor, snapshot and afterEventId.",
    )
}

/// 401 for a request to the events API without a key.
pub(crate) fn key_missing() -> ApiError {
    ApiError {
        code: "auth.api_key_missing",
        message: "Send API key in the request".into(),
        ..ApiError::unauthorized()
    }
}

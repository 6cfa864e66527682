//! Addresses of a link in apps of its workspace: whether the apps exist, and may have them.

use crate::{
    behavior::AppLink,
    refusals,
    store::{self, Tx},
};
use runtime::http::{ApiError, validate::parse_uuid};
use schemas::directory::Platform;
use uuid::Uuid;

/// Notes the platforms of the apps that addresses name: 400 with each id that names no app of the
/// workspace, and with each address that its app cannot have.
pub(super) async fn find_apps(
    tx: &mut Tx<'_>,
    links: &mut [AppLink],
    workspace: Uuid,
) -> Result<(), ApiError> {
    let ids = links.iter().filter_map(|link| parse_uuid(&link.app_id));
    let ids: Vec<Uuid> = ids.collect();
    let known = store::mobile_apps::platforms(&mut **tx, &ids, workspace).await?;
    let mut problems = Vec::new();
    for (index, link) in links.iter_mut().enumerate() {
        let id = parse_uuid(&link.app_id);
        let app = known.iter().find(|(known, _)| Some(*known) == id);
        link.platform = app.map(|(_, platform)| *platform);
        if app.is_none() {
            problems.push(format!(
                "deepLinks[{index}].mobileAppId names no app of this workspace"
            ));
        }
    }
    if !problems.is_empty() {
        let error = ApiError::validation(problems);
        return Err(refusals::events_unknown_app(error));
    }
    let problems: Vec<String> = (0..)
        .zip(&*links)
        .filter_map(|(index, link)| {
            let problem = app_problem(link)?;
            Some(format!("deepLinks[{index}].deeplinkUrl {problem}"))
        })
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(ApiError::validation(problems))
}

/// Why the app of an address cannot have it.
fn app_problem(link: &AppLink) -> Option<&'static str> {
    let is_web_app = link.platform == Some(Platform::Web);
    let begins = |scheme: &str| {
        let start = link.url.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    match link.url.is_empty() {
        true if is_web_app => None,
        true => Some("is required: only a web app has an address of its own"),
        false if is_web_app && !begins("http://") && !begins("https://") => {
            Some("must begin with https:// or http://: its app is a web app")
        }
        false => None,
    }
}

//! What a request narrows a report of links to: a campaign, a link, folders or tags.
//!
//! The one rule: what a request names must be the workspace's, else it is not found.

use crate::{
    app::App,
    catalog::{Param, Report, Scope},
    extract::Query,
    query::Asked,
    refusals,
    store::{
        self,
        campaigns::Campaign,
        links_of::{self, Group},
        short_links::ShortLink,
    },
    surfaces::filters::MAX_VALUES,
};
use runtime::http::{ApiError, validate::parse_uuid};
use uuid::Uuid;

/// Most links of the folders or tags in a request. Their ids go into the statement.
pub(super) const MOST_LINKS: usize = 10_000;

/// The different ids of a parameter that takes several, separated by commas or repeated.
pub(super) fn ids(
    report: &Report,
    param: Param,
    query: &Query,
    problems: &mut Vec<String>,
) -> Vec<Uuid> {
    let name = report.param_name(param);
    if !report.params.contains(&param) {
        return Vec::new();
    }
    let given = query.pairs().filter(|(given, _)| given == name);
    let mut ids = Vec::new();
    for (_, text) in given {
        for part in text.split(',') {
            match parse_uuid(part) {
                Some(id) if ids.contains(&id) => {}
                Some(id) if ids.len() < MAX_VALUES => ids.push(id),
                _ => {
                    problems.push(format!(
                        "{name} must be at most {MAX_VALUES} UUIDs, separated by commas"
                    ));
                    return ids;
                }
            }
        }
    }
    ids
}

/// The scopes that every row must be in.
pub(super) async fn read(
    app: &App,
    asked: &Asked,
    workspace_id: Uuid,
) -> Result<Vec<(Scope, Vec<Uuid>)>, ApiError> {
    let mut within = Vec::new();
    if let Some(id) = asked.campaign_id {
        let found = store::find::<Campaign>(app.main.pool()?, id, workspace_id).await?;
        found.ok_or_else(refusals::campaign_not_found)?;
        within.push((Scope::Campaign, vec![id]));
    }
    if let Some(id) = asked.link_id {
        link(app, id, workspace_id).await?;
        within.push((Scope::Link, vec![id]));
    }
    for (group, ids) in [(Group::Folder, &asked.folders), (Group::Tag, &asked.tags)] {
        if ids.is_empty() {
            continue;
        }
        // One link beyond the limit is enough to refuse the request.
        let most = i64::try_from(MOST_LINKS + 1).unwrap_or(i64::MAX);
        let links = links_of::find(app.main.pool()?, workspace_id, group, ids, most).await?;
        let links = links.ok_or_else(|| match group {
            Group::Folder => refusals::folder_not_found(),
            Group::Tag => refusals::tag_not_found(),
        })?;
        if links.len() > MOST_LINKS {
            return Err(ApiError::validation(vec![format!(
                "these folders or tags have more than {MOST_LINKS} links; choose fewer"
            )]));
        }
        within.push((Scope::Link, links));
    }
    Ok(within)
}

/// A link of the workspace that is not deleted, or 404.
pub(super) async fn link(app: &App, id: Uuid, workspace_id: Uuid) -> Result<ShortLink, ApiError> {
    let found = store::short_links::find(app.main.pool()?, id, workspace_id).await?;
    let found = found.filter(|link| link.deleted_at.is_none());
    found.ok_or_else(refusals::short_link_not_found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::REPORTS;

    fn read(query: &str) -> Result<Vec<u128>, usize> {
        let report = REPORTS
            .iter()
            .find(|report| report.id == "analytics.workspace.overview")
            .unwrap();
        let mut problems = Vec::new();
        let ids = ids(report, Param::Folder, &Query::from(query), &mut problems);
        if problems.is_empty() {
            Ok(ids.iter().map(Uuid::as_u128).collect())
        } else {
            Err(problems.len())
        }
    }

    #[test]
    fn ids_are_separated_by_commas_or_repeated() {
        let [one, two] = [1, 2].map(Uuid::from_u128);
        assert_eq!(read("days=3"), Ok(vec![]));
        assert_eq!(read(&format!("folderId={one},{two}")), Ok(vec![1, 2]));
        let repeated = format!("folderId={one}&folderId={two},{one}");
        assert_eq!(read(&repeated), Ok(vec![1, 2]));
        for text in ["", "x", "-", &format!("{one},"), &format!("-{one}")] {
            assert_eq!(read(&format!("folderId={text}")), Err(1), "{text}");
        }
        let many: Vec<String> = (0..=MAX_VALUES)
            .map(|number| Uuid::from_u128(number as u128).to_string())
            .collect();
        assert!(read(&format!("folderId={}", many[1..].join(","))).is_ok());
        assert_eq!(read(&format!("folderId={}", many.join(","))), Err(1));
    }
}

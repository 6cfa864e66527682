//! Names of the things in a ranking, and how many things there are.
//!
//! They are in the main database, so they are joined here and not in SQL. An id that is not found
//! here is not the caller's, and gets no row of its own.

use super::asked::Grant;
use crate::{
    app::Database,
    catalog::{Count, Entity, Scope, Shape, Thing},
    store::{self, listed::Listed},
};
use jiff::Timestamp;
use runtime::http::ApiError;
use std::collections::HashMap;
use uuid::Uuid;

/// Most things of a creator that are looked up. A ranking has at most this many rows, and one for
/// all other ids.
const MAX_KNOWN: i64 = 10_000;

/// Everything that the caller has or had, with title and url of links that are on a page now.
pub(super) type Names = HashMap<Uuid, Option<(String, String)>>;

/// The names that an answer may need.
pub(super) async fn find(main: &Database, shape: &Shape, grant: &Grant) -> Result<Names, ApiError> {
    let Shape::Ranking(ranking) = shape else {
        return Ok(Names::new());
    };
    match ranking.entity {
        Entity::Link => {
            let names = store::links::list_names(main.pool()?, grant.owner_id, MAX_KNOWN);
            Ok(names.await?)
        }
    }
}

/// The names of things in the lists of a board.
pub(super) type Titles = HashMap<Uuid, Listed>;

/// The names of these things, each at most once. A thing of another workspace has none.
pub(super) async fn list(
    main: &Database,
    wanted: Vec<(Thing, Vec<Uuid>)>,
    grant: &Grant,
) -> Result<Titles, ApiError> {
    let mut titles = Titles::new();
    for (thing, ids) in wanted {
        if ids.is_empty() {
            continue;
        }
        let found = match thing {
            Thing::Link => store::listed::links(main.pool()?, grant.owner_id, &ids).await?,
            Thing::Campaign => store::listed::campaigns(main.pool()?, grant.owner_id, &ids).await?,
            Thing::Rule => store::listed::rules(main.pool()?, grant.owner_id, &ids).await?,
        };
        titles.extend(found);
    }
    Ok(titles)
}

/// How many of these things the workspace has now, in the scopes of the request.
pub(super) async fn count(
    main: &Database,
    wanted: Vec<Count>,
    grant: &Grant,
    now: Timestamp,
) -> Result<Vec<(Count, i64)>, ApiError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let scopes = || grant.within.iter();
    let campaigns = scopes().find(|(scope, _)| *scope == Scope::Campaign);
    let mut links: Option<Vec<Uuid>> = None;
    for (_, ids) in scopes().filter(|(scope, _)| *scope == Scope::Link) {
        let before = links.take();
        let both = |id: &&Uuid| before.as_ref().is_none_or(|known| known.contains(id));
        links = Some(ids.iter().filter(both).copied().collect());
    }
    let within = store::inventory::Within {
        workspace_id: grant.owner_id,
        campaign_id: campaigns.and_then(|(_, ids)| ids.first().copied()),
        links,
    };
    let found = store::inventory::count(main.pool()?, &within, now).await?;
    let number = |count| match count {
        Count::Links => found.links,
        Count::ActiveLinks => found.active_links,
        Count::Campaigns => found.campaigns,
    };
    Ok(wanted
        .into_iter()
        .map(|count| (count, number(count)))
        .collect())
}

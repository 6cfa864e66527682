//! Names of the things in a ranking.
//!
//! They are in the main database, so they are joined here and not in SQL. An id that is not found
//! here is not the caller's, and gets no row of its own.

use super::asked::Grant;
use crate::{
    app::Database,
    catalog::{Entity, Shape, Thing},
    store::{self, listed::Listed},
};
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
        };
        titles.extend(found);
    }
    Ok(titles)
}

//! Names of what a ranking lists. They stand in the main database, so they are joined here and not
//! in SQL; one that is not the caller's keeps its row and stays nameless (contract, decision 17).

use super::{asked::Grant, source::Answer};
use crate::{
    app::Database,
    catalog::{Entity, Shape},
    store,
};
use runtime::http::ApiError;
use std::collections::HashMap;
use uuid::Uuid;

/// Title and url by link.
pub(super) type Names = HashMap<Uuid, (String, String)>;

/// The names that an answer needs; asks nothing when it lists nothing.
pub(super) async fn find(
    main: &Database,
    shape: &Shape,
    grant: &Grant,
    answer: &Answer,
) -> Result<Names, ApiError> {
    let Shape::Ranking(ranking) = shape else {
        return Ok(Names::new());
    };
    let ids: Vec<Uuid> = answer
        .rows
        .iter()
        .filter_map(|row| row.label.parse().ok())
        .collect();
    if ids.is_empty() {
        return Ok(Names::new());
    }
    match ranking.entity {
        Entity::Link => {
            let names = store::links::list_names(main.pool()?, &ids, grant.creator_id);
            Ok(names.await?)
        }
    }
}

//! The codes of links whose clicks do not carry them: those of bio pages.
//!
//! A click on a short link has recorded the code that was opened. A click on a page's link used no
//! code, so the link's present one is shown.

use super::{event::link_and_code, statements};
use sqlx::{PgPool, postgres::PgRow};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// An export with more codes than this forgets them: about 10 MB.
const MOST: usize = 100_000;

/// Codes by link.
#[derive(Debug, Default)]
pub(crate) struct Codes(HashMap<Uuid, String>);

impl Codes {
    /// Looks up the codes that these rows need and do not have.
    pub(crate) async fn learn(&mut self, main: &PgPool, rows: &[PgRow]) -> sqlx::Result<()> {
        if self.0.len() > MOST {
            self.0.clear();
        }
        let mut missing = HashSet::new();
        for row in rows {
            let (link, code) = link_and_code(row)?;
            if code.is_none() && !self.0.contains_key(&link) {
                missing.insert(link);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let links: Vec<Uuid> = missing.into_iter().collect();
        let found: Vec<(Uuid, String)> = sqlx::query_as(statements::CODES)
            .bind(&links)
            .fetch_all(main)
            .await?;
        self.0.extend(found);
        Ok(())
    }

    /// The code of a link; empty for a link that does not exist.
    pub(super) fn of(&self, link: Uuid) -> &str {
        self.0.get(&link).map_or("", String::as_str)
    }
}

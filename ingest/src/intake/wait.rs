//! The fourth stage: waits until the directory knows the pages and workspaces that beacons prove.

use super::passage::{Fate, Passage};
use crate::{accept::Missing, directory::Directory};
use std::time::Duration;

/// How long a beacon waits for the directory to learn what it proves.
pub const DIRECTORY_WAIT: Duration = Duration::from_secs(2);

/// Waits until the directory knows all that is unknown, or [`DIRECTORY_WAIT`] is over; false when there
/// is nothing to wait for. Whether it came in time, the next judgement shows.
pub(super) async fn until_known(directory: &Directory, passages: &[Passage<'_>]) -> bool {
    let missing: Vec<Missing> = passages
        .iter()
        .filter_map(|passage| match passage.fate {
            Fate::Unknown(missing) => Some(missing),
            _ => None,
        })
        .collect();
    if missing.is_empty() {
        return false;
    }
    let known = |directory: &Directory| {
        let all = missing.iter().all(|missing| match *missing {
            Missing::Page(page) => directory.page(page).is_some(),
            Missing::Workspace(workspace) => directory.workspace(workspace).is_some(),
        });
        all.then_some(())
    };
    let _ = directory.wait_for(DIRECTORY_WAIT, known).await;
    true
}

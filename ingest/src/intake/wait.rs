//! The fourth stage: waits until the directory has the pages and workspaces that beacons prove.

use super::passage::{Fate, Passage};
use crate::{accept::Missing, directory::Directory};
use std::time::Duration;

/// How long a beacon waits for its page or workspace to appear in the directory.
pub const DIRECTORY_WAIT: Duration = Duration::from_secs(2);

/// Waits until the directory has every missing page and workspace, for at most [`DIRECTORY_WAIT`].
/// False when nothing is missing. The next judgement shows whether they arrived in time.
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

//! Opens the operator's list of networks of machines with the settings, and again whenever its file
//! changes.
//!
//! The one rule: an instance starts only with a usable list, and never replaces it with an unusable
//! one.

use crate::{enrich::Networks, intake::Intake};
use runtime::{
    Settings,
    settings::Setting,
    watched_file::{self, Follower, WatchedFile},
};
use std::sync::Arc;

/// The path of the list.
pub(crate) const NETWORKS: Setting = Setting::new(
    "BOT_NETWORKS",
    "none",
    "file of networks whose visits and clicks do not count (CIDR or address, one per line), reloaded when it changes",
);
/// The file's name in the metric of watched files.
const LABEL: &str = "networks";

/// A list and the file it came from.
#[derive(Clone, Debug)]
pub struct NetworkFile {
    networks: Networks,
    file: WatchedFile,
}

impl NetworkFile {
    /// Opens the file that `BOT_NETWORKS` names. `None` when the setting is absent, or when the file
    /// is unusable, which is then recorded as a problem.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        watched_file::announce(LABEL);
        settings.parse_with(NETWORKS, |path| {
            let file = WatchedFile::new(path);
            let networks = Networks::open(file.path()).map_err(|error| {
                format!("{error}; give a file with a network or an address on each line")
            })?;
            Ok::<_, String>(Self { networks, file })
        })
    }

    /// The list as it was opened.
    #[must_use]
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// Reloads the list into the instance each time the file changes.
    pub(crate) fn follow(self, intake: Arc<Intake>) -> Follower {
        Follower::new(self.file, "list of networks", LABEL, move |path| {
            let networks = Networks::open(path).map_err(|error| error.to_string())?;
            intake.use_networks(&networks);
            Ok(networks.version().to_owned())
        })
    }
}

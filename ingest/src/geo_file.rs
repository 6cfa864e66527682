//! Opens the operator's GeoIP database with the settings, and again whenever its file changes.
//!
//! The one rule: an instance starts only with a usable database, and never replaces it with an
//! unusable one.

use crate::{enrich::GeoDatabase, intake::Intake};
use runtime::{
    Settings,
    settings::Setting,
    watched_file::{self, Follower, WatchedFile},
};
use std::sync::Arc;

/// The path of the database file.
pub(crate) const DATABASE: Setting = Setting::new(
    "GEOIP_DATABASE",
    "bundled countries",
    "MMDB file (GeoLite2, GeoIP2 or DB-IP; City or Country), reloaded when it changes",
);
/// The file's name in the metric of watched files.
const GEOIP: &str = "geoip";

/// A database and the file it came from.
#[derive(Clone, Debug)]
pub struct GeoFile {
    database: GeoDatabase,
    file: WatchedFile,
}

impl GeoFile {
    /// Opens the file that `GEOIP_DATABASE` names. `None` when the setting is absent, or when the
    /// file is unusable, which is then recorded as a problem.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        watched_file::announce(GEOIP);
        settings.parse_with(DATABASE, |path| {
            let file = WatchedFile::new(path);
            let database = GeoDatabase::open(file.path()).map_err(|error| {
                format!("{error}; use a Country or City MMDB file of GeoLite2, GeoIP2 or DB-IP")
            })?;
            Ok::<_, String>(Self { database, file })
        })
    }

    /// The database as it was opened.
    #[must_use]
    pub fn database(&self) -> &GeoDatabase {
        &self.database
    }

    /// Reloads the database into the instance each time the file changes.
    pub(crate) fn follow(self, intake: Arc<Intake>) -> Follower {
        Follower::new(self.file, "GeoIP database", GEOIP, move |path| {
            let database = GeoDatabase::open(path).map_err(|error| error.to_string())?;
            let version = database.version().to_owned();
            intake.use_geo(&database);
            Ok(version)
        })
    }
}

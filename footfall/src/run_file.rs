//! `run.json`: how scripts find the running program. Written when everything is ready, removed at a
//! clean stop.

use crate::data_dir::DataDir;
use runtime::private;
use serde::{Deserialize, Serialize};
use std::{fmt, fs};

/// What the file says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFile {
    /// Process id.
    pub pid: u32,
    /// Address of the listener, `host:port`.
    pub listen: String,
    /// Bootstrap servers of the log.
    pub kafka: String,
    /// Main database, with the password of a role that reads.
    pub database_url: String,
    /// Analytics database, with the same.
    pub analytics_database_url: String,
    /// Version of the program.
    pub version: String,
    /// Path of a file with what a Kafka client needs to reach the log, its password included.
    pub kafka_config: String,
    /// When it was ready, RFC 3339.
    pub started_at: String,
}

/// Without the passwords.
impl fmt::Debug for RunFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunFile")
            .field("pid", &self.pid)
            .field("listen", &self.listen)
            .field("kafka", &self.kafka)
            .finish_non_exhaustive()
    }
}

impl RunFile {
    /// Writes the file, mode 600.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, data_dir: &DataDir) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        private::write_file(&data_dir.run_file(), &format!("{text}\n"))
    }

    /// The file of a program that has the directory right now; a file that a crash left is not read.
    #[must_use]
    pub fn read_running(data_dir: &DataDir) -> Option<Self> {
        if data_dir.lock().is_ok() {
            return None;
        }
        serde_json::from_str(&fs::read_to_string(data_dir.run_file()).ok()?).ok()
    }

    /// Removes the file, if there is one.
    pub fn remove(data_dir: &DataDir) {
        let _ = fs::remove_file(data_dir.run_file());
    }
}

//! `run.json`: how scripts find the running program. Written when everything is ready, removed at a
//! clean stop.

use crate::data_dir::DataDir;
use runtime::private;
use serde::{Deserialize, Serialize};
use std::{fmt, fs};

/// Contents of the file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFile {
    /// Process id.
    pub pid: u32,
    /// Address of the listener, `host:port`.
    pub listen: String,
    /// Bootstrap servers of the log.
    pub kafka: String,
    /// Main database, password included. On the embedded server its role only reads.
    pub database_url: String,
    /// Analytics database, likewise.
    pub analytics_database_url: String,
    /// Version of the program.
    pub version: String,
    /// Path of `kafka.properties`, with which a Kafka client reaches the log. It holds the password
    /// of the embedded log, but not that of a configured cluster.
    pub kafka_config: String,
    /// When the program was ready, RFC 3339.
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

    /// Reads the file of a program that is running now. Ignores a file that a crash left behind.
    #[must_use]
    pub fn read_running(data_dir: &DataDir) -> Option<Self> {
        // A free lock means that no program is running.
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

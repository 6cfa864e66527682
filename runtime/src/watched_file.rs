//! Files that are reloaded when they change: the GeoIP database, the list of networks, the keys of
//! tokens.
//!
//! Notices the change; the reader interprets the content. The one rule: unusable content leaves the
//! previous content in use, with one warning.

use crate::{
    metrics::{Metric, combinations, zero},
    settings::Part,
};
use std::{
    fmt, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tracing::{info, warn};

/// How often a file is checked. A check is one system call.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Results of a change, the values of `result`.
const RESULTS: [&str; 2] = ["used", "refused"];

/// The metric of reloaded files.
pub const PART: Part = Part {
    settings: &[],
    metrics: &[Metric::counter(
        RELOADED,
        &["file", "result"],
        "Files that changed (geoip, networks, jwks): used, or refused while the previous one stays in use.",
    )],
};
const RELOADED: &str = "files_reloaded_total";

/// Creates the counters of a file's changes, even if no setting names the file. `label` is the
/// value of `file`.
pub fn announce(label: &'static str) {
    zero(
        RELOADED,
        combinations(&[("file", &[label]), ("result", &RESULTS)]),
    );
}

/// A file, and its state when it was last read.
#[derive(Clone, Debug)]
pub struct WatchedFile {
    path: PathBuf,
    read: State,
    seen: State,
}

/// Identifies a state of a file; `None` when it does not exist. The change time is the kernel's own
/// and cannot be set, so copies that keep their modification time are noticed too.
type State = Option<(u64, u64, u64, i64, i64)>;

impl WatchedFile {
    /// A file in its current state. Every later change is noticed, so call this before reading the
    /// file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let now = state(&path);
        Self {
            path,
            read: now,
            seen: now,
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True once after each change, when the file is the same in two calls: a file that is being
    /// copied is usually left alone until it is complete.
    fn has_settled(&mut self) -> bool {
        let now = state(&self.path);
        let stood_still = now == self.seen;
        self.seen = now;
        let changed = now != self.read;
        // Recorded only when it is reported, so that each change is reported once.
        if stood_still && changed {
            self.read = now;
        }
        stood_still && changed
    }
}

fn state(path: &Path) -> State {
    let file = fs::metadata(path).ok()?;
    Some((
        file.dev(),
        file.ino(),
        file.len(),
        file.ctime(),
        file.ctime_nsec(),
    ))
}

/// Reloads a file whenever it changes.
pub struct Follower {
    file: WatchedFile,
    what: &'static str,
    label: &'static str,
    reload: Arc<Reload>,
}

/// Loads the file. Returns the name of the new content, or what is wrong with it.
type Reload = dyn Fn(&Path) -> Result<String, String> + Send + Sync;

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The file is unchanged, or still changing.
    Same,
    /// It changed and is in use; the name of its content.
    Used(String),
    /// It changed and cannot be used; the reason.
    Refused(String),
}

impl Follower {
    /// Does nothing before [`Self::look`] or [`Self::run`]. `what` names the content in log lines,
    /// `label` in the metric. `reload` may block.
    pub fn new(
        file: WatchedFile,
        what: &'static str,
        label: &'static str,
        reload: impl Fn(&Path) -> Result<String, String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            file,
            what,
            label,
            reload: Arc::new(reload),
        }
    }

    /// Checks once, and reads the file if it has changed.
    pub async fn look(&mut self) -> Look {
        if !self.file.has_settled() {
            return Look::Same;
        }
        let (reload, path) = (Arc::clone(&self.reload), self.file.path.clone());
        // Reading and checking a file may take long, and must not delay requests.
        let read = tokio::task::spawn_blocking(move || reload(&path)).await;
        let look = match read.unwrap_or_else(|crash| Err(format!("reading it crashed: {crash}"))) {
            Ok(name) => {
                info!("the {} changed, {name} is in use now", self.what);
                Look::Used(name)
            }
            Err(why) => {
                warn!(
                    "the {} changed but cannot be used; the previous one stays in use: {why}",
                    self.what
                );
                Look::Refused(why)
            }
        };
        let [used, refused] = RESULTS;
        let result = match look {
            Look::Refused(_) => refused,
            _ => used,
        };
        metrics::counter!(RELOADED, "file" => self.label, "result" => result).increment(1);
        look
    }

    /// Checks every second, for ever.
    pub async fn run(mut self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.look().await;
        }
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs::File, io::Write, sync::Mutex, time::SystemTime};
    use tempfile::tempdir;

    /// A follower of a file of numbers, and the number in use.
    fn follow(path: &Path) -> (Follower, Arc<Mutex<u32>>) {
        let used = Arc::new(Mutex::new(0));
        let target = Arc::clone(&used);
        let reload = move |path: &Path| {
            let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
            let number = text.parse().map_err(|_| format!("{text} is no number"))?;
            *target.lock().unwrap() = number;
            Ok(text)
        };
        let follower = Follower::new(WatchedFile::new(path), "number", "number", reload);
        (follower, used)
    }

    /// The result of the check after the one that notices the change.
    async fn settled(follower: &mut Follower) -> Look {
        assert_eq!(follower.look().await, Look::Same, "still changing");
        let look = follower.look().await;
        assert_eq!(follower.look().await, Look::Same, "once only");
        look
    }

    #[tokio::test]
    async fn a_file_is_read_again_when_it_is_written_renamed_over_or_comes_back() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("number");
        fs::write(&path, "1").unwrap();
        let (mut follower, used) = follow(&path);
        assert_eq!(follower.look().await, Look::Same);

        fs::write(&path, "22").unwrap();
        assert_eq!(settled(&mut follower).await, Look::Used("22".to_owned()));

        let beside = folder.path().join("number.new");
        fs::write(&beside, "33").unwrap();
        fs::rename(&beside, &path).unwrap();
        assert_eq!(settled(&mut follower).await, Look::Used("33".to_owned()));
        assert_eq!(*used.lock().unwrap(), 33);

        fs::remove_file(&path).unwrap();
        assert!(matches!(settled(&mut follower).await, Look::Refused(_)));
        fs::write(&path, "44").unwrap();
        assert_eq!(settled(&mut follower).await, Look::Used("44".to_owned()));
    }

    #[tokio::test]
    async fn a_copy_of_the_same_size_that_keeps_its_time_is_noticed() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("number");
        fs::write(&path, "11").unwrap();
        let then = SystemTime::UNIX_EPOCH;
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(then)
            .unwrap();
        let (mut follower, _used) = follow(&path);
        let beside = folder.path().join("number.new");
        let mut copy = File::create(&beside).unwrap();
        copy.write_all(b"22").unwrap();
        copy.set_modified(then).unwrap();
        drop(copy);
        fs::rename(&beside, &path).unwrap();
        assert_eq!(settled(&mut follower).await, Look::Used("22".to_owned()));
    }

    #[tokio::test]
    async fn unusable_content_leaves_the_previous_content_in_use() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("number");
        fs::write(&path, "1").unwrap();
        let (mut follower, used) = follow(&path);
        *used.lock().unwrap() = 1;
        let mut file = File::create(&path).unwrap();
        file.write_all(b"2-").unwrap();
        // Still being written: every check finds it changed.
        assert_eq!(follower.look().await, Look::Same);
        file.write_all(b"-").unwrap();
        assert_eq!(follower.look().await, Look::Same);
        file.write_all(b"-").unwrap();
        assert_eq!(
            settled(&mut follower).await,
            Look::Refused("2--- is no number".to_owned())
        );
        assert_eq!(*used.lock().unwrap(), 1);
        fs::write(&path, "2").unwrap();
        assert_eq!(settled(&mut follower).await, Look::Used("2".to_owned()));
    }
}

//! Reads the file changes of a process from a strace recording, in the order of their effects.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::installed::is_installed;

/// The system calls to record. Calls that the reader does not model are recorded to detect their use.
pub const CALLS: &str = "trace=openat,open,creat,mkdir,mkdirat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,\
    fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,link,linkat,copy_file_range,sync_file_range";

/// The reason if system calls cannot be traced on this machine.
pub fn impossible() -> Option<String> {
    if !is_installed("strace") {
        return Some("strace is not installed (Debian, Ubuntu: strace)".to_owned());
    }
    let mut tracing = Command::new("strace");
    tracing
        .args(["-f", "-o", "/dev/null", "true"])
        .stderr(Stdio::null());
    let traced = tracing.status().is_ok_and(|status| status.success());
    (!traced).then(|| "strace has no permission to trace".to_owned())
}

/// A change of a file or folder.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The file exists from now on. It may have earlier bytes.
    Opened(PathBuf),
    /// Bytes were written at an offset.
    Written(PathBuf, u64, Vec<u8>),
    /// The file has this length.
    Truncated(PathBuf, u64),
    /// All changes of the file or folder before this step number are on the disk.
    Synced(PathBuf, usize),
    /// The file was renamed.
    Renamed(PathBuf, PathBuf),
    /// The file was removed.
    Removed(PathBuf),
}

/// A change, and the time when the recorder saw it.
#[derive(Clone, Debug)]
pub struct Step {
    /// Microseconds since 1970.
    pub time_us: u64,
    /// The change.
    pub change: Change,
}

/// Reads a recording made with `strace -f -ttt -y -xx -o FILE`. Ignores paths outside `folder`.
///
/// # Errors
/// The first line that it cannot parse.
pub fn read(recording: &str, folder: &Path) -> Result<Vec<Step>, String> {
    let mut reader = Reader {
        folder,
        steps: Vec::new(),
        waiting: HashMap::new(),
    };
    for line in recording.lines() {
        reader.read(line).ok_or_else(|| {
            let shown: String = line.chars().take(300).collect();
            format!("cannot read: {shown}")
        })?;
    }
    Ok(reader.steps)
}

struct Reader<'a> {
    folder: &'a Path,
    steps: Vec<Step>,
    /// Unfinished calls, by thread.
    waiting: HashMap<u32, Waiting>,
}

struct Waiting {
    name: String,
    arguments: String,
    begun_at: usize,
}

impl Reader<'_> {
    fn read(&mut self, line: &str) -> Option<()> {
        let (thread, rest) = line.trim_start().split_once(' ')?;
        let thread: u32 = thread.parse().ok()?;
        let (time, rest) = rest.trim_start().split_once(' ')?;
        let time_us: u64 = time.replace('.', "").parse().ok()?;
        // Signals and thread exits.
        if rest.starts_with("+++") || rest.starts_with("---") {
            return Some(());
        }
        // The recorder lets a thread go whose call it never saw begin. It stops all calls that it records
        // at their beginning, so this is none of them.
        if rest == "???( <detached ...>" {
            return Some(());
        }
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let (_, tail) = resumed.split_once(" resumed>")?;
            let waiting = self.waiting.remove(&thread)?;
            let (more, result) = split_result(tail)?;
            // An unfinished write was already applied at its beginning, when another thread's fsync may have seen it.
            if !is_write(&waiting.name) {
                let arguments = waiting.arguments + more;
                return self.end(time_us, &waiting.name, &arguments, result, waiting.begun_at);
            }
            return succeeded(result).then_some(());
        }
        let (name, rest) = rest.split_once('(')?;
        if let Some(arguments) = rest.strip_suffix("<unfinished ...>") {
            let begun_at = self.steps.len();
            if is_write(name) {
                self.end(time_us, name, arguments.trim_end(), "0", begun_at)?;
            }
            let waiting = Waiting {
                name: name.to_owned(),
                arguments: arguments.trim_end().to_owned(),
                begun_at,
            };
            self.waiting.insert(thread, waiting);
            return Some(());
        }
        let (arguments, result) = split_result(rest)?;
        self.end(time_us, name, arguments, result, self.steps.len())
    }

    fn end(
        &mut self,
        time_us: u64,
        name: &str,
        arguments: &str,
        result: &str,
        begun_at: usize,
    ) -> Option<()> {
        if !succeeded(result) {
            return Some(());
        }
        let arguments: Vec<&str> = arguments.split(", ").collect();
        let own = |path: Option<PathBuf>| path.filter(|path| path.starts_with(self.folder));
        let change = match name {
            "openat" => {
                let flags = arguments.get(2)?;
                own(path_of(result))
                    .filter(|_| flags.contains("O_CREAT"))
                    .map(Change::Opened)
            }
            "pwrite64" => {
                let bytes = bytes_of(arguments.get(1)?)?;
                let at = arguments.get(3)?.parse().ok()?;
                own(path_of(arguments.first()?)).map(|path| Change::Written(path, at, bytes))
            }
            "ftruncate" => {
                let length = arguments.get(1)?.parse().ok()?;
                own(path_of(arguments.first()?)).map(|path| Change::Truncated(path, length))
            }
            "fsync" | "fdatasync" => {
                own(path_of(arguments.first()?)).map(|path| Change::Synced(path, begun_at))
            }
            "rename" => {
                let to = text_of(arguments.get(1)?)?;
                own(text_of(arguments.first()?)).map(|from| Change::Renamed(from, to))
            }
            "unlink" => own(text_of(arguments.first()?)).map(Change::Removed),
            // Folders are created before anything is acknowledged.
            "mkdir" | "mkdirat" => None,
            // All other calls are allowed on sockets and pipes, but not on these files.
            _ => {
                let mut touched = arguments
                    .iter()
                    .filter_map(|word| path_of(word).or_else(|| text_of(word)));
                if touched.any(|path| path.starts_with(self.folder)) {
                    return None;
                }
                None
            }
        };
        self.steps
            .extend(change.map(|change| Step { time_us, change }));
        Some(())
    }
}

fn is_write(name: &str) -> bool {
    matches!(name, "pwrite64" | "write")
}

/// Splits `arguments) = result`.
fn split_result(rest: &str) -> Option<(&str, &str)> {
    let (arguments, result) = rest.rsplit_once(" = ")?;
    Some((arguments.trim_end().strip_suffix(')')?, result))
}

fn succeeded(result: &str) -> bool {
    !result.starts_with('-') && !result.starts_with('?')
}

/// The path in `5</a/b>`.
fn path_of(word: &str) -> Option<PathBuf> {
    let (_, rest) = word.split_once('<')?;
    let (path, _) = rest.rsplit_once('>')?;
    decode(path)
}

/// The path in `"/a/b"`.
fn text_of(word: &str) -> Option<PathBuf> {
    decode(word.strip_prefix('"')?.strip_suffix('"')?)
}

/// Decodes a path, which strace prints plain or, with `-xx`, in hexadecimal.
fn decode(path: &str) -> Option<PathBuf> {
    if path.starts_with("\\x") {
        let text = String::from_utf8(unescape(path)?).ok()?;
        return Some(text.into());
    }
    Some(path.into())
}

/// The bytes in `"\x01\x02"`. Refuses a string that strace truncated, which ends with dots.
fn bytes_of(word: &str) -> Option<Vec<u8>> {
    unescape(word.strip_prefix('"')?.strip_suffix('"')?)
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (bytes, rest) = text.as_bytes().as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let read = bytes.iter().map(|[backslash, x, high, low]| {
        let escaped = (*backslash, *x) == (b'\\', b'x');
        escaped.then_some(digit(*high)? << 4 | digit(*low)?)
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(recording: &str) -> Vec<Change> {
        let steps = read(recording, Path::new("/log")).unwrap();
        steps.into_iter().map(|step| step.change).collect()
    }

    #[test]
    fn calls_become_changes_in_the_order_of_their_effects() {
        let recording = "\
7 1700000000.000001 openat(AT_FDCWD</tmp>, \"\\x2f\\x6c\\x6f\\x67\\x2f\\x61\", O_RDWR|O_CREAT, 0600) = 5</log/a>
7 1700000000.000002 openat(AT_FDCWD</tmp>, \"\\x2f\\x6c\\x6f\\x67\\x2f\\x62\", O_RDONLY) = -1 ENOENT (No such file)
7 1700000000.000003 pwrite64(5</log/a>, \"\\x01\\xff\", 2, 4096) = 2
7 1700000000.000004 fdatasync(5</log/a> <unfinished ...>
8 1700000000.000005 pwrite64(5</log/a>, \"\\x02\", 1, 0 <unfinished ...>
8 1700000000.000006 <... pwrite64 resumed>) = 1
7 1700000000.000007 <... fdatasync resumed>) = 0
7 1700000000.000008 fsync(5</log/a>) = -1 EIO (Input/output error)
8 1700000000.000009 write(1</dev/null>, \"\\x02\", 1) = 1
8 1700000000.000010 ftruncate(5</log/a>, 0) = 0
8 1700000000.000011 rename(\"\\x2f\\x6c\\x6f\\x67\\x2f\\x61\", \"\\x2f\\x6c\\x6f\\x67\\x2f\\x63\") = 0
8 1700000000.000012 unlink(\"\\x2f\\x6c\\x6f\\x67\\x2f\\x63\") = 0
9 1700000000.000013 ???( <detached ...>
8 1700000000.000014 +++ exited with 0 +++
";
        let (a, c) = (PathBuf::from("/log/a"), PathBuf::from("/log/c"));
        let expected = [
            Change::Opened(a.clone()),
            Change::Written(a.clone(), 4096, vec![1, 255]),
            Change::Written(a.clone(), 0, vec![2]),
            // The sync began after two steps, so the third may not be on the disk.
            Change::Synced(a.clone(), 2),
            Change::Truncated(a.clone(), 0),
            Change::Renamed(a, c.clone()),
            Change::Removed(c),
        ];
        assert_eq!(changes(recording), expected);
    }

    #[test]
    fn a_call_on_the_files_that_is_not_modelled_is_an_error() {
        let recording = "7 1700000000.000001 fallocate(5</log/a>, 0, 0, 4096) = 0\n";
        assert!(read(recording, Path::new("/log")).is_err());
        assert_eq!(changes(&recording.replace("/log/", "/other/")), []);
    }

    #[test]
    fn truncated_bytes_are_an_error() {
        let recording = "7 1700000000.000001 pwrite64(5</log/a>, \"\\x01\"..., 2, 0) = 2\n";
        assert!(read(recording, Path::new("/log")).is_err());
    }
}

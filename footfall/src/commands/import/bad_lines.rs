//! Collects bad lines: the first ones in memory, and all of them in a file once there are more.
//!
//! The rule to keep: no bad line is lost, and memory does not grow with their number.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Bad lines that the summary shows one by one.
pub(super) const TOLD: usize = 20;
/// Maximum number of files with the same input and time.
const MAX_FILES: u32 = 100;

/// A bad line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its number, from 1.
    pub line: u64,
    /// The kind of mistake.
    pub reason: std::borrow::Cow<'static, str>,
    /// The problem, and what would be valid instead.
    pub problem: String,
}

/// All bad lines of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bad {
    /// Number of bad lines.
    pub lines: u64,
    /// Numbers by reason.
    pub reasons: BTreeMap<String, u64>,
    /// The first of them.
    pub first: Vec<Told>,
    /// File with all of them, one JSON object per line, if there are more than `first` holds.
    pub file: Option<PathBuf>,
    /// Why that file could not be written.
    pub unkept: Option<String>,
}

impl Serialize for Bad {
    /// Adds `all` beside `first`, read from the file while it is serialized.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bad = serializer.serialize_struct("Bad", 6)?;
        bad.serialize_field("lines", &self.lines)?;
        bad.serialize_field("reasons", &self.reasons)?;
        bad.serialize_field("first", &self.first)?;
        bad.serialize_field("all", &All(self))?;
        if let Some(file) = &self.file {
            bad.serialize_field("file", file)?;
        }
        if let Some(unkept) = &self.unkept {
            bad.serialize_field("unkept", unkept)?;
        }
        bad.end()
    }
}

/// All bad lines, read one by one so that memory does not grow with their number.
struct All<'a>(&'a Bad);

impl Serialize for All<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, SerializeSeq};
        let Some(path) = &self.0.file else {
            return self.0.first.serialize(serializer);
        };
        let file = File::open(path).map_err(S::Error::custom)?;
        let mut all = serializer.serialize_seq(None)?;
        for line in BufReader::new(file).lines() {
            let line = line.map_err(S::Error::custom)?;
            let told: Told = serde_json::from_str(&line).map_err(S::Error::custom)?;
            all.serialize_element(&told)?;
        }
        all.end()
    }
}

/// Collects bad lines.
#[derive(Debug)]
pub(super) struct BadLines {
    bad: Bad,
    /// Paths at which the file may be created, the best one first.
    places: Vec<PathBuf>,
    file: Option<BufWriter<File>>,
}

impl BadLines {
    /// Bad lines of an input. Their file is created beside the input, or in the working directory
    /// if there is none. If that folder is not writable, the folder for temporary files is used.
    pub(super) fn of(input: Option<&Path>, now: Timestamp) -> Self {
        let folder = input.and_then(Path::parent).unwrap_or(Path::new(""));
        let name = input.and_then(Path::file_name).unwrap_or("import".as_ref());
        let mut name = name.to_os_string();
        name.push(format!(".bad-{}", now.strftime("%Y%m%dT%H%M%SZ")));
        Self {
            bad: Bad::default(),
            places: vec![folder.join(&name), std::env::temp_dir().join(&name)],
            file: None,
        }
    }

    /// Adds a bad line.
    pub(super) fn add(&mut self, told: Told) {
        self.bad.lines += 1;
        let reason = told.reason.clone().into_owned();
        *self.bad.reasons.entry(reason).or_default() += 1;
        if self.bad.first.len() < TOLD {
            self.bad.first.push(told);
            return;
        }
        if self.bad.unkept.is_some() {
            return;
        }
        if let Err(error) = self.write(&told) {
            self.bad.unkept = Some(error.to_string());
            self.bad.file = None;
            self.file = None;
        }
    }

    fn write(&mut self, told: &Told) -> std::io::Result<()> {
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let (path, file) = create(&self.places)?;
            self.bad.file = Some(path);
            let file = self.file.insert(BufWriter::new(file));
            // The file holds all bad lines, so it begins with those that were only in memory so
            // far.
            for first in &self.bad.first {
                write_line(file, first)?;
            }
            file
        };
        write_line(file, told)
    }

    /// Completes the file and returns all bad lines.
    pub(super) fn finish(mut self) -> Bad {
        if let Some(Err(error)) = self.file.as_mut().map(BufWriter::flush) {
            self.bad.unkept = Some(error.to_string());
            self.bad.file = None;
        }
        self.bad
    }
}

fn write_line(file: &mut impl Write, told: &Told) -> std::io::Result<()> {
    serde_json::to_writer(&mut *file, told)?;
    file.write_all(b"\n")
}

/// Creates the file in the first writable place. Never replaces an existing file.
fn create(places: &[PathBuf]) -> std::io::Result<(PathBuf, File)> {
    let mut failed = std::io::Error::from(std::io::ErrorKind::NotFound);
    for place in places {
        for number in 1..=MAX_FILES {
            let mut path = place.clone().into_os_string();
            if number > 1 {
                path.push(format!("-{number}"));
            }
            path.push(".jsonl");
            let path = PathBuf::from(path);
            let mut options = OpenOptions::new();
            match options.write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => return Ok((std::path::absolute(&path).unwrap_or(path), file)),
                Err(error) => {
                    // A name that is taken gets another number. Any other error leads to the next
                    // place.
                    let taken = error.kind() == std::io::ErrorKind::AlreadyExists;
                    failed = error;
                    if !taken {
                        break;
                    }
                }
            }
        }
    }
    Err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn told(line: u64) -> Told {
        Told {
            line,
            reason: "invalid".into(),
            problem: format!("problem {line}"),
        }
    }

    fn collect(input: &Path, lines: u64) -> Bad {
        let mut bad = BadLines::of(Some(input), Timestamp::UNIX_EPOCH);
        (1..=lines).for_each(|line| bad.add(told(line)));
        bad.finish()
    }

    #[test]
    fn more_than_20_bad_lines_are_all_in_a_file_beside_the_input() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("visits.jsonl");
        let few = collect(&input, 20);
        assert_eq!((few.lines, few.first.len(), &few.file), (20, 20, &None));
        let json = serde_json::to_value(&few).unwrap();
        assert_eq!(json["all"].as_array().unwrap().len(), 20);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);

        let many = collect(&input, 2_500);
        assert_eq!((many.lines, many.first.len()), (2_500, 20));
        let file = many.file.clone().unwrap();
        let name = "visits.jsonl.bad-19700101T000000Z.jsonl";
        assert_eq!(file, folder.path().join(name));
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let lines: Vec<Told> = lines.collect();
        assert_eq!(lines, (1..=2_500).map(told).collect::<Vec<_>>());
        let json = serde_json::to_value(&many).unwrap();
        assert_eq!(json["all"], serde_json::to_value(&lines).unwrap());
        assert_eq!(json["reasons"], serde_json::json!({"invalid": 2_500}));
        assert_eq!(json["file"], Value::from(file.to_str().unwrap()));
        // A second import leaves the first file alone.
        let again = collect(&input, 21).file.unwrap();
        assert_eq!(
            again.file_name().unwrap(),
            "visits.jsonl.bad-19700101T000000Z-2.jsonl"
        );
    }

    #[test]
    fn an_unwritable_folder_loses_no_bad_lines() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("no such folder/visits.jsonl");
        let file = collect(&input, 21).file.unwrap();
        assert!(file.starts_with(std::env::temp_dir()), "{}", file.display());
        std::fs::remove_file(file).unwrap();
    }
}

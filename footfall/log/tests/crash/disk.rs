//! Simulates a disk after a power loss. It holds everything that was synced, and any part of the rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use rand::{Rng as _, rngs::StdRng, seq::SliceRandom as _};

use crate::trace::{Change, Step};

/// The fate of writes that were not synced.
#[derive(Clone, Copy, Debug)]
pub enum Loss {
    /// All are lost.
    Everything,
    /// None is lost: the process was killed, but the machine kept running.
    Nothing,
    /// The first ones survive, the last of them torn.
    Tail,
    /// Random sectors of this size survive, regardless of their order.
    Sectors(usize),
}

impl Loss {
    /// Cycles through the kinds.
    pub fn number(number: usize) -> Self {
        let kinds = [
            Self::Everything,
            Self::Sectors(4096),
            Self::Tail,
            Self::Sectors(512),
            Self::Nothing,
        ];
        kinds[number % kinds.len()]
    }
}

/// A file's bytes on the disk, and the changes since its last sync.
#[derive(Clone, Debug, Default)]
struct File {
    synced: Vec<u8>,
    /// Each with the number of its step.
    pending: Vec<(usize, Edit)>,
}

#[derive(Clone, Debug)]
enum Edit {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

/// A change of a file's name.
#[derive(Clone, Debug)]
enum Naming {
    Add(PathBuf, usize),
    Remove(PathBuf),
}

/// The files of a folder at some step of a recording.
#[derive(Debug, Default)]
pub struct Disk {
    files: Vec<File>,
    /// Names as programs see them.
    names: BTreeMap<PathBuf, usize>,
    /// Names on the disk.
    synced_names: BTreeMap<PathBuf, usize>,
    /// Each with the number of its step.
    pending_names: Vec<(usize, Naming)>,
}

impl Disk {
    /// Applies these steps to an empty folder.
    pub fn after(steps: &[Step]) -> Self {
        let mut disk = Self::default();
        for (number, step) in steps.iter().enumerate() {
            disk.apply(number, &step.change);
        }
        disk
    }

    fn apply(&mut self, number: usize, change: &Change) {
        match change {
            Change::Opened(path) => {
                if !self.names.contains_key(path) {
                    let file = self.files.len();
                    self.files.push(File::default());
                    self.names.insert(path.clone(), file);
                    let naming = Naming::Add(path.clone(), file);
                    self.pending_names.push((number, naming));
                }
            }
            Change::Written(path, at, bytes) => {
                self.edit(number, path, Edit::Write(*at, bytes.clone()));
            }
            Change::Truncated(path, length) => self.edit(number, path, Edit::Truncate(*length)),
            Change::Synced(path, before) => self.sync(path, *before),
            Change::Renamed(from, to) => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                    // Both have the same step number, because a rename is atomic.
                    let add = Naming::Add(to.clone(), file);
                    self.pending_names.push((number, add));
                    let remove = Naming::Remove(from.clone());
                    self.pending_names.push((number, remove));
                }
            }
            Change::Removed(path) => {
                self.names.remove(path);
                let naming = Naming::Remove(path.clone());
                self.pending_names.push((number, naming));
            }
        }
    }

    fn edit(&mut self, number: usize, path: &Path, edit: Edit) {
        // Ignore a file that was removed while it was open.
        if let Some(file) = self.names.get(path) {
            self.files[*file].pending.push((number, edit));
        }
    }

    fn sync(&mut self, path: &Path, before: usize) {
        if let Some(file) = self.names.get(path) {
            let file = &mut self.files[*file];
            let covered = file.pending.partition_point(|(number, _)| *number < before);
            for (_, edit) in file.pending.drain(..covered) {
                edit.apply(&mut file.synced);
            }
            return;
        }
        // The path is a folder: sync the changes of names in it.
        let mut left = Vec::new();
        for (number, naming) in std::mem::take(&mut self.pending_names) {
            if number < before && naming.path().parent() == Some(path) {
                naming.apply(&mut self.synced_names);
            } else {
                left.push((number, naming));
            }
        }
        self.pending_names = left;
    }

    /// Writes the files into an empty folder, in a state that a power loss might leave.
    pub fn write_after(&self, loss: Loss, random: &mut StdRng, from: &Path, to: &Path) {
        let names = self.names_after(loss, random);
        for (path, file) in names {
            let bytes = self.files[file].after(loss, random);
            let inside = path.strip_prefix(from).unwrap();
            let path = to.join(inside);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    fn names_after(&self, loss: Loss, random: &mut StdRng) -> BTreeMap<PathBuf, usize> {
        let mut names = self.synced_names.clone();
        let steps: BTreeSet<usize> = self
            .pending_names
            .iter()
            .map(|(number, _)| *number)
            .collect();
        let kept = match loss {
            Loss::Everything => 0,
            Loss::Nothing => steps.len(),
            // File systems keep the order of name changes.
            Loss::Tail | Loss::Sectors(_) => random.random_range(0..=steps.len()),
        };
        let last = steps.iter().take(kept).next_back().copied();
        for (number, naming) in &self.pending_names {
            if last.is_some_and(|last| *number <= last) {
                naming.apply(&mut names);
            }
        }
        names
    }
}

impl Naming {
    fn path(&self) -> &Path {
        match self {
            Self::Add(path, _) | Self::Remove(path) => path,
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Add(path, file) => {
                names.insert(path.clone(), *file);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
        }
    }
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, written) => {
                let at = usize::try_from(*at).unwrap();
                let end = at + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[at..end].copy_from_slice(written);
            }
            Self::Truncate(length) => bytes.resize(usize::try_from(*length).unwrap(), 0),
        }
    }

    /// Splits a change into the parts that a disk writes separately: sectors at their places in the file.
    fn sectors(&self, size: usize) -> Vec<Self> {
        let Self::Write(at, bytes) = self else {
            return vec![self.clone()];
        };
        let mut at = usize::try_from(*at).unwrap();
        let mut rest = bytes.as_slice();
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let until_boundary = size - at % size;
            let (part, more) = rest.split_at(until_boundary.min(rest.len()));
            parts.push(Self::Write(at as u64, part.to_vec()));
            at += part.len();
            rest = more;
        }
        parts
    }
}

impl File {
    fn after(&self, loss: Loss, random: &mut StdRng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        let edits = self.pending.iter().map(|(_, edit)| edit);
        match loss {
            Loss::Everything => {}
            Loss::Nothing => edits.for_each(|edit| edit.apply(&mut bytes)),
            Loss::Tail => {
                let parts: Vec<Edit> = edits.flat_map(|edit| edit.sectors(512)).collect();
                let kept = random.random_range(0..=parts.len());
                parts[..kept].iter().for_each(|part| part.apply(&mut bytes));
            }
            Loss::Sectors(size) => {
                let mut parts: Vec<Edit> = edits.flat_map(|edit| edit.sectors(size)).collect();
                parts.retain(|_| random.random_bool(0.5));
                parts.shuffle(random);
                for part in &parts {
                    part.apply(&mut bytes);
                }
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn disk(changes: Vec<Change>) -> Disk {
        let step = |change| Step { time_us: 0, change };
        Disk::after(&changes.into_iter().map(step).collect::<Vec<_>>())
    }

    fn left(disk: &Disk, loss: Loss, seed: u64) -> BTreeMap<String, Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let mut random = StdRng::seed_from_u64(seed);
        disk.write_after(loss, &mut random, Path::new("/log"), folder.path());
        let files = fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        files
            .map(|file| {
                let name = file.file_name().into_string().unwrap();
                (name, fs::read(file.path()).unwrap())
            })
            .collect()
    }

    fn path(name: &str) -> PathBuf {
        Path::new("/log").join(name)
    }

    #[test]
    fn only_synced_bytes_of_synced_names_survive_the_loss_of_everything_else() {
        let disk = disk(vec![
            Change::Opened(path("a")),
            Change::Opened(path("b")),
            Change::Written(path("a"), 0, b"old".to_vec()),
            Change::Written(path("b"), 0, b"gone".to_vec()),
            Change::Synced(path("a"), 4),
            Change::Synced(PathBuf::from("/log"), 5),
            Change::Opened(path("c")),
            Change::Written(path("a"), 1, b"NEW".to_vec()),
            Change::Written(path("c"), 0, b"c".to_vec()),
            // The folder was not synced since, so the name is lost.
            Change::Synced(path("c"), 9),
        ]);
        let all = BTreeMap::from([
            ("a".to_owned(), b"oNEW".to_vec()),
            ("b".to_owned(), b"gone".to_vec()),
            ("c".to_owned(), b"c".to_vec()),
        ]);
        assert_eq!(left(&disk, Loss::Nothing, 1), all);
        let synced = BTreeMap::from([("a".to_owned(), b"old".to_vec()), ("b".to_owned(), vec![])]);
        assert_eq!(left(&disk, Loss::Everything, 1), synced);
    }

    #[test]
    fn a_sync_covers_what_came_before_it_began() {
        let disk = disk(vec![
            Change::Opened(path("a")),
            Change::Synced(PathBuf::from("/log"), 1),
            Change::Written(path("a"), 0, b"1".to_vec()),
            Change::Written(path("a"), 1, b"2".to_vec()),
            Change::Synced(path("a"), 3),
        ]);
        let expected = BTreeMap::from([("a".to_owned(), b"1".to_vec())]);
        assert_eq!(left(&disk, Loss::Everything, 1), expected);
    }

    #[test]
    fn sectors_survive_one_by_one() {
        let disk = disk(vec![
            Change::Opened(path("a")),
            Change::Synced(PathBuf::from("/log"), 1),
            Change::Written(path("a"), 0, vec![0; 4096]),
            Change::Synced(path("a"), 3),
            Change::Written(path("a"), 256, vec![1; 2048]),
        ]);
        let mut outcomes = BTreeSet::new();
        for seed in 0..50 {
            let bytes = left(&disk, Loss::Sectors(512), seed).remove("a").unwrap();
            let sectors = bytes.chunks(512).map(|sector| sector.contains(&1));
            outcomes.insert(sectors.collect::<Vec<bool>>());
        }
        // Five sectors were changed, the first and the last of them partially.
        assert!(outcomes.len() > 16, "{outcomes:?}");
        assert!(outcomes.iter().all(|sectors| sectors[5..] == [false; 3]));
    }

    #[test]
    fn a_rename_is_atomic() {
        let disk = disk(vec![
            Change::Opened(path("a")),
            Change::Synced(PathBuf::from("/log"), 1),
            Change::Renamed(path("a"), path("b")),
        ]);
        let mut outcomes = BTreeSet::new();
        for seed in 0..50 {
            let names: Vec<String> = left(&disk, Loss::Tail, seed).into_keys().collect();
            outcomes.insert(names.concat());
        }
        assert_eq!(outcomes, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    }
}

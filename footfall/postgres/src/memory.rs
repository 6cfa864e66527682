//! Chooses how much memory the embedded server uses for its pages.
//!
//! Event ids are random, so every batch of events touches pages all over the indexes of its months.
//! Pages that do not fit are written out and read back for every batch.

use std::{fs, path::Path};

const MB: u64 = 1024 * 1024;
/// PostgreSQL's default, and enough for some hundred thousand events.
const LEAST: u64 = 128;
/// Holds the indexes of some million events of a month. The machine provides the memory only as
/// pages fill it.
const MOST: u64 = 512;
/// PostgreSQL's manual advises a quarter for `shared_buffers`; the services of this program need
/// memory too.
const SHARE: u64 = 8;

/// `shared_buffers` for this machine, in megabytes.
pub(super) fn shared_buffers_mb() -> u64 {
    // In a container, its own limit is at the root of the control groups' file system.
    let limit = |path: &str| fs::read_to_string(Path::new("/sys/fs/cgroup").join(path)).ok();
    let limits = [limit("memory.max"), limit("memory/memory.limit_in_bytes")];
    let limits = limits.iter().flatten().filter_map(|text| bytes(text));
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| total(&text));
    share_mb(machine.into_iter().chain(limits).min())
}

fn share_mb(memory: Option<u64>) -> u64 {
    memory.map_or(LEAST, |bytes| (bytes / MB / SHARE).clamp(LEAST, MOST))
}

/// A limit of a control group, if it is a number.
fn bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The machine's memory, from the kernel's line `MemTotal: 24576000 kB`.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kb: u64 = line?.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kb.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_memory_within_bounds() {
        let meminfo = "MemTotal:        2097152 kB\nMemFree:  9 kB\n";
        assert_eq!(total(meminfo), Some(2048 * MB));
        assert_eq!(total("MemTotal: much"), None);
        assert_eq!(
            (bytes("1073741824\n"), bytes("max\n")),
            (Some(1024 * MB), None)
        );
        let shares = [None, Some(64 * MB), Some(2048 * MB), Some(1 << 40)].map(share_mb);
        assert_eq!(shares, [128, 128, 256, 512]);
    }
}

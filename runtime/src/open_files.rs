//! The limit of open files of this process, which includes its sockets.

use tracing::warn;

/// Files for other uses than client connections: databases, the log, the embedded parts.
const RESERVED: u64 = 256;

/// Raises the limit to the most that the system allows this process. Shells give 1024 by default,
/// and allow far more.
pub fn raise_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        warn!("the limit of open files cannot be raised: {error}");
    }
}

/// How many connections, at most `wanted`, leave enough room for other files.
pub(crate) fn room_for_connections(wanted: usize) -> usize {
    match rlimit::Resource::NOFILE.get_soft() {
        Ok(limit) => fitting(wanted, limit),
        Err(_) => wanted,
    }
}

fn fitting(wanted: usize, limit: u64) -> usize {
    // At most half of a low limit is reserved, so that some connections remain possible.
    let room = limit - RESERVED.min(limit / 2);
    usize::try_from(room).map_or(wanted, |room| room.min(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        assert_eq!(fitting(10_000, 1_048_576), 10_000);
        assert_eq!(fitting(10_000, u64::MAX), 10_000);
        assert_eq!(fitting(10_000, 1_024), 768);
        assert_eq!(fitting(10_000, 256), 128);
    }

    #[test]
    fn the_limit_is_raised_to_what_the_system_allows() {
        raise_limit();
        let (soft, hard) = rlimit::Resource::NOFILE.get().unwrap();
        assert_eq!(soft, hard);
    }
}

//! How many workers this system leaves room for: said before thousands of them
//! are spawned, not after. Only limits that can be read are known here; what
//! else runs out shows when workers are spawned (see `shortage`).

use nix::sys::resource::{Resource, getrlimit};
use std::fs;
use std::path::Path;

/// Descriptors that a worker takes: three pipes, and one that tells of its end.
const PER_WORKER: u64 = 4;
/// Descriptors that the rest of a call may need: log files, input, output.
const OTHERS: u64 = 80;
/// Processes and threads that the rest of a call needs.
const THREADS: u64 = 12;

/// The tightest limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// How many workers fit, at least one.
    pub(crate) workers: u32,
    why: String,
}

impl Room {
    /// Looks at this process's limits.
    pub(crate) fn look() -> Self {
        let open = fs::read_dir("/proc/self/fd").map_or(16, |open| open.count() as u64);
        let soft = |resource| getrlimit(resource).map_or(u64::MAX, |(soft, _)| soft);
        let (files, mut processes) = (soft(Resource::RLIMIT_NOFILE), soft(Resource::RLIMIT_NPROC));
        if nix::unistd::geteuid().is_root() {
            // The system does not hold root to it.
            processes = u64::MAX;
        }
        let folder = Path::new("/proc/sys/kernel");
        let kernel = |name| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
        let ids = [kernel("pid_max"), kernel("threads-max")].into_iter().flatten().min().unwrap_or(u64::MAX);
        Self::tightest(files, open, processes, ids)
    }

    fn tightest(files: u64, open: u64, processes: u64, ids: u64) -> Self {
        let room = |rest: u64| u32::try_from(rest.max(1)).unwrap_or(u32::MAX);
        let others = OTHERS.min(files / 4);
        let limits = [
            (room(files.saturating_sub(open + others) / PER_WORKER), format!("at most {files} open files (ulimit -n)")),
            (room(processes.saturating_sub(THREADS)), format!("at most {processes} processes of a user (ulimit -u)")),
            (room(ids / 2), format!("at most {ids} processes in all")),
        ];
        let [first, rest @ ..] = limits;
        let (workers, why) = rest.into_iter().fold(first, |least, next| if next.0 < least.0 { next } else { least });
        Self { workers, why }
    }

    /// What to tell people who ask for more.
    pub(crate) fn complaint(&self, asked: u32) -> Option<String> {
        let Self { workers, why } = self;
        (asked > *workers).then(|| format!("only {workers} of {asked} workers can be started: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_limit_counts() {
        let room = |files, processes, ids| Room::tightest(files, 20, processes, ids);
        assert_eq!(room(1024, u64::MAX, 4_000_000).workers, (1024 - 20 - 80) / 4);
        assert_eq!(room(u64::MAX, 100, 32768).workers, 88);
        let ids = room(u64::MAX, u64::MAX, 32768);
        assert_eq!(ids.workers, 16384);
        assert_eq!(ids.complaint(16384), None);
        assert!(
            ids.complaint(100_000).is_some_and(
                |text| text.contains("only 16384 of 100000 workers can be started: at most 32768 processes")
            )
        );
        assert_eq!(room(16, 3, 1).workers, 1, "one is always tried");
    }

    #[test]
    fn this_system_has_some() {
        assert!(Room::look().workers >= 1);
    }
}

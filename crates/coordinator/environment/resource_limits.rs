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

/// Address space that a thread takes: its stack, and some for itself.
const PER_THREAD_BYTES: u64 = 3 << 20;
/// Mappings that a thread takes: two stacks, and what guards them.
const PER_THREAD_MAPS: u64 = 4;

/// Says why so many threads can't be started, if they can't. Unlike processes
/// they are not tried: a thread that finds no room while it starts takes the
/// whole process with it, or leaves the others waiting for it.
pub(crate) fn too_many_threads(asked: u32) -> Option<String> {
    let space = getrlimit(Resource::RLIMIT_AS).map_or(u64::MAX, |(soft, _)| soft);
    let (processes, ids) = (processes(), kernel("kernel", &["pid_max", "threads-max"]));
    threads_beyond(asked, space, processes, ids, kernel("vm", &["max_map_count"]))
}

fn threads_beyond(asked: u32, space: u64, processes: u64, ids: u64, maps: u64) -> Option<String> {
    let limits = [
        (space / 2 / PER_THREAD_BYTES, format!("at most {space} bytes of address space (ulimit -v)")),
        (processes.saturating_sub(THREADS), format!("at most {processes} processes of a user (ulimit -u)")),
        (ids / 2, format!("at most {ids} processes and threads in all")),
        (maps / 2 / PER_THREAD_MAPS, format!("at most {maps} mappings of memory (vm.max_map_count)")),
    ];
    let (room, why) = limits.into_iter().min_by_key(|(room, _)| *room)?;
    // One is always tried.
    let room = room.max(1);
    (u64::from(asked) > room).then(|| format!("only {room} of {asked} threads can be started: {why}"))
}

/// How many processes and threads this user may have.
fn processes() -> u64 {
    // The system does not hold root to it.
    let is_root = nix::unistd::geteuid().is_root();
    if is_root { u64::MAX } else { getrlimit(Resource::RLIMIT_NPROC).map_or(u64::MAX, |(soft, _)| soft) }
}

/// The smallest of these settings of the kernel.
fn kernel(folder: &str, names: &[&str]) -> u64 {
    let folder = Path::new("/proc/sys").join(folder);
    let read = |name: &&str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    names.iter().filter_map(read).min().unwrap_or(u64::MAX)
}

/// The tightest limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceLimits {
    /// How many workers fit, at least one.
    pub(crate) workers: u32,
    why: String,
}

impl ResourceLimits {
    /// Looks at this process's limits.
    pub(crate) fn look() -> Self {
        let open = fs::read_dir("/proc/self/fd").map_or(16, |open| open.count() as u64);
        let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
        let ids = kernel("kernel", &["pid_max", "threads-max"]);
        Self::tightest(files, open, processes(), ids)
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
        let room = |files, processes, ids| ResourceLimits::tightest(files, 20, processes, ids);
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
    fn threads_are_counted_before_they_are_started() {
        const ALL: u64 = u64::MAX;
        assert_eq!(threads_beyond(4, ALL, ALL, ALL, ALL), None);
        for (limits, why) in [
            ((600 << 20, ALL, ALL, ALL), "only 100 of 101 threads can be started: at most 629145600 bytes"),
            ((ALL, 112, ALL, ALL), "at most 112 processes of a user"),
            ((ALL, ALL, 200, ALL), "at most 200 processes and threads"),
            ((ALL, ALL, ALL, 800), "at most 800 mappings"),
        ] {
            let (space, processes, ids, maps) = limits;
            let beyond = |asked| threads_beyond(asked, space, processes, ids, maps);
            assert_eq!(beyond(100), None, "{why}");
            assert!(beyond(101).is_some_and(|text| text.contains(why)), "{why}");
        }
    }

    #[test]
    fn this_system_has_some() {
        assert!(ResourceLimits::look().workers >= 1);
    }
}

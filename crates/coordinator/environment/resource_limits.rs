//! How many workers the resource limits of this process allow. It is checked
//! before thousands of workers are spawned. Only limits that can be read are
//! known here; others show when a spawn fails (see `spawn_shortfall`).

use nix::sys::resource::{Resource, getrlimit};
use std::fs;
use std::path::Path;

/// File descriptors per worker: three pipes and a pidfd.
const PER_WORKER: u64 = 4;
/// File descriptors that the rest of a call may need: log files, input, output.
const OTHERS: u64 = 80;
/// Threads that the rest of a call needs.
const THREADS: u64 = 12;

/// Address space per thread, in bytes: its stack and its own allocations.
const PER_THREAD_BYTES: u64 = 3 << 20;
/// Memory mappings per thread: two stacks and their guard pages.
const PER_THREAD_MAPS: u64 = 4;

/// Why this number of threads can't be started; `None`: it can. Threads are not
/// tried, as processes are: a thread that fails while it starts may abort the
/// process or leave other threads waiting for it.
pub(crate) fn too_many_threads(asked: u32) -> Option<String> {
    let space = getrlimit(Resource::RLIMIT_AS).map_or(u64::MAX, |(soft, _)| soft);
    let (processes, ids) = (processes(), kernel("kernel", &["pid_max", "threads-max"]));
    threads_beyond(asked, space, processes, ids, kernel("vm", &["max_map_count"]))
}

fn threads_beyond(asked: u32, space: u64, processes: u64, ids: u64, maps: u64) -> Option<String> {
    let limits = [
        (space / 2 / PER_THREAD_BYTES, format!("at most {space} bytes of address space (ulimit -v)")),
        (processes.saturating_sub(THREADS), format!("at most {processes} processes per user (ulimit -u)")),
        (ids / 2, format!("at most {ids} processes and threads in all")),
        (maps / 2 / PER_THREAD_MAPS, format!("at most {maps} memory mappings (vm.max_map_count)")),
    ];
    let (room, why) = limits.into_iter().min_by_key(|(room, _)| *room)?;
    // One thread is always allowed.
    let room = room.max(1);
    (u64::from(asked) > room).then(|| format!("only {room} of {asked} threads can be started: {why}"))
}

/// The limit on processes and threads of this user.
fn processes() -> u64 {
    // The limit does not apply to root.
    let is_root = nix::unistd::geteuid().is_root();
    if is_root { u64::MAX } else { getrlimit(Resource::RLIMIT_NPROC).map_or(u64::MAX, |(soft, _)| soft) }
}

/// The smallest of these kernel settings.
fn kernel(folder: &str, names: &[&str]) -> u64 {
    let folder = Path::new("/proc/sys").join(folder);
    let read = |name: &&str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    names.iter().filter_map(read).min().unwrap_or(u64::MAX)
}

/// The limit that allows the fewest workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceLimits {
    /// The number of workers that it allows, at least 1.
    pub(crate) workers: u32,
    why: String,
}

impl ResourceLimits {
    /// Reads the limits of this process.
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
            (room(processes.saturating_sub(THREADS)), format!("at most {processes} processes per user (ulimit -u)")),
            (room(ids / 2), format!("at most {ids} processes in all")),
        ];
        let [first, rest @ ..] = limits;
        let (workers, why) = rest.into_iter().fold(first, |least, next| if next.0 < least.0 { next } else { least });
        Self { workers, why }
    }

    /// The warning for a call that asks for more workers.
    pub(crate) fn complaint(&self, asked: u32) -> Option<String> {
        let Self { workers, why } = self;
        (asked > *workers).then(|| format!("only {workers} of {asked} workers can be started: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_decides() {
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
        assert_eq!(room(16, 3, 1).workers, 1, "one is always allowed");
    }

    #[test]
    fn threads_are_limited_by_memory_processes_ids_and_mappings() {
        const ALL: u64 = u64::MAX;
        assert_eq!(threads_beyond(4, ALL, ALL, ALL, ALL), None);
        for (limits, why) in [
            ((600 << 20, ALL, ALL, ALL), "only 100 of 101 threads can be started: at most 629145600 bytes"),
            ((ALL, 112, ALL, ALL), "at most 112 processes per user"),
            ((ALL, ALL, 200, ALL), "at most 200 processes and threads"),
            ((ALL, ALL, ALL, 800), "at most 800 memory mappings"),
        ] {
            let (space, processes, ids, maps) = limits;
            let beyond = |asked| threads_beyond(asked, space, processes, ids, maps);
            assert_eq!(beyond(100), None, "{why}");
            assert!(beyond(101).is_some_and(|text| text.contains(why)), "{why}");
        }
    }

    #[test]
    fn this_system_allows_a_worker() {
        assert!(ResourceLimits::look().workers >= 1);
    }
}

//! The peak memory of this process and of what it has started.
//!
//! Of a process that has ended, the kernel tells it to whoever reaps the process. Of one
//! that still runs, `/proc` tells it.

use super::exit::peak_of_programs;
use std::fs;

/// The largest amount of memory that this process ever held, in bytes.
///
/// Read from `/proc`, because a spawned child inherits its parent's `ru_maxrss`.
/// Without `/proc` that value is returned nevertheless.
#[must_use]
pub fn own_peak_memory() -> u64 {
    peak_of("self").unwrap_or_else(|| {
        use nix::sys::resource::{UsageWho, getrusage};
        getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss().unsigned_abs() * 1024)
    })
}

/// The largest amount of memory that this process, or one below it, ever held, in bytes.
/// Of processes that have ended only those count that were waited for.
#[must_use]
pub fn peak_memory() -> u64 {
    own_peak_memory().max(peak_of_programs()).max(peak_below("self"))
}

/// The largest peak memory of the living processes below this one, in bytes.
fn peak_below(process: &str) -> u64 {
    let below = |child: String| peak_of(&child).unwrap_or(0).max(peak_below(&child));
    children_of(process).into_iter().map(below).max().unwrap_or(0)
}

fn peak_of(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?;
    Some(kib.trim().parse::<u64>().ok()? * 1024)
}

/// The living children of a process, which each of its threads may have started. None if
/// the process has ended or the kernel does not list them.
fn children_of(process: &str) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PollSet;
    use crate::process::{LaunchedProgram, Launcher, ProgramInput};
    use std::ffi::CString;
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::time::Duration;

    /// A shell that runs this script and waits for its input's end.
    fn shell(script: &str) -> LaunchedProgram {
        let mut launcher = Launcher::new(b"sh", vec![CString::new("PATH=/usr/bin:/bin").unwrap()]).unwrap();
        let args = ["sh", "-c", script].map(|word| CString::new(word).unwrap());
        launcher.start(&args, &[], ProgramInput::Piped).unwrap()
    }

    #[test]
    fn programs_count_while_they_run_and_after_their_end() {
        const HELD: u64 = 64 << 20;
        // `dd` holds a block in memory, and waits for the second one.
        let script = "{ head -c 67108864 /dev/zero; echo; cat; } | dd bs=64M iflag=fullblock status=none | \
                      { head -c 1 >/dev/null; echo held; cat >/dev/null; }";
        let mut program = shell(script);
        let mut set = PollSet::default();
        set.add(program.stdout.as_fd(), 0, false);
        set.wait(Some(Duration::from_secs(30))).unwrap();
        let mut told = [0; 5];
        program.stdout.read_exact(&mut told).unwrap();
        assert_eq!(&told, b"held\n");
        assert!(peak_below("self") >= HELD, "while it runs");
        drop(program.stdin.take());
        program.reap();
        assert!(peak_memory() >= HELD && peak_of_programs() >= HELD, "after its end");
    }

    #[test]
    fn this_process_has_a_peak() {
        assert!(peak_of("self").is_some_and(|peak| peak > 1 << 16));
        assert_eq!(peak_of("none"), None);
    }
}

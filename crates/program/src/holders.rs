//! Whether a process that holds a pipe only waits for a processor: then its silence
//! means nothing.

use crate::process_stat::ProcessStat;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process that has used this much processor time had time to write: 300 ms, in
/// the units of `/proc`, which are 10 ms for every program.
const ENOUGH_TICKS: u64 = 30;

/// Whether another process that holds this pipe is able to run or waits for a disk,
/// and has used little processor time so far. Looks at all processes; each takes
/// about 20 µs at most.
pub(crate) fn wait_for_processor(pipe: &File) -> bool {
    let Ok(inode) = pipe.metadata().map(|about| about.ino()) else { return false };
    let (link, own) = (format!("pipe:[{inode}]"), std::process::id());
    let mut entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.any(|entry| {
        let pid = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        pid.is_some_and(|pid| pid != own && is_waiting(pid)) && holds(&entry.path(), &link)
    })
}

fn is_waiting(pid: u32) -> bool {
    ProcessStat::of(pid).is_some_and(|stat| matches!(stat.state, 'R' | 'D') && stat.cpu_ticks < ENOUGH_TICKS)
}

/// Whether a process holds the file of this name; `false` if that can't be
/// determined.
fn holds(process: &Path, link: &str) -> bool {
    let files = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|target| target.as_os_str() == link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;
    use std::process::{Child, Command};
    use std::time::{Duration, Instant};

    fn holder(script: &str) -> (Child, File) {
        let (ours, theirs) = std::io::pipe().unwrap();
        let child = Command::new("sh").args(["-c", script]).stdout(theirs).spawn().unwrap();
        (child, File::from(OwnedFd::from(ours)))
    }

    fn until(what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < deadline, "never: {what}");
        }
    }

    #[test]
    fn a_waiting_holder_is_distinguished_from_a_sleeping_one() {
        let (mut child, pipe) = holder("while :; do :; done");
        until("it wants a processor", || wait_for_processor(&pipe));
        until("it has had its time", || !wait_for_processor(&pipe));
        child.kill().unwrap();
        child.wait().unwrap();
        let (mut child, pipe) = holder("exec sleep 1000");
        until("it sleeps", || !wait_for_processor(&pipe));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn holders_of_a_pipe_are_distinguished_from_other_processes() {
        let (mut busy, its_own) = holder("while :; do :; done");
        let (pipe, _held) = std::io::pipe().unwrap();
        let link = |pipe: &File| format!("pipe:[{}]", pipe.metadata().unwrap().ino());
        let about = Path::new("/proc").join(busy.id().to_string());
        assert!(holds(&about, &link(&its_own)));
        assert!(!holds(&about, &link(&File::from(OwnedFd::from(pipe)))));
        busy.kill().unwrap();
        busy.wait().unwrap();
    }
}

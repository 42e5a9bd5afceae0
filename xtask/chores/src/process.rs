//! What the kernel says about processes, in `/proc`.

use std::fs;

/// The ids of all processes, in any order.
pub(crate) fn all_pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Whether a process is a child of this one and has not ended: one that only
/// waits to be reaped does not count.
pub(crate) fn is_living_child(pid: u32, parent: u32) -> bool {
    state_and_parent(pid).is_some_and(|(state, its)| its == parent && !matches!(state, 'Z' | 'X'))
}

/// A process's parent.
pub(crate) fn parent_of(pid: u32) -> Option<u32> {
    state_and_parent(pid).map(|(_, parent)| parent)
}

/// The first two fields after the name, which may hold anything.
fn state_and_parent(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// The most memory that it ever held, in bytes; `None` once it has ended.
pub(crate) fn peak_of(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Whether a process has ever written anything, to a pipe or a file.
pub(crate) fn has_written(pid: u32) -> bool {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    io.lines().find_map(|line| line.strip_prefix("wchar: ")).is_some_and(|bytes| bytes != "0")
}

/// Its command line, for people.
pub(crate) fn command_line(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn our_own_parent_and_peak_are_known() {
        let own = std::process::id();
        assert_eq!(parent_of(own), Some(std::os::unix::process::parent_id()));
        assert!(peak_of(own).unwrap() > 100_000);
        assert!(all_pids().any(|pid| pid == own) && !command_line(own).is_empty());
    }

    #[test]
    fn a_process_that_waits_to_be_reaped_lives_no_more() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        assert!(is_living_child(child.id(), std::process::id()));
        assert!(!has_written(child.id()));
        child.kill().unwrap();
        while is_living_child(child.id(), std::process::id()) {
            std::thread::yield_now();
        }
        assert_eq!(parent_of(child.id()), Some(std::process::id()));
        child.wait().unwrap();
    }
}

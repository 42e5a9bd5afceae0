//! The CPUs (after affinity and quota) and the memory that this process may use.
//!
//! `--procs auto` is [`cpus`], the standard library's answer. The other values
//! only explain it; nothing depends on them.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// The number of CPUs that this process may use: the smaller of affinity and
/// cgroup quota, at least 1.
pub(crate) fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// What is known of the machine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MachineInfo {
    /// Logical cores of the machine.
    pub(crate) logical: usize,
    /// Physical cores; `None`: unknown.
    pub(crate) physical: Option<usize>,
    /// The CPUs that the scheduler may place this process on.
    pub(crate) affinity: Option<Affinity>,
    /// The smallest CPU quota of this process's cgroups.
    pub(crate) quota: Option<Quota>,
    /// The value of `--procs auto`.
    pub(crate) auto: usize,
    /// The memory; `None`: unknown.
    pub(crate) memory: Option<MemoryInfo>,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryInfo {
    /// Total.
    pub(crate) total: u64,
    /// Available without swapping.
    pub(crate) available: u64,
}

/// The CPUs that a process may run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Affinity {
    /// As the kernel lists them: `0-3,8`.
    pub(crate) list: String,
    /// Their number.
    pub(crate) count: usize,
}

/// A limit on CPU time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quota {
    /// In CPUs, as in 1.5.
    pub(crate) cpus: f64,
    /// The file with the limit.
    pub(crate) file: PathBuf,
}

impl MachineInfo {
    /// Examines the machine.
    pub(crate) fn look() -> Self {
        let wanted = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(wanted).ok();
        Self {
            logical: system.as_ref().map_or(0, |system| system.cpus().len()).max(cpus()),
            physical: System::physical_core_count().ok(),
            affinity: fs::read_to_string("/proc/self/status").ok().and_then(|status| affinity(&status)),
            quota: quota(Path::new("/")),
            auto: cpus(),
            memory: system
                .map(|system| MemoryInfo { total: system.total_memory(), available: system.available_memory() }),
        }
    }
}

/// Describes the machine for the log. It takes little time, as the runs wait for it.
pub(crate) fn for_log() -> procession_report::Machine {
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once([':', '='])?.1.trim().trim_matches('"').to_owned())
    };
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let kib = field(&read("/proc/meminfo"), "MemTotal").and_then(|value| value.split(' ').next()?.parse::<u64>().ok());
    procession_report::Machine {
        host: procession_sys::hostname(),
        os: field(&read("/etc/os-release"), "PRETTY_NAME").unwrap_or_default(),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
        logical_cores: u32::try_from(logical_cores()).unwrap_or(u32::MAX),
        physical_cores: System::physical_core_count().ok().and_then(|cores| u32::try_from(cores).ok()),
        usable_cores: u32::try_from(cpus()).unwrap_or(u32::MAX),
        memory_bytes: kib.map(|kib| kib * 1024),
        cpu_quota_percent: quota(Path::new("/")).map(|quota| percent(quota.cpus)),
    }
}

/// A quota in percent of a CPU: 150 is one CPU and a half.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a quota is small and positive")]
fn percent(cpus: f64) -> u32 {
    (cpus * 100.0).round() as u32
}

/// The number of CPUs that are online.
fn logical_cores() -> usize {
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    count(online.trim()).unwrap_or(0).max(cpus())
}

/// Reads the affinity from `/proc/self/status`: the mask of `sched_getaffinity`
/// without its limit of 1024 CPUs.
fn affinity(status: &str) -> Option<Affinity> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?.trim();
    Some(Affinity { list: list.to_owned(), count: count(list)? })
}

/// The number of CPUs in a kernel list: `0-3,8` are 5.
fn count(list: &str) -> Option<usize> {
    let mut count = 0;
    for part in list.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
        count += (to + 1).checked_sub(from)?;
    }
    Some(count)
}

/// The smallest quota from this process's cgroup up to the root, for cgroups of
/// version 1 and 2. `root` is `/` except in tests.
fn quota(root: &Path) -> Option<Quota> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = root.join("sys/fs/cgroup");
    let found = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
        let group = group.trim_start_matches('/');
        if controllers.is_empty() {
            // Version 2, alone or beside version 1.
            return [mounts.clone(), mounts.join("unified")].iter().find_map(|mount| tightest(mount, group, quota_v2));
        }
        let is_cpu = controllers.split(',').any(|name| name == "cpu");
        let mounts = [mounts.join(controllers), mounts.join("cpu")];
        is_cpu.then(|| mounts.iter().find_map(|mount| tightest(mount, group, quota_v1))).flatten()
    });
    found.min_by(|a, b| a.cpus.total_cmp(&b.cpus))
}

/// The smallest quota from a group up to its mount point.
fn tightest(mount: &Path, group: &str, read: fn(&Path) -> Option<Quota>) -> Option<Quota> {
    let folder = mount.join(group);
    let up = folder.ancestors().take_while(|folder| folder.starts_with(mount));
    up.filter_map(read).min_by(|a, b| a.cpus.total_cmp(&b.cpus))
}

/// Version 2: `cpu.max` has the quota and its period, or `max`.
fn quota_v2(folder: &Path) -> Option<Quota> {
    let file = folder.join("cpu.max");
    let text = fs::read_to_string(&file).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    share(quota, period, file)
}

/// Version 1: two files; a quota of −1 means no limit.
fn quota_v1(folder: &Path) -> Option<Quota> {
    let file = folder.join("cpu.cfs_quota_us");
    let quota = fs::read_to_string(&file).ok()?;
    let period = fs::read_to_string(folder.join("cpu.cfs_period_us")).ok()?;
    share(quota.trim(), period.trim(), file)
}

fn share(quota: &str, period: &str, file: PathBuf) -> Option<Quota> {
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| Quota { cpus: quota / period, file })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A root folder with these files.
    fn root(files: &[(&str, &str)]) -> TempDir {
        let root = TempDir::new().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn affinity_counts_ranges() {
        let of = |list: &str| affinity(&format!("Name:\tx\nCpus_allowed_list:\t{list}\n")).map(|a| a.count);
        assert_eq!(of("0-3,8"), Some(5));
        assert_eq!(of("7"), Some(1));
        assert_eq!(of("x"), None);
        assert_eq!(of("3-1"), None);
        assert_eq!(affinity("Name:\tx\n"), None);
    }

    #[test]
    fn version_2_takes_the_smallest_of_a_group_and_its_parents() {
        let root = root(&[
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/a/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/cpu.max", "400000 100000\n"),
        ]);
        let found = quota(root.path()).unwrap();
        assert_eq!(found.cpus, 1.5);
        assert!(found.file.ends_with("a/cpu.max"));
    }

    #[test]
    fn version_1_reads_the_cpu_controller() {
        let root = root(&[
            ("proc/self/cgroup", "9:memory:/m\n2:cpu,cpuacct:/box\n0::/\n"),
            ("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "50000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(quota(root.path()).unwrap().cpus, 0.5);
    }

    #[test]
    fn without_a_quota_there_is_none() {
        let unlimited = root(&[
            ("proc/self/cgroup", "2:cpu:/\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(quota(unlimited.path()), None);
        assert_eq!(quota(root(&[("proc/self/cgroup", "0::/a\n")]).path()), None);
        assert_eq!(quota(root(&[]).path()), None);
    }

    #[test]
    fn values_of_this_machine_are_consistent() {
        let machine = MachineInfo::look();
        assert!(machine.logical >= 1 && machine.auto >= 1 && machine.auto <= machine.logical);
        assert!(machine.physical.is_none_or(|cores| cores <= machine.logical));
        assert!(machine.memory.is_some_and(|memory| memory.available <= memory.total && memory.total > 0));
    }
}

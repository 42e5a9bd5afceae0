//! `coordinator cpus`: how many CPUs there are, and how many of them this
//! process may use.

use super::columns::aligned;
use crate::environment::machine::{MachineInfo, MemoryInfo};
use serde_json::json;

/// The answer as text.
pub(super) fn text(machine: &MachineInfo) -> String {
    let row = |name: &str, value: String, note: String| vec![name.to_owned(), value, note];
    let unknown = || "unknown".to_owned();
    let physical = machine.physical.map_or_else(unknown, |cores| cores.to_string());
    let affinity = match &machine.affinity {
        Some(found) => row("affinity leaves", found.count.to_string(), format!("CPUs {}", found.list)),
        None => row("affinity leaves", unknown(), String::new()),
    };
    let quota = match &machine.quota {
        Some(found) => row("quota leaves", trimmed(found.cpus), found.file.display().to_string()),
        None => row("quota leaves", "all".to_owned(), "no cgroup sets one".to_owned()),
    };
    let memory = |part: fn(MemoryInfo) -> u64| machine.memory.map(part).map_or_else(unknown, gibibytes);
    aligned(&[
        row("logical cores", machine.logical.to_string(), String::new()),
        row("physical cores", physical, String::new()),
        affinity,
        quota,
        row("--procs auto is", machine.auto.to_string(), reason(machine)),
        row("memory", memory(|memory| memory.total), String::new()),
        row("memory available", memory(|memory| memory.available), String::new()),
    ])
}

/// The answer as JSON. Counts and bytes are numbers; what is unknown is null.
pub(super) fn json(machine: &MachineInfo) -> String {
    let affinity = machine.affinity.as_ref().map(|found| json!({ "count": found.count, "list": found.list }));
    let quota = machine.quota.as_ref().map(|found| json!({ "cpus": found.cpus, "file": found.file }));
    let answer = json!({
        "logical_cores": machine.logical,
        "physical_cores": machine.physical,
        "affinity": affinity,
        "quota": quota,
        "procs_auto": machine.auto,
        "memory_total_bytes": machine.memory.map(|memory| memory.total),
        "memory_available_bytes": machine.memory.map(|memory| memory.available),
    });
    format!("{answer:#}\n")
}

/// Which limit decides the value of `auto`.
fn reason(machine: &MachineInfo) -> String {
    let is_quota = machine.quota.as_ref().is_some_and(|quota| quota.cpus.floor().max(1.0) <= machine.auto as f64);
    let is_affinity = machine.affinity.as_ref().is_some_and(|affinity| affinity.count == machine.auto);
    let says = match (is_quota, is_affinity && machine.auto < machine.logical) {
        (true, _) => "by the quota, rounded down to whole CPUs, at least 1",
        (_, true) => "by affinity",
        _ => "all logical cores",
    };
    format!("{says} (std::thread::available_parallelism)")
}

/// A number with at most two decimals, without trailing zeros.
fn trimmed(number: f64) -> String {
    format!("{number:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::machine::{Affinity, Quota};

    fn machine() -> MachineInfo {
        MachineInfo {
            logical: 8,
            physical: Some(4),
            affinity: Some(Affinity { list: "0-3".to_owned(), count: 4 }),
            quota: None,
            auto: 4,
            memory: Some(MemoryInfo { total: 16 << 30, available: 3 << 29 }),
        }
    }

    #[test]
    fn the_text() {
        let expected = "\
logical cores     8
physical cores    4
affinity leaves   4         CPUs 0-3
quota leaves      all       no cgroup sets one
--procs auto is   4         by affinity (std::thread::available_parallelism)
memory            16.0 GiB
memory available  1.5 GiB
";
        assert_eq!(text(&machine()), expected);
    }

    #[test]
    fn the_smallest_limit_decides() {
        let free = MachineInfo { affinity: Some(Affinity { list: "0-7".to_owned(), count: 8 }), auto: 8, ..machine() };
        assert!(reason(&free).starts_with("all logical cores"));
        let quota = |cpus: f64| Some(Quota { cpus, file: "cpu.max".into() });
        assert!(reason(&MachineInfo { quota: quota(2.5), auto: 2, ..free.clone() }).starts_with("by the quota"));
        assert!(reason(&MachineInfo { quota: quota(0.5), auto: 1, ..free.clone() }).starts_with("by the quota"));
        assert!(reason(&MachineInfo { quota: quota(64.0), ..free }).starts_with("all logical"));
    }

    #[test]
    fn json_has_numbers_and_nulls() {
        let value: serde_json::Value = serde_json::from_str(&json(&machine())).unwrap();
        assert_eq!(value["procs_auto"], 4);
        assert_eq!(value["quota"], serde_json::Value::Null);
        assert_eq!(value["affinity"]["list"], "0-3");
        assert_eq!(value["memory_total_bytes"], 16u64 << 30);
    }

    #[test]
    fn numbers_have_no_trailing_zeros() {
        assert_eq!([1.5, 2.0, 0.25, 10.0].map(trimmed), ["1.5", "2", "0.25", "10"]);
    }
}

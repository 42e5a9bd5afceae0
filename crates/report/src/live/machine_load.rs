//! CPU time that other programs used during a run, from the kernel's counters.

use std::fs;
use std::time::Duration;

/// Clock ticks per second in `/proc` on every supported Linux.
const TICKS: u64 = 100;

/// CPU time used so far: by the whole machine, and by this process with its
/// reaped children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineLoad {
    /// Ticks of all CPUs: busy, or stolen from a virtual machine.
    all: u64,
    /// Ticks of this process and its reaped children.
    own: u64,
}

impl MachineLoad {
    /// Reads the counters; `None` if the system does not have them.
    #[must_use]
    pub fn now() -> Option<Self> {
        let read = |path| fs::read_to_string(path).ok();
        Self::parse(&read("/proc/stat")?, &read("/proc/self/stat")?)
    }

    /// Parses the text of `/proc/stat` and of `/proc/self/stat`.
    #[must_use]
    pub fn parse(machine: &str, process: &str) -> Option<Self> {
        // cpu user nice system idle iowait irq softirq steal guest guest_nice;
        // user and nice include the guests' time.
        let line = machine.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
        let idle: u64 = ticks.get(3..5)?.iter().sum();
        let all = ticks.iter().take(8).sum::<u64>().checked_sub(idle)?;
        // The program's name, in parentheses, may contain any character. The state is the
        // 3rd field; utime, stime, cutime and cstime are the 14th to the 17th.
        let (_, fields) = process.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let own: Vec<u64> = fields.get(11..15)?.iter().map(|field| field.parse()).collect::<Result<_, _>>().ok()?;
        Some(Self { all, own: own.iter().sum() })
    }

    /// CPU time that other programs used since `earlier`.
    #[must_use]
    pub fn others_since(&self, earlier: &Self) -> Duration {
        let all = self.all.saturating_sub(earlier.all);
        let own = self.own.saturating_sub(earlier.own);
        Duration::from_millis(all.saturating_sub(own) * 1000 / TICKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  100 10 50 1000 20 1 2 7 30 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n";
    const OWN: &str = "42 (a) b) c) S 1 42 42 0 -1 4194560 9 8 7 6 30 10 15 5 20 0 1 0 99 1 2";

    #[test]
    fn counts_are_found() {
        let load = MachineLoad::parse(STAT, OWN).unwrap();
        assert_eq!(load, MachineLoad { all: 170, own: 60 });
    }

    #[test]
    fn other_programs_used_the_rest() {
        let before = MachineLoad { all: 170, own: 60 };
        let after = MachineLoad { all: 570, own: 300 };
        assert_eq!(after.others_since(&before), Duration::from_millis(1600));
        assert_eq!(before.others_since(&after), Duration::ZERO, "never less than nothing");
    }

    #[test]
    fn other_text_is_rejected() {
        assert_eq!(MachineLoad::parse("", OWN), None);
        assert_eq!(MachineLoad::parse("cpu  1 2\n", OWN), None);
        assert_eq!(MachineLoad::parse(STAT, "42 (x) S 1"), None);
    }

    #[test]
    fn this_machine_has_the_counters() {
        assert!(MachineLoad::now().is_some_and(|load| load.all >= load.own));
    }
}

//! What the kernel tells of a process in `/proc/PID/stat`.

/// The state of a process and the processor time that it has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcessStat {
    /// `R` for running, `S` for sleeping, `D` for waiting for a disk, …
    pub(crate) state: char,
    /// In user mode and in the kernel, in ticks of 10 ms.
    pub(crate) cpu_ticks: u64,
}

impl ProcessStat {
    /// Of this process; `None` if it has ended or can't be looked at.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(stat: &str) -> Option<Self> {
        // The program's name, in parentheses, may hold anything.
        let (_, rest) = stat.rsplit_once(") ")?;
        // The state, and eleven fields later the two times.
        let mut fields = rest.split(' ');
        let state = fields.next()?.chars().next()?;
        let cpu_ticks = fields.skip(10).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Some(Self { state, cpu_ticks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_and_both_times_are_found_whatever_the_program_is_called() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 40 2 0 0 20 0 1 0";
        for name in ["sh", "a b", ") R 1 ("] {
            let stat = ProcessStat::parse(&format!("42 ({name}) {rest}\n"));
            assert_eq!(stat, Some(ProcessStat { state: 'S', cpu_ticks: 42 }), "{name}");
        }
        assert_eq!(ProcessStat::parse(""), None);
        assert!(ProcessStat::of(std::process::id()).is_some());
    }
}

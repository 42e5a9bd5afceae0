//! What the user's programs leave behind: at a regular end it stays and is noted, else
//! it is ended.

use super::reporter::RunReporter;
use procession_sys::Watcher;
use procession_task::counted;

/// Ids of processes that a note names at most.
const NAMED: usize = 8;

/// While it lives, the processes of the user's programs end with this process. Dropping
/// it ends them.
pub(super) struct ProgramWatch(Option<Watcher>);

impl Drop for ProgramWatch {
    fn drop(&mut self) {
        if self.0.is_some() {
            procession_sys::end_programs();
        }
    }
}

impl ProgramWatch {
    /// Starts it. To be called before a program or a worker is started. Without `/proc`
    /// there is no watcher: then only workers end what their programs leave.
    pub(super) fn start() -> Self {
        let watcher = Watcher::start().ok();
        // Refused only by a kernel that does not know it.
        let _ = procession_sys::contain_programs();
        Self(watcher)
    }

    /// The call ends regularly: what still runs goes on, with a note.
    pub(super) fn end_regularly(mut self, reporter: &RunReporter) {
        let left = procession_sys::processes_left();
        if !left.is_empty() {
            let (count, pids) = (counted(left.len() as u64, "process"), pids(&left));
            let verb = if left.len() == 1 { "runs" } else { "run" };
            reporter.note(&format!("{count} that the programs started still {verb}: {pids}"));
        }
        if let Some(watcher) = self.0.take() {
            watcher.dismiss();
        }
    }
}

fn pids(left: &[u32]) -> String {
    let named: Vec<String> = left.iter().take(NAMED).map(u32::to_string).collect();
    let noun = if left.len() == 1 { "PID" } else { "PIDs" };
    let more = if left.len() > NAMED { ", …" } else { "" };
    format!("{noun} {}{more}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_processes_are_named() {
        assert_eq!(pids(&[7]), "PID 7");
        assert_eq!(pids(&[7, 8]), "PIDs 7, 8");
        assert_eq!(pids(&[1; 9]), "PIDs 1, 1, 1, 1, 1, 1, 1, 1, …");
    }
}

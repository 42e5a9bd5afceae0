//! The most memory that a call's processes ever held.
//!
//! The kernel keeps each process's peak (`VmHWM`), which starts anew with the
//! program; `ru_maxrss` would count what the parent had when it spawned. A peak
//! only grows, so looking now and then loses no more than the last moment.

use crate::process::{all_pids, parent_of, peak_of};
use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use std::collections::HashMap;
use std::process::{Child, Command};
use std::time::Duration;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Peaks, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Peaks {
    /// Of the process that was started.
    pub(crate) coordinator: u64,
    /// The greatest among its children.
    pub(crate) worker: u64,
    /// How many children were seen.
    pub(crate) workers: usize,
}

/// Runs a command to its end and watches it and its children.
pub(crate) fn watch(command: &mut Command) -> Result<Peaks> {
    let mut child = command.spawn().context("can't run the command")?;
    let mut peaks: HashMap<u32, u64> = HashMap::new();
    let mut own = 0;
    let status = loop {
        own = own.max(peak_of(child.id()).unwrap_or(0));
        look_at_children(&child, &mut peaks);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK_EVERY);
    };
    ensure!(status.success(), "the command ended with {status}");
    let worker = peaks.values().copied().max().unwrap_or(0);
    Ok(Peaks { coordinator: own, worker, workers: peaks.len() })
}

fn look_at_children(parent: &Child, peaks: &mut HashMap<u32, u64>) {
    for pid in all_pids().filter(|&pid| parent_of(pid) == Some(parent.id())) {
        let peak = peaks.entry(pid).or_insert(0);
        *peak = peak_of(pid).unwrap_or(0).max(*peak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_and_its_children_are_seen() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 0.3 & sleep 0.3 & wait"]);
        let peaks = watch(&mut command).unwrap();
        assert_eq!(peaks.workers, 2, "{peaks:?}");
        assert!(peaks.coordinator > 100_000 && peaks.worker > 100_000, "{peaks:?}");
    }

    #[test]
    fn a_failing_command_is_an_error() {
        assert!(watch(&mut Command::new("false")).is_err());
    }
}

//! How the workers spent their time.

use crate::model::run_summary::RunSummary;
use crate::model::slot_sum::SlotSum;
use crate::model::worker::WorkerRow;
use serde::Serialize;

/// Shares of the workers' time, which is that of each slot from the pool's creation
/// to the last exit. The sum of all shares is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct WorkerShares {
    /// Start-up: from the pool's creation, or the spawn of a replacement, until the
    /// process was ready.
    pub start_up: f64,
    /// Waiting for a chunk.
    pub waiting: f64,
    /// Reading, checking and framing messages.
    pub transport: f64,
    /// Parsing items.
    pub decoding: f64,
    /// Running the task.
    pub running: f64,
    /// Formatting records and log lines.
    pub encoding: f64,
    /// Writing results to the pipe.
    pub writing: f64,
    /// From a worker's last message until its slot has a new process, or the run has
    /// ended.
    pub ending: f64,
    /// The rest: time of processes that died before they reported it, and of empty slots.
    pub other: f64,
}

impl WorkerShares {
    /// The shares of all these runs together; `None` if no worker reported its times.
    #[must_use]
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a RunSummary>) -> Option<Self> {
        let (mut total, mut told) = (0.0, false);
        let mut sums = Self::default();
        for run in runs {
            let Some(wall) = run.wall_s() else { continue };
            total += wall * f64::from(run.configuration().count);
            for row in &run.workers {
                told |= row.end.as_ref().is_some_and(|end| end.running_s.is_some());
                sums.add(row, row.replaced_s.unwrap_or(wall));
            }
            run.summed.iter().for_each(|slot| sums.add_sum(slot));
        }
        let known = sums.parts().iter().sum();
        // Clocks differ slightly: the sum must not exceed 1.
        let all = f64::max(total, known);
        (told && all > 0.0).then(|| Self { other: all - known, ..sums }.divided_by(all))
    }

    /// Each share with its name, in the order of a worker's phases.
    #[must_use]
    pub fn named(&self) -> [(&'static str, f64); 9] {
        [
            ("start-up", self.start_up),
            ("waiting", self.waiting),
            ("transport", self.transport),
            ("decoding", self.decoding),
            ("running", self.running),
            ("encoding", self.encoding),
            ("writing", self.writing),
            ("ending", self.ending),
            ("other", self.other),
        ]
    }

    fn parts(&self) -> [f64; 9] {
        self.named().map(|(_, part)| part)
    }

    /// Adds a process whose slot was occupied until `until` seconds.
    fn add(&mut self, row: &WorkerRow, until: f64) {
        let (start_up_s, ending_s) = row.start_up_and_ending_s(until);
        self.start_up += start_up_s;
        self.ending += ending_s;
        let Some(end) = row.end.as_ref().filter(|end| end.reported_total_s().is_some()) else { return };
        let seconds = |part: Option<f64>| part.unwrap_or(0.0);
        self.waiting += seconds(end.waiting_s);
        self.transport += seconds(end.transport_s);
        self.decoding += seconds(end.decoding_s);
        self.running += seconds(end.running_s);
        self.encoding += seconds(end.encoding_s);
        self.writing += seconds(end.writing_s);
    }

    /// Adds the summed processes of a slot.
    fn add_sum(&mut self, slot: &SlotSum) {
        self.start_up += slot.start_up_s;
        self.ending += slot.ending_s;
        self.waiting += slot.waiting_s;
        self.transport += slot.transport_s;
        self.decoding += slot.decoding_s;
        self.running += slot.running_s;
        self.encoding += slot.encoding_s;
        self.writing += slot.writing_s;
    }

    fn divided_by(self, all: f64) -> Self {
        Self {
            start_up: self.start_up / all,
            waiting: self.waiting / all,
            transport: self.transport / all,
            decoding: self.decoding / all,
            running: self.running / all,
            encoding: self.encoding / all,
            writing: self.writing / all,
            ending: self.ending / all,
            other: self.other / all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::ProcessName;
    use crate::model::worker::{WorkerLine, WorkerRows};
    use crate::samples::{many_processes, row, run};
    use std::collections::BTreeMap;

    fn sum(shares: &WorkerShares) -> f64 {
        shares.parts().iter().sum()
    }

    #[test]
    fn shares_add_up_to_one() {
        // Two workers in a second: 2 s of workers' time.
        let run = run(1, 2, 1.0, vec![row(0, 10, 0.1, (0.5, 0.2, 0.1)), row(1, 11, 0.1, (0.5, 0.3, 0.0))]);
        let shares = WorkerShares::of([&run]).unwrap();
        let expected =
            WorkerShares { start_up: 0.1, running: 0.5, waiting: 0.25, writing: 0.05, ..WorkerShares::default() };
        assert_eq!(shares, WorkerShares { ending: shares.ending, other: shares.other, ..expected });
        assert!((shares.ending - 0.1).abs() < 1e-12 && shares.other.abs() < 1e-12, "{shares:?}");
    }

    #[test]
    fn different_clocks_never_make_a_sum_above_one() {
        let run = run(1, 1, 1.0, vec![row(0, 10, 0.5, (1.0, 0.5, 0.0))]);
        let shares = WorkerShares::of([&run]).unwrap();
        assert_eq!((shares.start_up, shares.waiting), (0.0, 0.5 / 1.5));
        assert!((sum(&shares) - 1.0).abs() < 1e-12, "{shares:?}");
    }

    #[test]
    fn a_late_handshake_event_does_not_lengthen_the_start_up() {
        // At work from 0.2 s to 0.9 s, by its own measure; its hello was heard at 0.3 s.
        let mut late = row(0, 10, 0.3, (0.5, 0.2, 0.0));
        late.end.as_mut().unwrap().told_s = Some(0.9);
        let run = run(1, 1, 1.0, vec![late]);
        let shares = WorkerShares::of([&run]).unwrap();
        for (share, expected) in [(shares.start_up, 0.2), (shares.ending, 0.1), (shares.other, 0.0)] {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
    }

    #[test]
    fn a_replacement_starts_when_it_is_spawned() {
        let (mut first, mut second) = (row(0, 10, 0.125, (0.25, 0.0, 0.0)), row(0, 11, 0.75, (0.125, 0.0, 0.0)));
        (first.replaced_s, second.nth, second.spawned_s) = (Some(0.5), 1, 0.5);
        let run = run(1, 1, 1.0, vec![first, second]);
        let shares = WorkerShares::of([&run]).unwrap();
        // Of the first 0.125 until the second's spawning, of the second 0.125 until the end.
        assert_eq!((shares.start_up, shares.ending, shares.other), (0.375, 0.25, 0.0));
    }

    #[test]
    fn unreported_time_of_a_dead_process_is_the_rest() {
        let (mut dead, mut second) = (row(0, 10, 0.125, (0.0, 0.0, 0.0)), row(0, 11, 0.75, (0.25, 0.0, 0.0)));
        dead.end.as_mut().unwrap().waiting_s = None;
        (dead.replaced_s, second.nth, second.spawned_s) = (Some(0.5), 1, 0.5);
        let shares = WorkerShares::of([&run(1, 1, 1.0, vec![dead, second])]).unwrap();
        assert_eq!((shares.start_up, shares.running, shares.ending, shares.other), (0.375, 0.25, 0.0, 0.375));
    }

    #[test]
    fn without_reports_there_are_no_shares() {
        assert_eq!(WorkerShares::of([]), None);
        assert_eq!(WorkerShares::of([&run(1, 1, 1.0, vec![])]), None);
    }

    /// The shares of a run with many processes, of which each has a row.
    fn exact(each: u32) -> WorkerShares {
        let mut all: BTreeMap<ProcessName, WorkerRow> = BTreeMap::new();
        for line in many_processes(each) {
            let process = match &line {
                WorkerLine::Spawned { process, .. }
                | WorkerLine::Ready { process, .. }
                | WorkerLine::Exited { process, .. } => *process,
                WorkerLine::SpawnFailed { .. } => continue,
            };
            let ProcessName { worker, nth, pid } = process;
            let row = all.entry(process).or_insert_with(|| WorkerRow { worker, nth, pid, ..WorkerRow::default() });
            match line {
                WorkerLine::Spawned { at_us, .. } => row.spawned_s = at_us / 1e6,
                WorkerLine::Ready { at_us, .. } => row.ready_s = Some(at_us / 1e6),
                WorkerLine::Exited { end, at_us, .. } => {
                    (row.end, row.exited_s) = (Some(end), Some(at_us / 1e6));
                }
                WorkerLine::SpawnFailed { .. } => {}
            }
        }
        let spawned: BTreeMap<_, _> = all.values().map(|row| ((row.worker, row.nth), row.spawned_s)).collect();
        all.values_mut().for_each(|row| row.replaced_s = spawned.get(&(row.worker, row.nth + 1)).copied());
        WorkerShares::of([&run(1, 2, f64::from(each) / 1000.0, all.into_values().collect())]).unwrap()
    }

    #[test]
    fn sums_of_processes_do_not_change_the_shares() {
        let mut rows = WorkerRows::default();
        many_processes(5000).for_each(|line| rows.take(line));
        let (workers, summed) = rows.into_parts();
        assert!(!summed.is_empty());
        let run = RunSummary { summed, ..run(1, 2, 5.0, workers) };
        let shares = WorkerShares::of([&run]).unwrap();
        for ((name, share), (_, exact)) in shares.named().into_iter().zip(exact(5000).named()) {
            assert!((share - exact).abs() < 1e-9, "{name}: {share}, {exact}");
        }
    }
}

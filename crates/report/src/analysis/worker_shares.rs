//! How the workers spent their time.

use crate::model::run_summary::RunSummary;
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
                sums.add(row, until_s(row, &run.workers, wall));
            }
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
        let begun = if row.nth == 0 { 0.0 } else { row.spawned_s };
        let ready = row.ready_s.or(row.exited_s).unwrap_or(until);
        let Some((end, told)) = row.end.as_ref().and_then(|end| Some((end, end.reported_total_s()?))) else {
            self.start_up += (ready - begun).max(0.0);
            return;
        };
        // The process reported how long it worked, and when its last message came is
        // known: so its start is known. The event of its handshake may be late if many
        // processes start at once, or early if loading the task took long.
        let ready = end.told_s.map_or(ready.min(until - told), |last| last - told).max(begun);
        self.start_up += ready - begun;
        self.ending += (until - ready - told).max(0.0);
        let seconds = |part: Option<f64>| part.unwrap_or(0.0);
        self.waiting += seconds(end.waiting_s);
        self.transport += seconds(end.transport_s);
        self.decoding += seconds(end.decoding_s);
        self.running += seconds(end.running_s);
        self.encoding += seconds(end.encoding_s);
        self.writing += seconds(end.writing_s);
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

/// Seconds until the slot of a process had its next process, or the run ended.
fn until_s(row: &WorkerRow, all: &[WorkerRow], wall: f64) -> f64 {
    let next = all.iter().filter(|other| other.worker == row.worker && other.nth > row.nth);
    next.map(|next| next.spawned_s).fold(wall, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{row, run};

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
        let (first, mut second) = (row(0, 10, 0.125, (0.25, 0.0, 0.0)), row(0, 11, 0.75, (0.125, 0.0, 0.0)));
        (second.nth, second.spawned_s) = (1, 0.5);
        let run = run(1, 1, 1.0, vec![first, second]);
        let shares = WorkerShares::of([&run]).unwrap();
        // Of the first 0.125 until the second's spawning, of the second 0.125 until the end.
        assert_eq!((shares.start_up, shares.ending, shares.other), (0.375, 0.25, 0.0));
    }

    #[test]
    fn unreported_time_of_a_dead_process_is_the_rest() {
        let (mut dead, mut second) = (row(0, 10, 0.125, (0.0, 0.0, 0.0)), row(0, 11, 0.75, (0.25, 0.0, 0.0)));
        dead.end.as_mut().unwrap().waiting_s = None;
        (second.nth, second.spawned_s) = (1, 0.5);
        let shares = WorkerShares::of([&run(1, 1, 1.0, vec![dead, second])]).unwrap();
        assert_eq!((shares.start_up, shares.running, shares.ending, shares.other), (0.375, 0.25, 0.0, 0.375));
    }

    #[test]
    fn without_reports_there_are_no_shares() {
        assert_eq!(WorkerShares::of([]), None);
        assert_eq!(WorkerShares::of([&run(1, 1, 1.0, vec![])]), None);
    }
}

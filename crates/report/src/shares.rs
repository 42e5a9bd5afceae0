//! Where the workers' time went.

use crate::collector::RunSummary;
use crate::worker::{ProcessEnd, WorkerRow};
use serde::Serialize;

/// Shares of the workers' time (each worker's place in the pool, from the
/// pool's creation to the last exit); together they are 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Shares {
    /// From the pool's creation, or a replacement's spawning, until it was ready.
    pub start_up: f64,
    /// Waiting for a chunk.
    pub waiting: f64,
    /// Reading, checking and framing messages.
    pub transport: f64,
    /// Reading items from their text.
    pub decoding: f64,
    /// The task itself.
    pub running: f64,
    /// Writing records and log lines.
    pub encoding: f64,
    /// Handing results over.
    pub writing: f64,
    /// The rest: ending, and what dead processes could not tell.
    pub other: f64,
}

impl Shares {
    /// Of all these runs together; `None` if their workers told nothing.
    #[must_use]
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a RunSummary>) -> Option<Self> {
        let (mut total, mut told) = (0.0, false);
        let mut sums = Self::default();
        for run in runs {
            let Some(wall) = run.wall_s() else { continue };
            total += wall * f64::from(run.configuration().count);
            for row in &run.workers {
                sums.start_up += start_up_s(row, wall);
                if let Some(end) = &row.end {
                    told |= end.running_s.is_some();
                    sums.add(end);
                }
            }
        }
        let known = sums.parts().iter().sum();
        // Clocks differ a little: never more than all of it.
        let all = f64::max(total, known);
        (told && all > 0.0).then(|| Self { other: all - known, ..sums }.divided_by(all))
    }

    /// Each share with the word for it, in the order in which a worker comes to it.
    #[must_use]
    pub fn named(&self) -> [(&'static str, f64); 8] {
        [
            ("start-up", self.start_up),
            ("waiting", self.waiting),
            ("transport", self.transport),
            ("decoding", self.decoding),
            ("running", self.running),
            ("encoding", self.encoding),
            ("writing", self.writing),
            ("other", self.other),
        ]
    }

    fn parts(&self) -> [f64; 8] {
        self.named().map(|(_, part)| part)
    }

    /// Adds the seconds that a process told of.
    fn add(&mut self, end: &ProcessEnd) {
        let told = |seconds: Option<f64>| seconds.unwrap_or(0.0);
        self.waiting += told(end.waiting_s);
        self.transport += told(end.transport_s);
        self.decoding += told(end.decoding_s);
        self.running += told(end.running_s);
        self.encoding += told(end.encoding_s);
        self.writing += told(end.writing_s);
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
            other: self.other / all,
        }
    }
}

fn start_up_s(row: &WorkerRow, wall: f64) -> f64 {
    let ready = row.ready_s.or(row.exited_s).unwrap_or(wall);
    let from = if row.nth == 0 { 0.0 } else { row.spawned_s };
    (ready - from).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{row, run};

    #[test]
    fn shares_add_up_to_one() {
        // Two workers in a second: 2 s of workers' time.
        let run = run(1, 2, 1.0, vec![row(0, 10, 0.1, (0.5, 0.2, 0.1)), row(1, 11, 0.1, (0.5, 0.3, 0.0))]);
        let shares = Shares::of([&run]).unwrap();
        let expected = Shares { start_up: 0.1, running: 0.5, waiting: 0.25, writing: 0.05, ..Shares::default() };
        assert_eq!(shares, Shares { other: shares.other, ..expected });
        assert!((shares.other - 0.1).abs() < 1e-12);
    }

    #[test]
    fn never_more_than_all() {
        let run = run(1, 1, 1.0, vec![row(0, 10, 0.5, (1.0, 0.5, 0.0))]);
        let shares = Shares::of([&run]).unwrap();
        assert_eq!((shares.start_up, shares.running, shares.waiting, shares.other), (0.25, 0.5, 0.25, 0.0));
    }

    #[test]
    fn a_replacement_starts_when_it_is_spawned() {
        let mut replaced = row(0, 10, 0.75, (0.125, 0.0, 0.0));
        (replaced.nth, replaced.spawned_s) = (1, 0.5);
        let run = run(1, 1, 1.0, vec![replaced]);
        assert_eq!(Shares::of([&run]).unwrap().start_up, 0.25);
    }

    #[test]
    fn nothing_told() {
        assert_eq!(Shares::of([]), None);
        assert_eq!(Shares::of([&run(1, 1, 1.0, vec![])]), None);
    }
}

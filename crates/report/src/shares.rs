//! Where the workers' time went.

use crate::collector::RunSummary;
use crate::worker::WorkerRow;
use serde::Serialize;

/// Shares of the workers' time (each worker's place in the pool, from the
/// pool's creation to the last exit); together they are 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Shares {
    /// From the pool's creation, or a replacement's spawning, until it was ready.
    pub start_up: f64,
    /// Busy with items.
    pub busy: f64,
    /// Waiting for a chunk.
    pub waiting: f64,
    /// Writing results.
    pub writing: f64,
    /// The rest: ending, and what dead processes could not tell.
    pub other: f64,
}

impl Shares {
    /// Of all these runs together; `None` if their workers told nothing.
    #[must_use]
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a RunSummary>) -> Option<Self> {
        let (mut total, mut told) = (0.0, false);
        let (mut start_up, mut busy, mut waiting, mut writing) = (0.0, 0.0, 0.0, 0.0);
        for run in runs {
            let Some(wall) = run.wall_s() else { continue };
            total += wall * f64::from(run.configuration().count);
            for row in &run.workers {
                start_up += start_up_s(row, wall);
                if let Some(end) = &row.end {
                    told |= end.busy_s.is_some();
                    busy += end.busy_s.unwrap_or(0.0);
                    waiting += end.waiting_s.unwrap_or(0.0);
                    writing += end.writing_s.unwrap_or(0.0);
                }
            }
        }
        let known = start_up + busy + waiting + writing;
        // Clocks differ a little: never more than all of it.
        let all = f64::max(total, known);
        (told && all > 0.0).then(|| Self {
            start_up: start_up / all,
            busy: busy / all,
            waiting: waiting / all,
            writing: writing / all,
            other: (all - known) / all,
        })
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
        assert_eq!(shares, Shares { start_up: 0.1, busy: 0.5, waiting: 0.25, writing: 0.05, other: shares.other });
        assert!((shares.other - 0.1).abs() < 1e-12);
    }

    #[test]
    fn never_more_than_all() {
        let run = run(1, 1, 1.0, vec![row(0, 10, 0.5, (1.0, 0.5, 0.0))]);
        let shares = Shares::of([&run]).unwrap();
        assert_eq!((shares.start_up, shares.busy, shares.waiting, shares.other), (0.25, 0.5, 0.25, 0.0));
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

//! How busy the coordinator's own threads were.

use crate::model::run_summary::RunSummary;
use crate::text::units;
use procession_task::CoordinatorTimes;
use serde::Serialize;
use std::fmt;

/// [`CoordinatorTimes`] as shares of the wall time. A thread with a share near 1 is
/// the bottleneck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CoordinatorShares {
    /// Reading and cutting the input.
    pub reading: f64,
    /// Starting processes.
    pub spawning: Option<f64>,
    /// Cutting, sending and receiving blocks.
    pub transport: Option<f64>,
    /// Putting results in order.
    pub order: Option<f64>,
    /// Digesting and writing the output.
    pub writing: f64,
}

impl CoordinatorShares {
    /// The shares of all these runs together; `None` if no times are known.
    #[must_use]
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a RunSummary>) -> Option<Self> {
        let known = |run: &'a RunSummary| {
            let result = run.result.as_ref()?;
            Some((result.wall_s, result.coordinator?)).filter(|(wall, _)| *wall > 0.0)
        };
        let runs: Vec<(f64, CoordinatorTimes)> = runs.into_iter().filter_map(known).collect();
        let wall: f64 = runs.iter().map(|(wall, _)| wall).sum();
        if runs.is_empty() {
            return None;
        }
        // The threads of input and output start before the pool and end after it.
        let share = |of: &dyn Fn(&CoordinatorTimes) -> Option<f64>| -> Option<f64> {
            let sum: Option<f64> = runs.iter().map(|(_, times)| of(times)).sum();
            sum.map(|sum| (sum / wall).min(1.0))
        };
        Some(Self {
            reading: share(&|times| Some(times.reading_s))?,
            spawning: share(&|times| times.spawning_s),
            transport: share(&|times| times.transport_s),
            order: share(&|times| times.order_s),
            writing: share(&|times| Some(times.writing_s))?,
        })
    }
}

impl fmt::Display for CoordinatorShares {
    /// Writes `reading 1.0 %, spawning 0.2 %, transport 3.1 %, order 0.4 %, writing 2.0 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reading {}", units::percent(self.reading))?;
        for (phase, share) in [("spawning", self.spawning), ("transport", self.transport), ("order", self.order)] {
            if let Some(share) = share {
                write!(f, ", {phase} {}", units::percent(share))?;
            }
        }
        write!(f, ", writing {}", units::percent(self.writing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::run;

    fn timed(number: u32, wall_s: f64, times: Option<CoordinatorTimes>) -> RunSummary {
        let mut run = run(number, 2, wall_s, vec![]);
        run.result.as_mut().unwrap().coordinator = times;
        run
    }

    #[test]
    fn shares_of_the_wall_time() {
        let local = CoordinatorTimes { reading_s: 0.5, writing_s: 3.0, ..CoordinatorTimes::default() };
        let driven = CoordinatorTimes {
            spawning_s: Some(0.25),
            transport_s: Some(0.5),
            order_s: Some(0.0),
            driver_waiting_s: Some(1.25),
            ..local
        };
        let runs = [timed(1, 2.0, Some(driven)), timed(2, 2.0, Some(driven)), timed(3, 9.0, None)];
        let shares = CoordinatorShares::of(&runs).unwrap();
        let text = "reading 25.0 %, spawning 12.5 %, transport 25.0 %, order 0.0 %, writing 100.0 %";
        assert_eq!(shares.to_string(), text, "never more than all of it");
        let shares = CoordinatorShares::of(&[timed(1, 2.0, Some(local))]).unwrap();
        assert_eq!(shares.to_string(), "reading 25.0 %, writing 100.0 %");
        assert_eq!(CoordinatorShares::of(&runs[2..]), None);
    }
}

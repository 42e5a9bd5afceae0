//! Plans the runs: warm-ups first, then repeated rounds through all
//! configurations. So a temporary slowdown of the machine affects all
//! configurations.

use crate::output::OutputChoice;
use procession_task::Configuration;

/// The purpose of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunPhase {
    /// It is measured, in this round, from 0.
    Measured(u32),
    /// It is a warm-up, in this round, from 0.
    Warmup(u32),
    /// It writes the results, after all measured runs.
    Printing,
}

/// A planned run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedRun {
    /// Its number, from 1.
    pub number: usize,
    /// Its configuration.
    pub configuration: Configuration,
    /// Its purpose.
    pub phase: RunPhase,
    /// Whether its results are written to the output.
    pub prints: bool,
}

/// How often each configuration runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// How many measured runs, at least one.
    pub repeat: u32,
    /// How many warm-up runs.
    pub warmup: u32,
}

/// Which results of a study are written to the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrintedResults {
    /// None.
    Nothing,
    /// The results of the largest size, once.
    Largest,
    /// The results of each size, once.
    EachSize,
}

impl PrintedResults {
    /// The results that this output receives. Without an output, a single run
    /// writes to standard output.
    pub(crate) fn by(output: Option<&OutputChoice>) -> Self {
        match output {
            None => Self::Nothing,
            Some(OutputChoice::Picture(_)) => Self::EachSize,
            Some(OutputChoice::Stdout | OutputChoice::File(_)) => Self::Largest,
        }
    }
}

/// All runs, in order. A single run writes its results. With several runs,
/// measured ones write nothing; if there is an output, the results of a size
/// are written by the first warm-up at the largest count, or by an additional
/// run.
#[must_use]
pub(crate) fn plan(configurations: &[Configuration], rounds: Rounds, wanted: PrintedResults) -> Vec<PlannedRun> {
    let warmups = (0..rounds.warmup).map(RunPhase::Warmup);
    let measured = (0..rounds.repeat.max(1)).map(RunPhase::Measured);
    let mut runs = Vec::new();
    for phase in warmups.chain(measured) {
        for &configuration in configurations {
            runs.push(PlannedRun { number: runs.len() + 1, configuration, phase, prints: false });
        }
    }
    if let [only] = &mut runs[..] {
        only.prints = true;
        return runs;
    }
    for configuration in printed(configurations, wanted) {
        let is_free = |run: &&mut PlannedRun| run.configuration == configuration && run.phase == RunPhase::Warmup(0);
        match runs.iter_mut().find(is_free) {
            Some(run) => run.prints = true,
            None => {
                let number = runs.len() + 1;
                runs.push(PlannedRun { number, configuration, phase: RunPhase::Printing, prints: true });
            }
        }
    }
    runs
}

/// The configurations whose results are written.
fn printed(configurations: &[Configuration], wanted: PrintedResults) -> Vec<Configuration> {
    match wanted {
        PrintedResults::Nothing => Vec::new(),
        PrintedResults::Largest => largest(configurations).into_iter().collect(),
        // The configurations are sorted by size.
        PrintedResults::EachSize => configurations.chunk_by(|a, b| a.size == b.size).filter_map(largest).collect(),
    }
}

/// The largest count of the largest size; no size means the whole input.
pub(crate) fn largest(configurations: &[Configuration]) -> Option<Configuration> {
    let size = |c: &Configuration| c.size.unwrap_or(u64::MAX);
    configurations.iter().copied().rev().max_by_key(|c| (size(c), c.count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::matrix::matrix;
    use procession::ChunkSize;
    use procession_task::Executor;

    fn shape(
        counts: &[u32],
        sizes: &[u64],
        repeat: u32,
        warmup: u32,
        wanted: PrintedResults,
    ) -> Vec<(RunPhase, u32, u64, bool)> {
        let procs: Vec<_> = counts.iter().map(|&count| (Executor::Procs, count)).collect();
        let all = matrix(&procs, sizes, &[ChunkSize::Auto]);
        let runs = plan(&all, Rounds { repeat, warmup }, wanted);
        assert!(runs.iter().enumerate().all(|(i, run)| run.number == i + 1));
        let shape =
            |run: &PlannedRun| (run.phase, run.configuration.count, run.configuration.size.unwrap_or(0), run.prints);
        runs.iter().map(shape).collect()
    }

    #[test]
    fn a_single_run_writes_its_results_to_the_output() {
        assert_eq!(shape(&[4], &[], 1, 0, PrintedResults::Nothing), [(RunPhase::Measured(0), 4, 0, true)]);
        assert_eq!(shape(&[4], &[], 1, 0, PrintedResults::Largest), [(RunPhase::Measured(0), 4, 0, true)]);
    }

    #[test]
    fn rounds_are_interleaved_and_write_nothing() {
        use RunPhase::{Measured, Warmup};
        let expected = [
            (Warmup(0), 1, 0, false),
            (Warmup(0), 2, 0, false),
            (Measured(0), 1, 0, false),
            (Measured(0), 2, 0, false),
            (Measured(1), 1, 0, false),
            (Measured(1), 2, 0, false),
        ];
        assert_eq!(shape(&[1, 2], &[], 2, 1, PrintedResults::Nothing), expected);
    }

    #[test]
    fn the_largest_size_is_written_once_and_not_by_a_measured_run() {
        let printed = |counts: &[u32], sizes: &[u64], warmup| {
            let runs = shape(counts, sizes, 2, warmup, PrintedResults::Largest);
            let printing: Vec<_> = runs.iter().filter(|run| run.3).copied().collect();
            assert_eq!(printing.len(), 1);
            (runs.len(), printing[0])
        };
        assert_eq!(printed(&[1, 4, 2], &[5, 9, 7], 0), (19, (RunPhase::Printing, 4, 9, true)));
        assert_eq!(printed(&[1, 4, 2], &[5, 9, 7], 1), (27, (RunPhase::Warmup(0), 4, 9, true)));
        assert_eq!(printed(&[1], &[], 1), (3, (RunPhase::Warmup(0), 1, 0, true)));
    }
    #[test]
    fn each_size_is_written_once_for_pictures() {
        for (warmup, phase) in [(0, RunPhase::Printing), (1, RunPhase::Warmup(0))] {
            let runs = shape(&[1, 3, 2], &[5, 9, 7], 2, warmup, PrintedResults::EachSize);
            let printing: Vec<_> = runs.iter().filter(|run| run.3).copied().collect();
            assert_eq!(printing, [5, 9, 7].map(|size| (phase, 3, size, true)));
        }
    }
}

//! What the work runs on: from counts of processes and threads to the
//! configurations that are run.

use crate::args::ExecutorFlags;
use procession::ChunkSize;
use procession_job::{Executor, Rounds};

/// The configurations, all but their sizes.
#[derive(Debug)]
pub(crate) struct ExecutorPlan {
    /// What runs the work and how many of them, at least one, in order: the
    /// loop, then threads, then processes.
    pub(crate) all: Vec<(Executor, u32)>,
    /// Items per message, at least one value.
    pub(crate) chunks: Vec<ChunkSize>,
    /// How often each runs.
    pub(crate) rounds: Rounds,
    /// Whether somebody said how many.
    pub(crate) are_counted: bool,
    /// Whether outputs are compared.
    pub(crate) verify: bool,
}

impl ExecutorPlan {
    /// `auto` is so many `cpus`.
    pub(super) fn new(flags: &ExecutorFlags, cpus: usize) -> Result<Self, String> {
        let counts = |flag: &str, text: &str| -> Result<Vec<u32>, String> {
            let counts = procession_job::parse_counts(text, cpus as u64).map_err(|e| format!("--{flag}: {e}"))?;
            let counts: Result<_, _> = counts.into_iter().map(u32::try_from).collect();
            counts.map_err(|_| format!("--{flag}: no system runs as many"))
        };
        let ExecutorFlags { compare, serial, .. } = *flags;
        // Comparing takes the same counts for both, unless each has its own.
        let threads = flags.threads.as_deref().or_else(|| compare.then(|| flags.procs.as_deref().unwrap_or("auto")));
        let by_default = || (compare || !(serial || threads.is_some())).then(|| threads.unwrap_or("auto"));
        let procs = flags.procs.as_deref().or_else(by_default);
        let mut all = Vec::new();
        if serial || compare {
            all.push((Executor::Serial, 1));
        }
        for (executor, flag, text) in [(Executor::Threads, "threads", threads), (Executor::Procs, "procs", procs)] {
            if let Some(text) = text {
                all.extend(counts(flag, text)?.into_iter().map(|count| (executor, count)));
            }
        }
        let rounds = Rounds { repeat: flags.repeat, warmup: flags.warmup };
        let are_counted = flags.procs.is_some() || flags.threads.is_some();
        Ok(Self { all, chunks: flags.chunk.0.clone(), rounds, are_counted, verify: !flags.no_verify })
    }

    /// Whether some of it has no process around it that could be ended.
    pub(crate) fn has_local(&self) -> bool {
        self.all.iter().any(|(executor, _)| *executor != Executor::Procs)
    }

    /// Whether there is more than one way to run a size.
    pub(crate) fn are_several(&self) -> bool {
        self.all.len() > 1 || self.chunks.len() > 1
    }

    /// Refuses what only a process can be made to do.
    pub(super) fn check_limits(&self, given: &[(&str, bool)]) -> Result<(), String> {
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) if self.has_local() => Err(format!(
                "{flag} can't be enforced on threads or in the serial loop, which can't be ended: leave it out, or use --procs alone"
            )),
            _ => Ok(()),
        }
    }
}

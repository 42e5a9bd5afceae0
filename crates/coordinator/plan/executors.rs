//! What the work runs on: the counts of processes and threads, and the
//! configurations that follow.

use crate::args::ExecutorFlags;
use procession::ChunkSize;
use procession::raw::MAX_BLOCK_BYTES;
use procession_job::{Executor, Rounds};
use procession_task::library_threads;

/// The configurations, without their sizes.
#[derive(Debug)]
pub(crate) struct ExecutorPlan {
    /// Executors and counts, at least one, in the order of the runs: the serial
    /// loop, threads, processes.
    pub(crate) all: Vec<(Executor, u32)>,
    /// Items per message, at least one value.
    pub(crate) chunks: Vec<ChunkSize>,
    /// How often each runs.
    pub(crate) rounds: Rounds,
    /// Whether the counts were given, not chosen by default.
    pub(crate) are_counted: bool,
    /// Whether the outputs of configurations are compared.
    pub(crate) verify: bool,
}

impl ExecutorPlan {
    /// `cpus` is the value of `auto`.
    pub(super) fn new(flags: &ExecutorFlags, cpus: usize) -> Result<Self, String> {
        let counts = |flag: &str, text: &str| -> Result<Vec<u32>, String> {
            if let Some(count) = count_elsewhere(text, cpus) {
                return Err(format!("--{flag}: '{text}' is not a count here: write --{flag} {count}"));
            }
            let counts = procession_job::parse_counts(text, cpus as u64).map_err(|e| format!("--{flag}: {e}"))?;
            let counts: Result<_, _> = counts.into_iter().map(u32::try_from).collect();
            counts.map_err(|_| format!("--{flag}: the count is too large"))
        };
        let ExecutorFlags { compare, serial, .. } = *flags;
        // --compare uses the same counts for both, unless both are given.
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

    /// Whether some of it runs in this process, which can't be killed.
    pub(crate) fn has_local(&self) -> bool {
        self.all.iter().any(|(executor, _)| *executor != Executor::Procs)
    }

    /// Whether there are several configurations for one size.
    pub(crate) fn are_several(&self) -> bool {
        self.all.len() > 1 || self.chunks.len() > 1
    }

    /// How many threads the libraries of a worker use: its share of the CPUs where there
    /// are most workers. The same for all configurations, so that they can be compared.
    pub(super) fn library_threads(&self, cpus: usize) -> u32 {
        let most = self.all.iter().map(|(_, count)| *count).max().unwrap_or(1);
        library_threads::share(u32::try_from(cpus).unwrap_or(u32::MAX), most)
    }

    /// Refuses items that can't be sent to processes.
    pub(super) fn check_max_item(&self, bytes: usize) -> Result<(), String> {
        if bytes > MAX_BLOCK_BYTES && self.all.iter().any(|(executor, _)| *executor == Executor::Procs) {
            return Err(format!(
                "--max-item: at most {MAX_BLOCK_BYTES} bytes can be sent to a worker process: write 255M or less"
            ));
        }
        Ok(())
    }

    /// Refuses limits that only processes can be held to.
    pub(super) fn check_limits(&self, given: &[(&str, bool)]) -> Result<(), String> {
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) if self.has_local() => Err(format!(
                "{flag} can't be enforced on threads or in the serial loop: leave it out, or use --procs alone"
            )),
            _ => Ok(()),
        }
    }
}

/// What GNU parallel understands by this count: a share of the CPUs, so many more or
/// fewer than there are, or as many as possible.
fn count_elsewhere(text: &str, cpus: usize) -> Option<String> {
    let at_least_one = |count: usize| Some(count.max(1).to_string());
    match (text.strip_suffix('%'), text.as_bytes().first()) {
        (Some(percent), _) => at_least_one(percent.parse::<usize>().ok()?.checked_mul(cpus)? / 100),
        (None, _) if matches!(text, "0" | "+0" | "-0") => Some("1 or more, or auto for all CPUs".to_owned()),
        (None, Some(b'+')) => at_least_one(cpus.checked_add(text[1..].parse().ok()?)?),
        (None, Some(b'-')) => at_least_one(cpus.saturating_sub(text[1..].parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_other_tools_are_answered_with_ours() {
        for (text, ours) in [("50%", "2"), ("200%", "8"), ("1%", "1"), ("+2", "6"), ("-1", "3"), ("-9", "1")] {
            assert_eq!(count_elsewhere(text, 4).as_deref(), Some(ours), "{text}");
        }
        assert!(["0", "+0"].iter().all(|text| count_elsewhere(text, 4).unwrap().contains("or auto")));
        for text in ["4", "1,2", "auto", "1..=auto", "x%", "+x", "", "1..=-1"] {
            assert_eq!(count_elsewhere(text, 4), None, "{text}");
        }
    }
}

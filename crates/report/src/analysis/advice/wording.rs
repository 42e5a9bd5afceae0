//! Describes advice: its evidence, and what to do.

use super::Advice;
use crate::text::units;

impl Advice {
    /// The evidence in a sentence.
    #[must_use]
    pub fn evidence(&self) -> String {
        match self {
            Self::TooFewItems { items, workers, are_blocks } => {
                let what = if *are_blocks { "block" } else { "item" };
                let idle = u64::from(*workers) - items;
                let have = if idle == 1 { "1 has" } else { &format!("{idle} have") };
                format!("{}, {workers} workers: {have} nothing to do.", units::counted(*items, what))
            }
            Self::SingleRuns { configurations } => {
                format!("Each of the {configurations} configurations ran once: how much its time varies is unknown.")
            }
            Self::MoreWorkersThanCpus { workers, cpus } => {
                format!("{workers} workers share {}.", units::counted(u64::from(*cpus), "CPU"))
            }
            Self::FewerCpus { usable, installed, quota_percent } => match quota_percent {
                Some(percent) => {
                    let cpus = f64::from(*percent) / 100.0;
                    format!("A quota leaves this program {cpus} of {installed} CPUs.")
                }
                None => format!("This program may use {usable} of {installed} CPUs."),
            },
            Self::OtherPrograms { run, other_s, wall_s, more } => {
                let more = and_more(*more, "run");
                let (other, wall) = (units::seconds(*other_s), units::seconds(*wall_s));
                format!("Other programs took {other} of CPU time in the {wall} of run {run}{more}.")
            }
            Self::SlowFirst { run, wall_s, median_s, more } => {
                let (wall, median) = (units::seconds(*wall_s), units::seconds(*median_s));
                let more = and_more(*more, "configuration");
                format!("Run {run}, the first of its kind, took {wall}; the others took {median}{more}.")
            }
            Self::Outlier { run, wall_s, median_s, more } => {
                let (wall, median) = (units::seconds(*wall_s), units::seconds(*median_s));
                format!("Run {run} took {wall}, far from the usual {median}{}.", and_more(*more, "run"))
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::TooFewItems { are_blocks: true, .. } => {
                "Make more of them: --chunk N gives each program N lines.".to_owned()
            }
            Self::TooFewItems { items, workers, .. } => {
                format!("Take at least {workers} items, or {} at most.", units::counted(*items, "worker"))
            }
            Self::SingleRuns { .. } => "Add --repeat 3.".to_owned(),
            Self::MoreWorkersThanCpus { cpus, .. } => {
                format!("Only counts up to {cpus} measure scaling; larger counts measure workers that share CPUs.")
            }
            Self::FewerCpus { .. } => "Speedups end there; `coordinator cpus` shows what sets the limit.".to_owned(),
            Self::OtherPrograms { .. } => "Measure again when the machine has nothing else to do.".to_owned(),
            Self::SlowFirst { .. } => "Add --warmup 1: a first run fills caches.".to_owned(),
            Self::Outlier { .. } => "Something disturbed it: measure again, or more often (--repeat).".to_owned(),
        }
    }
}

fn and_more(more: usize, noun: &str) -> String {
    if more == 0 {
        String::new()
    } else {
        format!("; the same is true for {}", units::counted(more as u64, &format!("more {noun}")))
    }
}

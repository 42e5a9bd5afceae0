//! The parameters of a simulated run, drawn from its seed.

use std::num::NonZeroU32;
use std::time::Duration;

use procession_scheduler::{ChunkSize, JobOptions, PoolOptions};

use super::rng::Rng;

pub(crate) const MILLI: u64 = 1_000_000;

/// How everything around the scheduler behaves.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) pool: PoolOptions,
    pub(crate) jobs: Vec<JobPlan>,
    /// The mean run time of an item, in nanoseconds.
    pub(crate) item_time: u64,
    /// The longest time that a worker takes to start, if it is not late.
    pub(crate) start_time: u64,
    /// From when to when the system has no resources for another process.
    pub(crate) lack: Option<(u64, u64)>,
    /// Probabilities per mille.
    pub(crate) death_per_item: u64,
    pub(crate) death_after_answer: u64,
    pub(crate) stall_per_item: u64,
    pub(crate) bad_start: u64,
    pub(crate) late_start: u64,
    pub(crate) spawn_fails: u64,
    pub(crate) refusals: u64,
    pub(crate) violations: u64,
    pub(crate) double_answer: u64,
    pub(crate) ignores_end: u64,
    /// The maximum number of faults of all these kinds, so that the run can end.
    pub(crate) max_faults: u64,
    pub(crate) stop_a_job_at: Option<u64>,
    pub(crate) end: End,
}

/// How the run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Close { at: u64 },
    Terminate { at: u64, kill_after: Option<u64> },
    Kill { at: u64 },
}

/// One job and its input.
#[derive(Clone, Debug)]
pub(crate) struct JobPlan {
    pub(crate) options: JobOptions,
    pub(crate) opened_at: u64,
    pub(crate) items: u32,
    pub(crate) item_bytes: u64,
    pub(crate) result_bytes: u64,
    /// The probability per mille that a cut finds no items for the moment.
    pub(crate) pending: u64,
    /// The probability per mille that an item ends its worker.
    pub(crate) poison: u64,
    pub(crate) hints: bool,
    /// The time in nanoseconds that the sink takes to write a delivered range.
    pub(crate) sink_delay: u64,
}

impl Config {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let calm = rng.per_mille(150);
        let mut chance = |most: u64| {
            if calm || rng.per_mille(400) { 0 } else { rng.below(most) }
        };
        let death_per_item = chance(60);
        let death_after_answer = chance(60);
        let stall_per_item = chance(20);
        let bad_start = chance(300);
        let late_start = chance(300);
        let spawn_fails = chance(300);
        let refusals = chance(60);
        let violations = chance(30);
        let double_answer = chance(100);
        let ignores_end = chance(500);
        let item_time = rng.pick(&[0, 1_000, 50_000, MILLI, 4 * MILLI, 12 * MILLI]);
        let jobs = (0..rng.between(1, 3)).map(|_| JobPlan::draw(rng, item_time)).collect();
        Self {
            pool: pool(rng),
            jobs,
            item_time,
            death_per_item,
            death_after_answer,
            stall_per_item,
            start_time: rng.pick(&[10, 10, 10, 100, 400]) * MILLI,
            lack: rng.per_mille(if calm { 0 } else { 100 }).then(|| lack(rng)),
            bad_start,
            late_start,
            spawn_fails,
            refusals,
            violations,
            double_answer,
            ignores_end,
            max_faults: rng.between(0, 60),
            stop_a_job_at: rng.per_mille(100).then(|| rng.below(200 * MILLI)),
            end: End::draw(rng),
        }
    }
}

impl End {
    fn draw(rng: &mut Rng) -> Self {
        let at = rng.below(300 * MILLI);
        match rng.below(20) {
            0 => Self::Terminate { at, kill_after: rng.per_mille(300).then_some(at / 3) },
            1 => Self::Kill { at },
            _ => Self::Close { at },
        }
    }
}

fn lack(rng: &mut Rng) -> (u64, u64) {
    let from = rng.below(50 * MILLI);
    (from, from + rng.pick(&[100, 5_000, 40_000]) * MILLI)
}

fn pool(rng: &mut Rng) -> PoolOptions {
    let slots = rng.pick(&[1, 1, 2, 2, 3, 4, 7, 16]);
    PoolOptions {
        max_tasks_per_worker: rng.per_mille(250).then(|| rng.between(1, 20)),
        max_depth: rng.pick(&[1, 2, 128, 128]),
        start_failures: rng.pick(&[3, 30, 200]),
        ..PoolOptions::new(slots)
    }
}

impl JobPlan {
    fn draw(rng: &mut Rng, item_time: u64) -> Self {
        let poison = if rng.per_mille(500) { 0 } else { rng.pick(&[5, 30, 200]) };
        let fixed = NonZeroU32::new(rng.between(1, 12) as u32).expect("at least one");
        let timeout = rng.per_mille(500).then(|| Duration::from_nanos(4 * item_time + 30 * MILLI));
        let options = JobOptions {
            chunk: if rng.per_mille(600) { ChunkSize::Auto } else { ChunkSize::Fixed(fixed) },
            max_chunk_bytes: rng.pick(&[1, 50, 256 << 10]),
            window_bytes: rng.pick(&[0, 1, 700, 3000, 50_000, 16 << 20]),
            ordered: rng.per_mille(700),
            // A poison item with unlimited retries would never end.
            retries: (poison > 0 || rng.per_mille(700)).then(|| rng.below(4) as u32),
            retry_timed_out: rng.per_mille(500),
            retry_crashed: rng.per_mille(800),
            retry_out_of_memory: rng.per_mille(800),
            timeout,
        };
        Self {
            options,
            opened_at: if rng.per_mille(500) { 0 } else { rng.below(100 * MILLI) },
            items: rng.pick(&[0, 1, 2, 7, 30, 60, 200]),
            item_bytes: rng.pick(&[0, 2, 20, 900]),
            result_bytes: rng.pick(&[0, 2, 40, 2000]),
            pending: rng.pick(&[0, 0, 100, 700]),
            poison,
            hints: rng.per_mille(500),
            sink_delay: rng.pick(&[0, MILLI, 20 * MILLI]),
        }
    }
}

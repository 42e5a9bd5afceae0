//! Senseless events: whatever events come in whatever order, the scheduler does not
//! panic and its data stay consistent.

use std::num::NonZeroU32;
use std::time::Duration;

use procession_scheduler::{
    Action, AttemptId, ChunkSize, Fault, JobId, JobOptions, PoolOptions, RunTime, Scheduler, SchedulerEvent, WorkerId,
};

use crate::sim::Rng;

/// Small numbers, so that ids coincide, and sometimes the largest.
fn number(rng: &mut Rng) -> u64 {
    rng.pick(&[0, 1, 2, 3, 4, 5, 7, 10, 1000, u64::MAX])
}

fn small(rng: &mut Rng) -> u32 {
    u32::try_from(number(rng)).unwrap_or(u32::MAX)
}

fn options(rng: &mut Rng) -> JobOptions {
    let fixed = NonZeroU32::new(small(rng).max(1)).expect("at least one");
    let timeout = Duration::from_nanos(number(rng));
    JobOptions {
        chunk: if rng.per_mille(500) { ChunkSize::Auto } else { ChunkSize::Fixed(fixed) },
        max_chunk_bytes: number(rng),
        window_bytes: number(rng),
        ordered: rng.per_mille(500),
        retries: rng.per_mille(500).then(|| small(rng)),
        timeout: rng.per_mille(500).then_some(timeout),
        ..JobOptions::default()
    }
}

fn event(rng: &mut Rng) -> SchedulerEvent {
    let job = JobId(rng.below(4));
    let worker = WorkerId(number(rng));
    let attempt = AttemptId(rng.below(30));
    let fault = rng.pick(&[Fault::Crashed, Fault::TimedOut, Fault::OutOfMemory]);
    match rng.below(27) {
        0 | 1 => SchedulerEvent::JobOpened { job, options: options(rng) },
        2 => SchedulerEvent::ChunkCut { job, items: small(rng), bytes: number(rng) },
        3 => SchedulerEvent::InputPending { job },
        4 => SchedulerEvent::InputReady { job },
        5 => SchedulerEvent::Remaining { job, items: number(rng) },
        6 => SchedulerEvent::Spawned { worker },
        7 => SchedulerEvent::SpawnFailed { worker, lasting: rng.per_mille(500) },
        8 | 9 => SchedulerEvent::WorkerReady { worker },
        10..=15 => {
            let busy = Duration::from_nanos(number(rng));
            SchedulerEvent::Answered { worker, attempt, items: small(rng), bytes: number(rng), busy }
        }
        16 | 17 => SchedulerEvent::Aborting { worker, attempt, offset: small(rng), fault },
        18 | 19 => SchedulerEvent::WorkerEnded { worker, fault },
        20 => SchedulerEvent::Released { job, bytes: number(rng) },
        21 => SchedulerEvent::InputEnded { job },
        22 if rng.per_mille(200) => SchedulerEvent::JobStopped { job },
        23 | 24 => SchedulerEvent::ItemRestarted { worker, attempt },
        25 => SchedulerEvent::Refused { worker },
        _ if rng.per_mille(10) => rng.pick(&[SchedulerEvent::Close, SchedulerEvent::Terminate, SchedulerEvent::Kill]),
        _ => SchedulerEvent::WorkerReady { worker: WorkerId(rng.below(8)) },
    }
}

fn drain(scheduler: &mut Scheduler, now: RunTime, rng: &mut Rng) {
    while let Some(action) = scheduler.poll_action() {
        if let Action::Cut { job, max_items, .. } = action
            && rng.per_mille(900)
        {
            let items = max_items.min(small(rng));
            scheduler.handle_event(now, SchedulerEvent::ChunkCut { job, items, bytes: number(rng) });
        }
    }
}

#[test]
fn senseless_events_cause_no_panic() {
    for seed in 0..crate::setting("SIMULATOR_SEEDS", 500) {
        let mut rng = Rng::new(seed);
        let slots = small(&mut rng).min(5);
        let max_tasks_per_worker = rng.per_mille(300).then(|| number(&mut rng));
        let pool = PoolOptions { max_tasks_per_worker, ..PoolOptions::new(slots) };
        let mut scheduler = Scheduler::new(pool);
        let mut now = RunTime::ZERO;
        for step in 0..300 {
            now = now + Duration::from_nanos(rng.below(50_000_000));
            if rng.per_mille(100) {
                scheduler.handle_timeout(now);
            } else {
                scheduler.handle_event(now, event(&mut rng));
            }
            drain(&mut scheduler, now, &mut rng);
            if let Err(wrong) = scheduler.check_invariants() {
                panic!("seed {seed}, step {step}: {wrong}");
            }
        }
    }
}

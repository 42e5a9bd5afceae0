//! Measures what one answered chunk costs the scheduler: an endless supply of
//! one-item chunks, for few and for many workers.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures and says so")]

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use procession_scheduler::{
    Action, AttemptId, ChunkSize, JobId, JobOptions, PoolOptions, RunTime, Scheduler, SchedulerEvent, WorkerId,
};

const JOB: JobId = JobId(0);
const CHUNK_BYTES: u64 = 8;
const RESULT_BYTES: u64 = 12;

/// A driver that cuts whatever it is asked for, and a sink that writes at once.
struct Pipe {
    scheduler: Scheduler,
    sent: VecDeque<(WorkerId, AttemptId)>,
}

impl Pipe {
    fn new(workers: u32) -> Self {
        let scheduler = Scheduler::new(PoolOptions::new(workers));
        let mut pipe = Self { scheduler, sent: VecDeque::new() };
        pipe.drain();
        for worker in 0..u64::from(workers) {
            pipe.handle(SchedulerEvent::WorkerReady { worker: WorkerId(worker) });
        }
        let chunk = ChunkSize::Fixed(NonZeroU32::MIN);
        let options = JobOptions { chunk, ..JobOptions::default() };
        pipe.handle(SchedulerEvent::JobOpened { job: JOB, options });
        pipe
    }

    fn handle(&mut self, event: SchedulerEvent) {
        self.scheduler.handle_event(RunTime::ZERO, event);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(action) = self.scheduler.poll_action() {
            match action {
                Action::Cut { job, .. } => {
                    let cut = SchedulerEvent::ChunkCut { job, items: 1, bytes: CHUNK_BYTES };
                    self.scheduler.handle_event(RunTime::ZERO, cut);
                }
                Action::Send { worker, attempt, .. } => self.sent.push_back((worker, attempt)),
                Action::Deliver { job, .. } => {
                    let written = SchedulerEvent::Released { job, bytes: RESULT_BYTES };
                    self.scheduler.handle_event(RunTime::ZERO, written);
                }
                _ => {}
            }
        }
    }

    /// Answers the attempt that was sent first.
    fn answer(&mut self, busy: Duration) {
        let (worker, attempt) = self.sent.pop_front().expect("something is in flight");
        self.handle(SchedulerEvent::Answered { worker, attempt, items: 1, bytes: RESULT_BYTES, busy });
    }
}

fn main() {
    for workers in [2_u32, 100, 10_000] {
        for (name, busy) in [("null", 1), ("100 us", 100), ("10 ms", 10_000)] {
            let mut pipe = Pipe::new(workers);
            let busy = Duration::from_micros(busy);
            let mut costs = Vec::new();
            for _ in 0..5 {
                let start = Instant::now();
                for _ in 0..2_000_000 {
                    pipe.answer(busy);
                }
                costs.push(start.elapsed().as_nanos() / 2_000_000);
            }
            let in_flight = pipe.sent.len();
            println!(
                "{workers:>6} workers, {name:>6} items, {in_flight:>7} in flight: \
                 {costs:?} ns a chunk, two million at a time"
            );
        }
    }
}

//! Sending work to workers.
//!
//! The oldest job that has work goes first. Within a job, retries go first, the
//! oldest item first; only then is a new chunk cut. The work goes to a worker that
//! holds nothing. If there is none and a slot is vacant, it goes to a new worker.
//! Otherwise it goes to the worker that holds least among those that should get
//! more. While an exclusive range waits, no worker gets more work, so that one of
//! them soon holds nothing.

use super::scheduler::{Cutting, Scheduler};
use crate::jobs::{AttemptMode, ItemRange, ScheduledJob};
use crate::model::{Action, AttemptId, JobId, RunTime};
use crate::workers::WorkerState;

/// The receiver of the next work.
enum Taker {
    Worker(u32),
    /// A worker to be spawned, once it is certain that there is work.
    Vacancy,
}

impl Scheduler {
    /// Updates whether a job is listed as having work. To be called after any change of
    /// the job.
    pub(crate) fn refresh(&mut self, id: JobId) {
        if self.jobs.get(&id).is_some_and(ScheduledJob::has_work) {
            self.workable.insert(id);
        } else {
            self.workable.remove(&id);
        }
    }

    /// Whether there is work that only a new worker could take.
    pub(crate) fn wants_spawn(&self) -> bool {
        self.phase.is_running()
            && self.cutting.is_none()
            && !self.workable.is_empty()
            && self.roster.first_vacant().is_some()
    }

    /// Sends all that can be sent, until the driver has to cut a chunk first.
    pub(crate) fn dispatch(&mut self, now: RunTime) {
        while self.phase.is_running() && self.cutting.is_none() {
            let Some(&job) = self.workable.first() else {
                return;
            };
            match self.taker(now, job) {
                Some(Taker::Worker(slot)) => self.give(now, slot, job),
                Some(Taker::Vacancy) => self.give_to_new(now, job),
                None => return,
            }
        }
    }

    /// The worker that gets the next work of this job.
    fn taker(&mut self, now: RunTime, id: JobId) -> Option<Taker> {
        if let Some(slot) = self.roster.first_idle() {
            return Some(Taker::Worker(slot));
        }
        if self.may_spawn(now) {
            return Some(Taker::Vacancy);
        }
        let job = self.jobs.get(&id)?;
        if job.retries.has_exclusive() || job.sizing.is_expensive() {
            return None;
        }
        let living = self.roster.living();
        while let Some(slot) = self.roster.first_needing_more() {
            let worker = self.roster.worker(slot)?;
            if worker.is_familiar(id) && job.sizing.beside(worker.queue.items(), living) > 0 {
                return Some(Taker::Worker(slot));
            }
            // Listed again once it has answered something.
            self.roster.unlist(slot);
        }
        None
    }

    /// Sends a worker the next work of a job, or has a chunk cut for it.
    fn give(&mut self, now: RunTime, slot: u32, id: JobId) {
        let living = self.roster.living();
        let Some(worker) = self.roster.worker(slot) else {
            return;
        };
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let items = job.sizing.items(worker.is_familiar(id), worker.queue.items(), living);
        let budget = u32::try_from(worker.budget).unwrap_or(u32::MAX);
        if let Some((range, mode)) = job.retries.pop(items, budget) {
            self.send(now, slot, id, range, mode);
            self.refresh(id);
        } else {
            let worker = Some(worker.id);
            self.cut(Cutting { job: id, worker }, items.min(budget));
        }
    }

    /// Spawns a worker if there is work for it; otherwise has a chunk cut. So no
    /// process is created in vain at the end of the input.
    fn give_to_new(&mut self, now: RunTime, id: JobId) {
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        if job.retries.is_empty() {
            self.cut(Cutting { job: id, worker: None }, job.sizing.items(false, 0, 1));
        } else if let Some(slot) = self.spawn() {
            self.give(now, slot, id);
        }
    }

    fn cut(&mut self, cutting: Cutting, max_items: u32) {
        let job = cutting.job;
        if let Some(max_bytes) = self.jobs.get(&job).map(|job| job.sizing.max_bytes()) {
            self.cutting = Some(cutting);
            self.actions.push_back(Action::Cut { job, max_items, max_bytes });
        }
    }

    pub(crate) fn send(&mut self, now: RunTime, slot: u32, id: JobId, range: ItemRange, mode: AttemptMode) {
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        let attempt = AttemptId(self.next_attempt);
        self.next_attempt += 1;
        let was_empty = worker.queue.is_empty();
        worker.give(job.attempt(attempt, range, mode));
        let ItemRange { chunk, from, items } = range;
        let each = mode.is_exclusive();
        let worker = worker.id;
        self.actions.push_back(Action::Send { worker, attempt, job: id, chunk, from, items, each });
        if was_empty {
            self.restart_silence_timer(now, slot);
        }
        self.roster.relist(slot);
    }

    /// Restarts the time for which a ready worker may send nothing.
    pub(crate) fn restart_silence_timer(&mut self, now: RunTime, slot: u32) {
        let Some(worker) = self.roster.worker(slot) else {
            return;
        };
        if worker.state == WorkerState::Ready {
            let silence = worker.queue.front().and_then(|first| first.silence);
            self.roster.set_deadline(slot, silence.map(|silence| now + silence));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::jobs::{CHUNK_OVERHEAD, SILENCE_GRACE};
    use crate::machine::test_rig::{ITEM_BYTES, JOB, RESULT_BYTES, Rig};
    use crate::model::{AttemptId, ChunkSize, JobId, JobOptions, PoolOptions, SchedulerEvent, WorkerId};
    use std::num::NonZeroU32;
    use std::time::Duration;

    fn fixed(items: u32) -> JobOptions {
        let items = NonZeroU32::new(items).expect("at least one");
        JobOptions { chunk: ChunkSize::Fixed(items), ..JobOptions::default() }
    }

    #[test]
    fn every_worker_gets_one_item_before_any_is_ready() {
        let mut rig = Rig::new(PoolOptions::new(3));
        let dealt = rig.open(3, JobOptions::default());
        assert_eq!(dealt, ["send 0:0+1 as 0 to 0", "send 1:0+1 as 1 to 1", "send 2:0+1 as 2 to 2"]);
    }

    #[test]
    fn no_worker_gets_a_second_chunk_before_the_first_is_answered() {
        let mut rig = Rig::ready(2);
        rig.busy = Duration::from_micros(1);
        assert_eq!(rig.open(100, JobOptions::default()).len(), 2);
        let first = rig.answer(1, 1, 1);
        // Four times as many items, and nothing queued behind them yet.
        assert_eq!(first[0], "accept 1:0+1 of 1");
        assert_eq!(first[2], "send 2:0+4 as 2 to 1");
        assert_eq!(rig.scheduler.in_flight(WorkerId(0)), 1);
        assert_eq!(rig.scheduler.in_flight(WorkerId(1)), 1);
    }

    /// A worker with cheap first items must not get all other items while another
    /// worker still runs its first.
    #[test]
    fn cheap_first_items_do_not_get_a_worker_the_rest_of_the_input() {
        let mut rig = Rig::ready(2);
        rig.busy = Duration::from_micros(1);
        rig.open(34, JobOptions::default());
        rig.tell(SchedulerEvent::Remaining { job: JOB, items: 32 });
        rig.answer(1, 1, 1);
        assert!(rig.scheduler.items_in_flight(WorkerId(1)) <= 8);
        rig.busy = Duration::from_millis(18);
        rig.answer(0, 0, 1);
        assert!(rig.scheduler.items_in_flight(WorkerId(0)) >= 1);
    }

    #[test]
    fn cheap_chunks_wait_in_the_pipe_until_a_millisecond_of_work_does() {
        let mut rig = Rig::ready(1);
        rig.busy = Duration::from_micros(100);
        rig.open(100, fixed(1));
        for attempt in 0..20 {
            rig.answer(0, attempt, 1);
        }
        assert_eq!(rig.scheduler.in_flight(WorkerId(0)), 11);
    }

    #[test]
    fn nothing_waits_behind_an_expensive_item() {
        let mut rig = Rig::ready(1);
        rig.busy = Duration::from_millis(6);
        rig.open(100, fixed(1));
        rig.answer(0, 0, 1);
        assert_eq!(rig.scheduler.in_flight(WorkerId(0)), 1);
    }

    #[test]
    fn depth_is_bounded() {
        let mut rig = Rig::new(PoolOptions { max_depth: 3, ..PoolOptions::new(1) });
        rig.busy = Duration::ZERO;
        rig.make_ready(0);
        rig.open(100, fixed(1));
        rig.answer(0, 0, 1);
        assert_eq!(rig.scheduler.in_flight(WorkerId(0)), 3);
    }

    #[test]
    fn a_full_window_stops_new_chunks_and_nothing_else() {
        let mut rig = Rig::ready(2);
        let window_bytes = 2 * (ITEM_BYTES + CHUNK_OVERHEAD);
        rig.open(9, JobOptions { window_bytes, ..fixed(1) });
        // The first item is slow: the second one's result waits for it.
        assert_eq!(rig.answer(1, 1, 1), ["accept 1:0+1 of 1", "forget 1"]);
        assert!(rig.scheduler.held_bytes(JOB) >= window_bytes);
        // The first item's worker dies, and the idle worker takes the item although the
        // window is full.
        assert_eq!(rig.end(0), ["send 0:0+1 as 2 to 1, each"]);
        let all = rig.answer(1, 2, 1);
        assert_eq!(all[..3], ["accept 0:0+1 of 2", "forget 0", "deliver 0:0+1"]);
        assert_eq!(all[3], "deliver 1:0+1");
        assert_eq!(rig.scheduler.held_bytes(JOB), 2 * RESULT_BYTES + 2 * (ITEM_BYTES + CHUNK_OVERHEAD));
    }

    #[test]
    fn room_comes_back_when_results_are_written() {
        let mut rig = Rig::ready(1);
        rig.open(2, JobOptions { window_bytes: 1, ..JobOptions::default() });
        assert_eq!(rig.answer(0, 0, 1), ["accept 0:0+1 of 0", "forget 0", "deliver 0:0+1"]);
        assert_eq!(rig.release(RESULT_BYTES), ["send 1:0+1 as 1 to 0"]);
    }

    #[test]
    fn the_older_job_goes_first_and_the_younger_fills_idle_workers() {
        let mut rig = Rig::ready(3);
        rig.open(2, JobOptions::default());
        rig.left = 5;
        let options = JobOptions::default();
        let other = SchedulerEvent::JobOpened { job: JobId(1), options };
        assert_eq!(rig.tell(other), ["send 0:0+1 as 2 to 2"]);
        // The younger job has more to send, but the older job's retry goes first.
        assert_eq!(rig.end(0), ["spawn 3 in 0", "send 0:0+1 as 3 to 3, each"]);
        // The older job has nothing more to send: the younger goes on.
        assert_eq!(rig.answer(1, 1, 1).last().map(String::as_str), Some("send 1:0+1 as 4 to 1"));
    }

    #[test]
    fn a_silent_worker_is_killed_after_the_timeout_and_the_grace() {
        let mut rig = Rig::ready(1);
        let timeout = Duration::from_secs(2);
        rig.open(1, JobOptions { timeout: Some(timeout), ..JobOptions::default() });
        let mut lines = Vec::new();
        while lines.is_empty() {
            lines = rig.wait(Duration::from_secs(60));
        }
        assert_eq!(lines, ["kill 0: Unresponsive"]);
        assert_eq!(rig.now.since_start(), timeout + SILENCE_GRACE);
        let ended = rig.end(0);
        assert_eq!(ended[0], "charge 0:0 in 0, attempt 1, TimedOut");
    }

    #[test]
    fn each_run_of_an_item_restarts_the_silence_timer() {
        let mut rig = Rig::ready(1);
        let timeout = Duration::from_secs(2);
        rig.open(1, JobOptions { timeout: Some(timeout), ..JobOptions::default() });
        let again = |attempt| SchedulerEvent::ItemRestarted { worker: WorkerId(0), attempt: AttemptId(attempt) };
        for _ in 0..20 {
            assert_eq!(rig.wait(Duration::from_millis(1900)), [""; 0]);
            assert_eq!(rig.tell(again(0)), [""; 0]);
        }
        let last = rig.now;
        // A message about an attempt that it does not hold does not restart the timer.
        rig.wait(Duration::from_secs(1));
        rig.tell(again(1));
        let mut lines = Vec::new();
        while lines.is_empty() {
            lines = rig.wait(Duration::from_secs(60));
        }
        assert_eq!(lines, ["kill 0: Unresponsive"]);
        assert_eq!(rig.now, last + timeout + SILENCE_GRACE);
    }

    #[test]
    fn a_worker_is_replaced_after_its_maximum_of_items() {
        let mut rig = Rig::new(PoolOptions { max_tasks_per_worker: Some(5), ..PoolOptions::new(1) });
        rig.make_ready(0);
        assert_eq!(rig.open(8, fixed(3)), ["send 0:0+3 as 0 to 0"]);
        assert_eq!(rig.answer(0, 0, 3).last().map(String::as_str), Some("send 1:0+2 as 1 to 0"));
        assert_eq!(rig.answer(0, 1, 2).last().map(String::as_str), Some("retire 0"));
        assert_eq!(rig.end(0), ["spawn 1 in 0", "send 2:0+3 as 2 to 1"]);
    }

    #[test]
    fn no_process_is_created_at_the_end_of_the_input() {
        let mut rig = Rig::new(PoolOptions { max_tasks_per_worker: Some(1), ..PoolOptions::new(1) });
        rig.make_ready(0);
        rig.open(1, fixed(1));
        assert_eq!(rig.answer(0, 0, 1).last().map(String::as_str), Some("retire 0"));
        assert_eq!(rig.end(0), ["done 0"]);
    }
}

//! Sending work to workers.
//!
//! Only workers that are ready are sent work. The oldest job that has work goes
//! first. Within a job, what waits goes first, the oldest item first; only then is a
//! new chunk cut. The work goes to a worker that holds nothing. If there is none and
//! a slot is vacant, a chunk is cut that waits, and a worker is spawned for it. Then
//! work goes to the worker that holds least among those that should get more. While
//! an exclusive range waits, no worker gets more work, so that one of them soon
//! holds nothing.
//!
//! Some of what waits may be kept for workers that are starting (see
//! [`FirstChunks`]). Other workers then get only what is cut after that.
//!
//! [`FirstChunks`]: crate::workers::FirstChunks

use super::scheduler::{Cutting, Scheduler};
use crate::jobs::{AttemptMode, ItemRange, ScheduledJob};
use crate::model::{Action, AttemptId, JobId, RunTime};
use crate::workers::WorkerState;

/// What is done next with the work that there is.
enum DispatchStep {
    /// A worker gets the job's next work: what waits, or a new chunk.
    Give { slot: u32, job: JobId },
    /// A worker gets a new chunk, and what waits stays.
    GiveNew { slot: u32, job: JobId },
    /// A chunk is cut that waits for a worker.
    CutAhead { job: JobId },
    /// A worker is spawned for a range that waits.
    Spawn,
}

impl Scheduler {
    /// Updates whether a job is listed as having work. To be called after any change of
    /// the job.
    pub(crate) fn refresh(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else {
            self.workable.remove(&id);
            return;
        };
        let ranges = job.retries.ranges();
        self.waiting = self.waiting + ranges - std::mem::replace(&mut job.counted_ranges, ranges);
        if job.has_work() {
            self.workable.insert(id);
        } else {
            self.workable.remove(&id);
        }
    }

    /// Sends all that can be sent, until the driver has to cut a chunk first.
    pub(crate) fn dispatch(&mut self, now: RunTime) {
        self.roster.end_rests(now);
        while self.phase.is_running() && self.cutting.is_none() {
            match self.next_step(now) {
                Some(DispatchStep::Give { slot, job }) => self.give(now, slot, job),
                Some(DispatchStep::GiveNew { slot, job }) => self.give_new(slot, job),
                Some(DispatchStep::CutAhead { job }) => self.cut_ahead(job),
                Some(DispatchStep::Spawn) => drop(self.spawn(now)),
                None => return,
            }
        }
    }

    fn next_step(&mut self, now: RunTime) -> Option<DispatchStep> {
        let &oldest = self.workable.first()?;
        let starting = self.roster.starting();
        if let Some(slot) = self.roster.first_idle() {
            let was_given = self.roster.worker(slot).is_some_and(|worker| worker.was_given);
            let kept = if was_given && self.first_chunks.are_kept(now) { starting } else { 0 };
            return self.step_for(slot, oldest, kept);
        }
        if self.may_spawn(now) {
            // At the end of the input no process is created in vain.
            if self.waiting > starting {
                return Some(DispatchStep::Spawn);
            }
            if let Some(job) = self.first_to_cut() {
                return Some(DispatchStep::CutAhead { job });
            }
        }
        let kept = if self.first_chunks.are_kept_from_busy(now) { starting } else { 0 };
        self.step_for_busy(oldest, kept)
    }

    /// What a worker gets if this number of ranges is kept for others.
    fn step_for(&self, slot: u32, oldest: JobId, kept: usize) -> Option<DispatchStep> {
        if kept == 0 || self.waiting > kept {
            return Some(DispatchStep::Give { slot, job: oldest });
        }
        let job = self.first_to_cut()?;
        Some(if self.waiting < kept { DispatchStep::CutAhead { job } } else { DispatchStep::GiveNew { slot, job } })
    }

    /// What the worker gets that should get more, if there is one.
    fn step_for_busy(&mut self, oldest: JobId, kept: usize) -> Option<DispatchStep> {
        let id = if self.waiting > kept { oldest } else { self.first_to_cut()? };
        let job = self.jobs.get(&id)?;
        let has_exclusive = self.jobs.get(&oldest).is_some_and(|oldest| oldest.retries.has_exclusive());
        if has_exclusive || job.retries.has_exclusive() || job.sizing.is_expensive() {
            return None;
        }
        let living = self.roster.living();
        while let Some(slot) = self.roster.first_needing_more() {
            let worker = self.roster.worker(slot)?;
            if worker.is_familiar(id) && job.sizing.beside(worker.queue.items(), living) > 0 {
                return self.step_for(slot, id, kept);
            }
            // Listed again once it has answered something.
            self.roster.unlist(slot);
        }
        None
    }

    /// The oldest job of which a chunk can be cut.
    pub(crate) fn first_to_cut(&self) -> Option<JobId> {
        self.workable.iter().copied().find(|id| self.jobs.get(id).is_some_and(ScheduledJob::can_cut))
    }

    /// Sends a worker the next work of a job, or has a chunk cut for it.
    fn give(&mut self, now: RunTime, slot: u32, id: JobId) {
        let Some((items, budget)) = self.share(slot, id) else {
            return;
        };
        match self.jobs.get_mut(&id).and_then(|job| job.retries.pop(items, budget)) {
            Some((range, mode)) => {
                self.send(now, slot, id, range, mode);
                self.refresh(id);
            }
            None => self.give_new(slot, id),
        }
    }

    /// Has a chunk cut for a worker.
    fn give_new(&mut self, slot: u32, id: JobId) {
        let Some((items, budget)) = self.share(slot, id) else {
            return;
        };
        let worker = self.roster.worker(slot).map(|worker| worker.id);
        self.cut(Cutting { job: id, worker }, items.min(budget));
    }

    /// The number of items that a worker should get of a job, and the most that it may
    /// get.
    fn share(&self, slot: u32, id: JobId) -> Option<(u32, u32)> {
        let worker = self.roster.worker(slot)?;
        let job = self.jobs.get(&id)?;
        let items = job.sizing.items(worker.is_familiar(id), worker.queue.items(), self.roster.living());
        Some((items, u32::try_from(worker.budget).unwrap_or(u32::MAX)))
    }

    /// Has a chunk cut that waits for a worker which is starting, or still to be
    /// spawned.
    fn cut_ahead(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get(&id) {
            let items = job.sizing.items(false, 0, 1);
            self.cut(Cutting { job: id, worker: None }, items);
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

    const NOTHING: [&str; 0] = [];

    #[test]
    fn each_worker_gets_one_item_in_turn_when_it_is_ready() {
        let mut rig = Rig::new(PoolOptions::new(3));
        assert_eq!(rig.open(3, JobOptions::default()), NOTHING);
        assert_eq!(rig.make_ready(1), ["send 0:0+1 as 0 to 1"]);
        // Two items are left, for two workers.
        assert_eq!(rig.answer(1, 0, 1), ["accept 0:0+1 of 0", "forget 0", "deliver 0:0+1"]);
        assert_eq!(rig.make_ready(0), ["send 1:0+1 as 1 to 0"]);
        assert_eq!(rig.make_ready(2), ["send 2:0+1 as 2 to 2"]);
    }

    #[test]
    fn with_many_items_nobody_waits_for_a_worker_that_starts_slowly() {
        let mut rig = Rig::new(PoolOptions::new(3));
        rig.busy = Duration::from_millis(6);
        rig.open(90, fixed(1));
        assert_eq!(rig.make_ready(0), ["send 0:0+1 as 0 to 0"]);
        // The second and the third are kept.
        assert_eq!(rig.answer(0, 0, 1).last().map(String::as_str), Some("send 3:0+1 as 1 to 0"));
        assert_eq!(rig.make_ready(2), ["send 1:0+1 as 2 to 2"]);
    }

    #[test]
    fn an_idle_worker_takes_what_is_kept_after_a_quarter_of_a_second() {
        let mut rig = Rig::new(PoolOptions::new(2));
        rig.open(2, JobOptions::default());
        rig.make_ready(0);
        let ready = rig.now;
        rig.answer(0, 0, 1);
        assert_eq!(rig.wait(Duration::from_secs(60)), ["send 1:0+1 as 1 to 0"]);
        assert_eq!(rig.now.saturating_since(ready), Duration::from_millis(250));
        // The other one is ready when there is nothing left.
        assert_eq!(rig.make_ready(1), NOTHING);
    }

    #[test]
    fn chunks_are_kept_as_long_as_workers_become_ready_one_by_one() {
        let mut rig = Rig::new(PoolOptions::new(3));
        rig.open(3, JobOptions::default());
        rig.make_ready(0);
        rig.answer(0, 0, 1);
        assert_eq!(rig.wait(Duration::from_millis(200)), NOTHING);
        assert_eq!(rig.make_ready(1), ["send 1:0+1 as 1 to 1"]);
        assert_eq!(rig.wait(Duration::from_millis(200)), NOTHING);
        assert_eq!(rig.make_ready(2), ["send 2:0+1 as 2 to 2"]);
    }

    #[test]
    fn nothing_is_kept_if_the_window_has_room_for_one_item_only_and_the_time_is_over() {
        let mut rig = Rig::new(PoolOptions::new(2));
        rig.open(3, JobOptions { window_bytes: 1, ..JobOptions::default() });
        rig.make_ready(0);
        rig.answer(0, 0, 1);
        assert_eq!(rig.release(RESULT_BYTES), NOTHING);
        assert_eq!(rig.wait(Duration::from_secs(60)), ["send 1:0+1 as 1 to 0"]);
    }

    #[test]
    fn a_job_for_workers_that_are_ready_is_dealt_at_once() {
        let mut rig = Rig::ready(3);
        let dealt = rig.open(3, JobOptions::default());
        assert_eq!(dealt, ["send 0:0+1 as 0 to 0", "send 1:0+1 as 1 to 1", "send 2:0+1 as 2 to 2"]);
    }

    /// A worker that is busy does not take the chunk for which a process was spawned.
    #[test]
    fn no_process_is_created_in_vain_for_the_last_chunk() {
        let mut rig = Rig::ready(2);
        rig.busy = Duration::from_micros(10);
        rig.open(9, fixed(1));
        rig.now = rig.now + Duration::from_secs(9);
        rig.answer(0, 0, 1);
        rig.left = 1;
        let lines = rig.end(1);
        assert_eq!(lines, ["spawn 3 in 1"]);
        assert_eq!(rig.make_ready(3).len(), 1);
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
        assert_eq!(rig.end(0), ["spawn 3 in 0"]);
        assert_eq!(rig.make_ready(3), ["send 0:0+1 as 3 to 3, each"]);
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
        assert_eq!(rig.end(0), ["spawn 1 in 0"]);
        assert_eq!(rig.make_ready(1), ["send 2:0+3 as 2 to 1"]);
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

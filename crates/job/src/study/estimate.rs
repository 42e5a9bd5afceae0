//! Estimates the time of a study: one worker runs the first items for a short
//! time, and the results are dropped.

use super::launch::Launch;
use super::placeholders::fill_placeholders;
use super::plan::largest;
use super::prepare::table;
use super::run::{Ending, StudyJob};
use super::runner::Study;
use super::stopper::Stopper;
use super::workload::Workload;
use crate::input::InputSlice;
use crate::input::source::QueueSource;
use bytes::Bytes;
use procession::raw::{Backend, Batch, Cut, Job, JobHandle, Sink, Source, Waker};
use procession::{Event, Observer, PoolError};
use procession_sys::start_thread;
use procession_task::{Configuration, Executor, Items, JobSpec, TableSpec};
use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many of the first units are kept.
const SHOWN: usize = 10;

/// The estimate of a study.
#[derive(Clone, Debug, Default)]
pub struct Estimate {
    /// The configuration that is estimated: the largest.
    pub configuration: Option<Configuration>,
    /// The task's arguments in that configuration.
    pub arguments: Vec<Vec<u8>>,
    /// The table that the items come from, if they do.
    pub table: Option<TableSpec>,
    /// The first ten units (items or blocks), as they were cut.
    pub first: Vec<Bytes>,
    /// The expected number of items in all, if it is known.
    pub expected: Option<u64>,
    /// How many items were done.
    pub done: u64,
    /// How many of these failed.
    pub failed: u64,
    /// How long the worker was busy with them.
    pub busy: Duration,
    /// The size of their results in bytes.
    pub bytes: u64,
    /// The type of the first item for the user's code, if it is known.
    pub item_type: Option<String>,
}

/// Records what happens during the run.
#[derive(Clone, Default)]
struct EstimateRecorder(Arc<Mutex<Estimate>>);

impl EstimateRecorder {
    fn lock(&self) -> MutexGuard<'_, Estimate> {
        // The data is always consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Study {
    /// Runs the first items with one worker for at most this time. Nothing is
    /// written, and failed items end nothing.
    ///
    /// # Errors
    /// Whatever can end a run, except failed items.
    pub fn estimate(self, time: Duration, stopper: &Stopper) -> Result<Estimate, Ending> {
        let Self { work, workload, configurations, workers, .. } = self;
        let Some(of) = largest(&configurations) else { return Ok(Estimate::default()) };
        let (input, size, more_params) = match workload {
            Workload::Items(input) => (input, of.size, Vec::new()),
            Workload::Sized(make) => {
                let sized = make(of.size).map_err(Ending::Input)?;
                (sized.input, None, sized.params)
            }
        };
        let is_local = configurations.iter().all(|configuration| configuration.executor != Executor::Procs);
        let executor = if is_local { Executor::Serial } else { Executor::Procs };
        let alone = Configuration { executor, count: 1, ..of };
        let arguments = fill_placeholders(&work.spec.arguments, &of);
        let spec = JobSpec { arguments: arguments.clone(), ..work.spec };
        let work = StudyJob { spec, ..work };
        let recorder = EstimateRecorder::default();
        let slice = InputSlice { size, block: work.unit.block(of.chunk) };
        let (mut source, status) = input.source_on(&slice, None);
        let table = table(&input, &mut source, stopper)?;
        let work = work.with_table(table.clone());
        source.start();
        let pool = workers.launch(&alone, vec![Box::new(recorder.clone())]).map_err(Ending::Pool)?;
        let rule = work.unit.items(input.options().items);
        let source = Box::new(SampledSource { source, rule, recorder: recorder.clone() });
        let spec = work.spec(&alone, input.options().items, more_params);
        let job = Job::new(spec, source, Box::new(recorder.clone()));
        let registration = stopper.hold(pool.control());
        run(pool, job, time).map_err(Ending::Pool)?;
        drop(registration);
        if stopper.is_stopped() {
            return Err(Ending::Stopped);
        }
        if let Some(error) = status.take_error() {
            return Err(Ending::Input(error));
        }
        let estimate = recorder.lock().clone();
        Ok(Estimate { configuration: Some(of), arguments, table, expected: status.expected_items(), ..estimate })
    }
}

/// Runs a job for at most this time.
fn run(pool: Box<dyn Backend>, job: Job, time: Duration) -> Result<(), PoolError> {
    let control = pool.control();
    let (running, ended) = channel::<()>();
    let timer = move || {
        if ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
            control.stop();
        }
    };
    let failed = |error: io::Error| PoolError::System { what: "can't start the timer thread", why: error.to_string() };
    start_thread("timer", None, timer).map_err(failed)?;
    let ran = pool.start(job).and_then(JobHandle::wait);
    drop(running);
    pool.close().and(ran).map(drop)
}

/// Records the first units that are cut.
struct SampledSource {
    source: QueueSource,
    rule: Items,
    recorder: EstimateRecorder,
}

impl Source for SampledSource {
    fn cut(&mut self, max_items: u32, max_bytes: usize) -> Cut {
        let cut = self.source.cut(max_items, max_bytes);
        if let Cut::Block(block) = &cut {
            let mut recorder = self.recorder.lock();
            let room = SHOWN - recorder.first.len().min(SHOWN);
            let units = self.rule.split(&block.bytes).take(room);
            recorder.first.extend(units.map(|(_, unit)| block.bytes.slice_ref(unit)));
        }
        cut
    }

    fn wake_with(&mut self, waker: Waker) {
        self.source.wake_with(waker);
    }

    fn remaining(&self) -> Option<u64> {
        self.source.remaining()
    }
}

impl Sink for EstimateRecorder {
    fn deliver(&mut self, batch: Batch) {
        let bytes: u64 = batch.deliveries.iter().map(|delivery| delivery.outputs.len() as u64).sum();
        self.lock().bytes += bytes;
    }
}

impl Observer for EstimateRecorder {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Accepted(part) => {
                let mut recorder = self.lock();
                recorder.done += u64::from(part.items);
                recorder.failed += u64::from(part.failed);
                recorder.busy += part.busy;
            }
            Event::ItemLost { sent_at, at, .. } => {
                let mut recorder = self.lock();
                recorder.done += 1;
                recorder.failed += 1;
                recorder.busy += at.saturating_sub(*sent_at);
            }
            Event::ItemType { name, .. } => {
                self.lock().item_type.get_or_insert_with(|| name.clone());
            }
            _ => {}
        }
    }
}

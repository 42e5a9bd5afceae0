//! A pool without processes for tests: runs the blocks of a job on the calling
//! thread with the tasks' own code, and answers block by block.

use super::launch::Launch;
use bytes::Bytes;
use procession::raw::{Backend, Batch, Control, Credit, Cut, Delivery, ItemFailure, Job, JobEnd, JobHandle, Waker};
use procession::{ChunkSize, Observer, PoolError};
use procession_task::{Answer, Block, Configuration, Host, Identity, Reply, TextOptions, builtin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// What the fake pool does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FakeFault {
    None,
    /// Pools of this count write one more `x`.
    Differs(u32),
    /// Pools of this count can't be created.
    CannotStart(u32),
}

pub(super) struct Fake(pub(super) FakeFault);

struct FakePool {
    count: u32,
    chunk: ChunkSize,
    fault: FakeFault,
    stopped: Arc<AtomicBool>,
}

struct NoClock;

impl Host for NoClock {
    fn now_ns(&mut self) -> u64 {
        0
    }
    fn is_due(&mut self, _: Option<u64>) -> bool {
        false
    }
    fn item_starts(&mut self, _: u64) {}
    fn send(&mut self, _: &Answer) {
        panic!("blocks in these tests are small");
    }
}

impl Launch for Fake {
    fn launch(&self, run: &Configuration, _: Vec<Box<dyn Observer>>) -> Result<Box<dyn Backend>, PoolError> {
        if self.0 == FakeFault::CannotStart(run.count) {
            return Err(PoolError::CannotStart { failures: 3, why: "no".to_owned() });
        }
        Ok(Box::new(FakePool { count: run.count, chunk: run.chunk, fault: self.0, stopped: Arc::default() }))
    }
}

impl Backend for FakePool {
    fn start(&self, job: Job) -> Result<JobHandle, PoolError> {
        let (tell, end) = mpsc::channel();
        tell.send(self.run(job)).unwrap();
        Ok(JobHandle::new(end, || ()))
    }

    fn control(&self) -> Control {
        let stopped = Arc::clone(&self.stopped);
        Control::new(move |_| stopped.store(true, Ordering::Release))
    }

    fn close(self: Box<Self>) -> Result<Duration, PoolError> {
        Ok(Duration::from_millis(u64::from(100 / self.count)))
    }
}

impl FakePool {
    fn run(&self, mut job: Job) -> Result<JobEnd, PoolError> {
        let (wake, wakes) = mpsc::channel();
        job.source.wake_with(Waker::new(move || {
            let _ = wake.send(());
        }));
        let max_items = match self.chunk {
            ChunkSize::Fixed(items) => items.get(),
            ChunkSize::Auto => 3,
        };
        while !self.stopped.load(Ordering::Acquire) {
            match job.source.cut(max_items, 1 << 16) {
                Cut::End => return Ok(JobEnd::Complete),
                Cut::Pending => wakes.recv().unwrap(),
                Cut::Block(block) => {
                    let credit = Credit::new(1, Arc::default(), Waker::new(|| ()));
                    job.sink.deliver(Batch { deliveries: vec![self.answer(&job, &block)], credit });
                }
            }
        }
        Ok(JobEnd::Stopped)
    }

    fn answer(&self, job: &Job, block: &procession::raw::InputBlock) -> Delivery {
        let entry = builtin::find(&job.spec.task).unwrap();
        let identity = Identity::new(1, "here", 0);
        let options = TextOptions {
            items: job.spec.items,
            table: job.spec.table.clone(),
            format: job.spec.format,
            show: false,
            identity,
        };
        let mut task = entry.task(&job.spec.params, &job.spec.arguments, options).unwrap();
        let (mut host, mut answer) = (NoClock, Answer::default());
        let mut reply = Reply::new(&mut host, &mut answer, false, job.spec.max_result);
        let work =
            Block { first: block.first, items: block.items, chunk: 0, attempt: 1, log: false, bytes: &block.bytes };
        task.run(&work, &mut reply).unwrap();
        reply.finish();
        let failures = answer.failures.iter().map(|failure| {
            let (at, length) = (failure.input.0 as usize, failure.input.1 as usize);
            let (from, bytes) = (failure.record.0 as usize, failure.record.1 as usize);
            ItemFailure {
                item: failure.item,
                input: block.bytes.slice(at..at + length),
                place: block.place.map(|place| place.after(&block.bytes[..at])),
                failure: failure.failure.clone(),
                record: from..from + bytes,
                pid: 1,
                attempts: 1,
            }
        });
        let failures = failures.collect();
        if self.fault == FakeFault::Differs(self.count) {
            answer.outputs.push(b'x');
        }
        Delivery { first: block.first, items: block.items, outputs: Bytes::from(answer.outputs), failures }
    }
}

//! The loop and threads give what a plain loop gives, and can be stopped.

use super::*;
use crate::jobs::{Backend, Batch, Cut, InputBlock, Job, JobEnd, PoolError, Sink, Source, Waker};
use crate::observe::{Event, Observer, WorkerExit};
use procession_scheduler::ChunkSize;
use procession_task::{BlockTask, Format, Identity, JobLimits, JobSpec, Reply, ResultOrder};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Whole numbers up to `end`, which answer `Pending` once if they hesitate.
struct Numbers {
    next: u64,
    end: u64,
    hesitates: bool,
    waker: Option<Waker>,
}

impl Numbers {
    fn new(end: u64, hesitates: bool) -> Self {
        Self { next: 0, end, hesitates, waker: None }
    }
}

impl Source for Numbers {
    fn cut(&mut self, max_items: u32, _: usize) -> Cut {
        if let (true, Some(waker)) = (self.hesitates, &self.waker)
            && self.next.is_multiple_of(2)
        {
            self.hesitates = false;
            let waker = waker.clone();
            std::thread::spawn(move || waker.wake());
            return Cut::Pending;
        }
        if self.next == self.end {
            return Cut::End;
        }
        let items = (self.end - self.next).min(u64::from(max_items));
        let first = self.next;
        self.next += items;
        let text: String = (first..self.next).map(|n| format!("{n}\n")).collect();
        Cut::Block(InputBlock { bytes: text.into(), items: u32::try_from(items).unwrap(), first, place: None })
    }

    fn wake_with(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }
}

struct Collects(Sender<Batch>);

impl Sink for Collects {
    fn deliver(&mut self, batch: Batch) {
        self.0.send(batch).unwrap();
    }
}

struct Tells(Sender<Event>);

impl Observer for Tells {
    fn on_event(&mut self, event: &Event) {
        // The receiver may be gone.
        let _ = self.0.send(event.clone());
    }
}

fn job(task: &str, source: impl Source + 'static, ordered: bool) -> (Job, Receiver<Batch>) {
    let (sender, receiver) = channel();
    let spec = JobSpec {
        format: Format::Tsv,
        chunk: ChunkSize::Fixed(NonZero::new(7).unwrap()),
        order: if ordered { ResultOrder::Input } else { ResultOrder::Completion },
        max_result: 1 << 20,
        ..JobSpec::new(task)
    };
    let job = Job::new(spec, Box::new(source), Box::new(Collects(sender)));
    (job, receiver)
}

fn run(backend: &InProcess, job: Job) -> Result<JobEnd, PoolError> {
    backend.start(job)?.wait()
}

fn make() -> Arc<MakeThreadTask> {
    Arc::new(crate::worker::listed(procession_task::builtin::ALL))
}

fn text(batches: &Receiver<Batch>) -> String {
    let batches: Vec<Batch> = batches.try_iter().collect();
    let outputs = batches.iter().flat_map(|batch| &batch.deliveries).map(|d| &d.outputs[..]);
    String::from_utf8(outputs.collect::<Vec<_>>().concat()).unwrap()
}

fn roots(n: u64) -> String {
    (0..n).map(|i| format!("{i}\t{:?}\n", (i as f64).sqrt())).collect()
}

#[test]
fn threads_and_the_loop_give_what_a_plain_loop_gives() {
    for (threads, hesitates) in [(None, false), (None, true), (Some(1), false), (Some(4), false), (Some(3), true)] {
        let local = match threads {
            None => InProcess::serial(make(), Vec::new()),
            Some(threads) => InProcess::threads(threads, make(), Vec::new()),
        };
        let (job, batches) = job("sqrt", Numbers::new(1000, hesitates), true);
        assert_eq!(run(&local, job), Ok(JobEnd::Complete), "{threads:?}");
        assert_eq!(text(&batches), roots(1000), "{threads:?}");
        // It serves another job as well.
        let (job, batches) = self::job("sqrt", Numbers::new(10, false), true);
        assert_eq!(run(&local, job), Ok(JobEnd::Complete));
        assert_eq!(text(&batches), roots(10));
    }
}

#[test]
fn unordered_results_are_all_there() {
    let (job, batches) = job("sqrt", Numbers::new(500, false), false);
    let local = InProcess::threads(3, make(), Vec::new());
    assert_eq!(run(&local, job), Ok(JobEnd::Complete));
    let whole = text(&batches);
    let mut lines: Vec<&str> = whole.lines().collect();
    lines.sort_by_key(|line| line.split('\t').next().unwrap().parse::<u64>().unwrap());
    assert_eq!(lines.join("\n") + "\n", roots(500));
}

#[test]
fn a_limit_that_no_thread_could_keep_is_refused() {
    for (timeout, memory_limit) in [(Some(Duration::from_secs(1)), None), (None, Some(1 << 30))] {
        let (job, _batches) = job("sqrt", Numbers::new(1, false), true);
        let spec = JobSpec { limits: JobLimits { timeout, memory_limit }, ..job.spec.clone() };
        let local = InProcess::serial(make(), Vec::new());
        assert!(matches!(run(&local, Job { spec, ..job }), Err(PoolError::Refused(_))));
    }
}

#[test]
fn observers_hear_what_they_hear_of_a_pool_of_processes() {
    let (sender, events) = channel();
    let local = InProcess::threads(2, make(), vec![Box::new(Tells(sender))]);
    let (job, _batches) = job("null", Numbers::new(70, false), true);
    run(&local, job).unwrap();
    let wall = Box::new(local).close().unwrap();
    let events: Vec<Event> = events.try_iter().collect();
    let exits: Vec<&WorkerExit> =
        events.iter().filter_map(|e| if let Event::WorkerExited(exit) = e { Some(exit) } else { None }).collect();
    assert_eq!(exits.iter().map(|e| (e.items, e.chunks)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)), (70, 10));
    for exit in exits {
        let (told_at, total) = (exit.told_at.unwrap(), Duration::from_nanos(exit.times.unwrap().total_ns()));
        let ready = events.iter().find_map(|e| match e {
            Event::WorkerReady { worker, at, .. } if *worker == exit.worker => Some(*at),
            _ => None,
        });
        // Its phases cover the time from when it was ready until the last thread
        // was done.
        let parts = ready.unwrap() + total;
        assert!(parts <= told_at && told_at - parts < Duration::from_millis(50), "{parts:?} of {told_at:?}");
    }
    let accepted: u32 = events.iter().map(|e| if let Event::Accepted(a) = e { a.items } else { 0 }).sum();
    assert_eq!(accepted, 70);
    assert!(matches!(events.first(), Some(Event::RunStarted { slots: 2 })));
    assert!(matches!(events.last(), Some(Event::RunEnded { at, driver: None }) if *at == wall));
}

#[test]
fn a_stop_ends_a_run_that_would_never_end() {
    let (sender, events) = channel();
    let local = InProcess::threads(2, make(), vec![Box::new(Tells(sender))]);
    let control = local.control();
    let stopper = std::thread::spawn(move || {
        let begun = events.iter().any(|event| matches!(event, Event::Accepted(_)));
        control.stop();
        begun
    });
    let (job, batches) = job("null", Numbers::new(u64::MAX, false), true);
    let writer = std::thread::spawn(move || batches.iter().map(|batch| batch.deliveries.len()).sum::<usize>());
    assert_eq!(run(&local, job), Ok(JobEnd::Stopped));
    assert!(stopper.join().unwrap());
    assert!(writer.join().unwrap() > 0);
}

#[test]
fn a_task_that_cant_be_made_is_the_jobs_error() {
    let (job, _batches) = job("nonsense", Numbers::new(5, false), true);
    let refused = run(&InProcess::threads(2, make(), Vec::new()), job);
    assert_eq!(refused, Err(PoolError::Refused("unknown task 'nonsense'".to_owned())));
}

#[test]
fn what_is_not_written_holds_the_cutting_up() {
    /// Keeps what it is given until it is let go.
    struct Keeps(Arc<Mutex<Vec<Batch>>>, Sender<usize>);
    impl Sink for Keeps {
        fn deliver(&mut self, batch: Batch) {
            let mut kept = self.0.lock().unwrap();
            kept.push(batch);
            self.1.send(kept.iter().flat_map(|b| &b.deliveries).map(|d| d.outputs.len()).sum()).unwrap();
        }
    }
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (tell, told) = channel();
    let (job, _unused) = job("null", Numbers::new(4_000_000, false), true);
    let chunk = ChunkSize::Fixed(NonZero::new(20_000).unwrap());
    let spec = JobSpec { chunk, ..job.spec.clone() };
    let job = Job { spec, sink: Box::new(Keeps(Arc::clone(&kept), tell)), ..job };
    let window = 4 << 20;
    let runner = std::thread::spawn(move || run(&InProcess::threads(2, make(), Vec::new()).window(window), job));
    let (mut largest, begun) = (0, Instant::now());
    // Once nothing more comes, the kept results are all that the window allows.
    while !runner.is_finished() {
        match told.recv_timeout(Duration::from_millis(20)) {
            Ok(bytes) => largest = largest.max(bytes),
            // On a busy machine it takes a while until so much is held.
            Err(_) if largest <= 1 << 20 && begun.elapsed() < Duration::from_secs(60) => {}
            Err(_) => drop(std::mem::take(&mut *kept.lock().unwrap())),
        }
    }
    assert_eq!(runner.join().unwrap(), Ok(JobEnd::Complete));
    let most = usize::try_from(window).unwrap() + (2 << 20);
    assert!(largest > 1 << 20 && largest < most, "{largest}");
}

/// Panics on the first chunk, while the other chunks have so many results that
/// their threads have to wait for it.
struct Panics;

impl BlockTask for Panics {
    fn run(&mut self, block: &procession_task::Block<'_>, reply: &mut Reply<'_>) -> Result<(), String> {
        assert!(block.first > 0, "the first chunk");
        reply.answer().outputs.resize(4 << 20, b'x');
        reply.items_done(block.items);
        Ok(())
    }
}

#[test]
fn a_panic_on_a_thread_ends_the_job() {
    let (tell, told) = channel();
    for threads in [None, Some(3)] {
        let tell = tell.clone();
        // On a thread of its own, so that a hang is a failure of the test.
        std::thread::spawn(move || {
            let make: Arc<MakeThreadTask> = Arc::new(|_: &JobSpec, _: Identity| Ok(Box::new(Panics)));
            let local = match threads {
                None => InProcess::serial(make, Vec::new()),
                Some(threads) => InProcess::threads(threads, make, Vec::new()),
            };
            let (job, _batches) = job("any", Numbers::new(u64::MAX, false), true);
            tell.send(run(&local, job)).unwrap();
        });
        let ended = told.recv_timeout(Duration::from_secs(30)).expect("it ends");
        assert_eq!(ended, Err(PoolError::Refused("it panicked: the first chunk".to_owned())));
    }
}
